//! A message as one HTML page that needs nothing else: mail readers fetch nothing.

use super::message::{Event, Message};
use super::settings::Settings;
use super::wording::{Words, title, words};
use crate::analyze::kind::Severity;
use crate::analyze::page;
use crate::base::text;

/// The page.
pub(super) fn body(message: &Message, settings: &Settings) -> String {
    let link = settings.link.as_ref().map(|link| text::escaped_html(link.as_str()));
    let link = link.map(|link| format!("<p><a href=\"{link}\">{link}</a></p>\n")).unwrap_or_default();
    match message {
        Message::Alerts(events) => alerts(&title(message), events, settings, &link),
        Message::Report(report) => page::html(report).replacen("</body>", &format!("{link}</body>"), 1),
    }
}

fn alerts(title: &str, events: &[Event], settings: &Settings, link: &str) -> String {
    let title = text::escaped_html(title);
    let alerts: String = events.iter().map(|event| alert(&words(event, settings))).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body style=\"font-family:sans-serif;max-width:60em\">\n<h1 style=\"font-size:1.3em\">{title}</h1>\n\
         {alerts}{link}</body></html>\n"
    )
}

fn alert(words: &Words) -> String {
    let colour = match (words.is_over, words.severity) {
        (true, _) => "#2e7d32",
        (_, Severity::Critical) => "#b71c1c",
        (_, Severity::Alert) => "#e65100",
        (_, Severity::Warning) => "#f9a825",
    };
    let facts = words.facts.iter().map(|(name, value)| {
        format!(
            "<tr><td style=\"color:#555;vertical-align:top\">{name}</td><td>{}</td></tr>\n",
            text::escaped_html(value)
        )
    });
    format!(
        "<div style=\"border-left:6px solid {colour};padding-left:12px;margin:18px 0\">\n<b>{}</b>\n<p>{}</p>\n\
         <table cellpadding=\"3\">\n{}</table>\n</div>\n",
        text::escaped_html(&words.lead),
        text::escaped_html(&words.sentence),
        facts.collect::<String>()
    )
}
