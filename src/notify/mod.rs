//! Tells people: of alerts, grouped so that fifty are one message, and of the daily report. It is handed facts and what
//! waits in a table, and hands back what became of it; it knows neither rules nor tables.
//!
//! Reading order: [`settings`] channels, who hears of what, and [`quiet`] hours; [`queue`] what is sent now, what waits and
//! what is given up, pure; [`message`] what is said, [`wording`] in which words, [`mod@text`] and [`html`] as pages;
//! [`slack`], [`email`] and [`webhook`] one channel each, [`post`] HTTP for two of them; [`notifier`] sends, [`error`] why
//! that fails.

mod email;
pub mod error;
mod html;
pub mod message;
pub mod notifier;
mod post;
pub mod queue;
pub mod quiet;
pub mod settings;
mod slack;
mod text;
mod webhook;
mod wording;

#[cfg(test)]
mod tests;
