//! Who hears of what.

use std::collections::BTreeSet;

use url::Url;

use super::support::alert;
use crate::analyze::alert::Notice;
use crate::analyze::kind::{Kind, Severity};
use crate::base::secret::Secret;
use crate::base::telemetry::Channel;
use crate::notify::settings::{Route, Settings, Topic, Webhook};

/// Slack and a webhook, and these routes.
fn settings(routes: Vec<Route>) -> Settings {
    let url = || Secret::new(Url::parse("https://receiver.example/").unwrap());
    let webhook = Some(Webhook { url: url(), secret: None });
    Settings { slack: Some(url()), webhook, routes, ..Settings::default() }
}

fn route(channels: &[Channel]) -> Route {
    Route { channels: channels.iter().copied().collect(), ..Route::default() }
}

fn heard(settings: &Settings, severity: Severity) -> Vec<Channel> {
    settings.channels_of(Notice::Opened, &alert(1, severity, "t"), &BTreeSet::new()).into_iter().collect()
}

#[test]
fn without_routes_every_channel_hears_of_everything() {
    let settings = settings(Vec::new());
    assert_eq!(heard(&settings, Severity::Warning), [Channel::Slack, Channel::Webhook]);
    assert_eq!(settings.channels_of_report("db").len(), 2);
    assert!(heard(&Settings::default(), Severity::Critical).is_empty());
}

#[test]
fn the_first_route_that_fits_decides() {
    let critical = Route { severity: Some(Severity::Critical), ..route(&[Channel::Slack]) };
    let bloat = Route { topics: vec![Topic::Alert(Kind::HighBloat)], ..route(&[]) };
    let settings = settings(vec![critical, bloat]);
    assert_eq!(heard(&settings, Severity::Critical), [Channel::Slack]);
    assert!(heard(&settings, Severity::Warning).is_empty(), "nobody wants to hear of bloat");
    let mut other = alert(1, Severity::Warning, "t");
    other.kind = Kind::Wraparound;
    let channels = settings.channels_of(Notice::Opened, &other, &BTreeSet::new());
    assert_eq!(channels.len(), 2, "what no route fits is told to all");
}

#[test]
fn routes_tell_servers_databases_and_the_report_apart() {
    let shop = Route { database: Some("shop".to_owned()), ..route(&[Channel::Slack]) };
    let report = Route { topics: vec![Topic::Report], ..route(&[Channel::Webhook]) };
    let elsewhere = Route { server: Some("other".to_owned()), ..route(&[]) };
    let settings = settings(vec![elsewhere, report, shop]);
    assert_eq!(heard(&settings, Severity::Warning), [Channel::Slack]);
    assert_eq!(settings.channels_of_report("db").into_iter().collect::<Vec<_>>(), [Channel::Webhook]);
    assert!(settings.channels_of_report("other").is_empty());
}

#[test]
fn who_heard_that_it_began_hears_that_it_got_worse_and_that_it_is_over() {
    let critical = Route { severity: Some(Severity::Critical), ..route(&[Channel::Webhook]) };
    let settings = settings(vec![critical, route(&[Channel::Slack])]);
    let told: BTreeSet<_> = heard(&settings, Severity::Warning).into_iter().collect();
    assert_eq!(told, [Channel::Slack].into());
    let worse = alert(1, Severity::Critical, "t");
    let told = settings.channels_of(Notice::Escalated, &worse, &told);
    assert_eq!(told, [Channel::Slack, Channel::Webhook].into());
    assert_eq!(settings.channels_of(Notice::Resolved, &worse, &told), told);
    assert!(settings.channels_of(Notice::Resolved, &worse, &BTreeSet::new()).is_empty(), "nobody knew of it");
}

#[test]
fn settings_show_no_secret() {
    let mut settings = settings(Vec::new());
    settings.slack = Some(Secret::new(Url::parse("https://hooks.slack.com/services/T0/B0/hidden").unwrap()));
    settings.webhook.as_mut().unwrap().secret = Some(Secret::new(b"hidden".to_vec()));
    assert!(!format!("{settings:?}").contains("hidden"));
}
