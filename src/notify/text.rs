//! A message as plain text.

use std::fmt::Write;

use super::message::{Event, Message};
use super::settings::Settings;
use super::wording::{title, words};
use crate::analyze::page;

/// Lines without a limit; whoever shows them wraps them.
pub(super) fn body(message: &Message, settings: &Settings) -> String {
    let mut out = match message {
        Message::Alerts(events) => alerts(&title(message), events, settings),
        Message::Report(report) => page::text(report),
    };
    if let Some(link) = &settings.link {
        line(&mut out, &format!("\n{link}"));
    }
    out
}

fn alerts(title: &str, events: &[Event], settings: &Settings) -> String {
    let mut out = format!("{title}\n");
    for event in events {
        let words = words(event, settings);
        line(&mut out, &format!("\n{}\n{}", words.lead, words.sentence));
        for (name, value) in words.facts {
            line(&mut out, &format!("  {name}: {value}"));
        }
    }
    out
}

/// Writing to a `String` can't fail.
fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").unwrap_or_default();
}
