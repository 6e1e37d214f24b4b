//! `pgvitals top`: the statements of a running pgvitals, live on a terminal, or printed.
//!
//! Reading order: [`options`], [`answers`] what is told, [`wanted`] what is asked, [`state`] what keys make of both; [`screen`] draws it,
//! with [`headline`], [`table`], [`detail`] and [`help`] out of [`figures`], [`chart`], [`cells`] and [`palette`]: all of it
//! without a terminal or a network. [`feed`] asks, [`terminal`] shows. [`plain`] prints for scripts.

mod answers;
mod cells;
mod chart;
mod detail;
mod feed;
mod figures;
mod headline;
mod help;
mod options;
mod palette;
mod plain;
mod screen;
mod state;
mod table;
mod terminal;
mod wanted;

#[cfg(test)]
mod tests;

use std::io::IsTerminal;

use ratatui::crossterm::style::force_color_output;

pub(super) use self::options::Options;
pub(super) use self::wanted::{SORTS, WINDOWS};

use self::palette::Palette;
use super::client::{Client, runtime};
use crate::config::load::Loaded;

/// Shows the statements until somebody quits, or prints them.
pub(super) fn run(loaded: &Loaded, options: &Options) -> anyhow::Result<()> {
    let http = &loaded.app.http;
    let client = Client::new(&http.listen, http.token.clone());
    let variable = |name: &str| std::env::var(name).ok();
    let is_dumb = variable("TERM").is_none_or(|terminal| terminal == "dumb");
    if options.once || is_dumb || !std::io::stdout().is_terminal() {
        return runtime()?.block_on(async {
            tokio::select! {
                result = plain::show(&client, options) => result,
                interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
            }
        });
    }
    let is_coloured = options.color.is_wanted(true, variable);
    force_color_output(is_coloured);
    runtime()?.block_on(terminal::show(client, options, Palette::of(is_coloured, variable)))
}
