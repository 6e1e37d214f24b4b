//! The monitored servers that can be asked.

use std::collections::BTreeMap;

use super::error::{Error, Problem, Source};
use super::file::Given;
use super::keys::MONITOR;
use super::settings::{Monitored, Reader, choices, name};
use super::store::target;
use super::{upstream, value};
use crate::collect::settings::{Settings, WhenIdle};
use crate::pgclient::target::Target;
use crate::runtime::listen::Address;
use crate::store::schema::Schema;

impl Reader {
    /// One for each route that says where, or whose server has the store.
    pub(super) fn collect(&mut self, own_schema: &Schema, when_idle: WhenIdle) -> Vec<Settings> {
        let store = self.given("store.url").filter(|given| given.value.trim() != "off");
        let monitored = std::mem::take(&mut self.monitored);
        let settings = monitored.into_iter().filter_map(|Monitored { server, upstream, url }| {
            let url = url.or_else(|| store.clone().filter(|store| is_there(&store.value, &upstream)))?;
            let read = |text: &str| if text == "off" { Ok(None) } else { target(text).map(Some) };
            let target = self.parse("monitor.url", &url, read)?.also_standbys();
            Some(Settings { server, target, own_schema: own_schema.name().to_owned(), when_idle })
        });
        settings.collect()
    }

    /// One for each `[[monitor]]`.
    pub(super) fn monitors(&mut self, own_schema: &Schema, when_idle: WhenIdle) -> Vec<Settings> {
        let tables = std::mem::take(&mut self.layers.monitors);
        let mut monitors: Vec<Settings> = Vec::new();
        for keys in &tables {
            let Some((server, target)) = self.monitor(keys) else { continue };
            if let (true, Some(given)) = (monitors.iter().any(|other| other.server == server), keys.get("server")) {
                let problem = Problem::new("an earlier [[monitor]] is of this server", "write one for each server");
                self.fail("monitor.server", given, problem);
            }
            monitors.push(Settings { server, target, own_schema: own_schema.name().to_owned(), when_idle });
        }
        monitors
    }

    /// Its server and where that is; `None` when it can't be used, which was then said.
    fn monitor(&mut self, keys: &BTreeMap<&'static str, Given>) -> Option<(String, Target)> {
        for name in MONITOR.iter().filter(|name| !keys.contains_key(**name)) {
            let in_file = format!("monitor.{name}_file");
            if self.layers.errors.iter().any(|error| matches!(error, Error::Value { key, .. } if *key == in_file)) {
                continue;
            }
            let origin = keys.values().next().map_or(Source::Default, |given| given.origin.clone());
            let what = format!("a [[monitor]] without `{name}`");
            let advice = "write server, as sidecars call it, and url in each";
            self.fail(&format!("monitor.{name}"), &Given { value: String::new(), origin }, Problem::new(what, advice));
        }
        let (server, url) = (keys.get("server")?, keys.get("url")?);
        let server = self.parse("monitor.server", server, name);
        let target = self.parse("monitor.url", url, |text| target(text).map(Some))?;
        Some((server, target.also_standbys()))
    }

    /// Whether servers are asked on which nothing happens.
    pub(super) fn when_idle(&mut self) -> WhenIdle {
        self.get("collect.when_idle", |text| match text {
            "always" => Ok(WhenIdle::Always),
            "never" => Ok(WhenIdle::Never),
            _ => value::choice(text, choices("collect.when_idle")).map(|()| WhenIdle::Auto),
        })
    }
}

/// Whether a URL leads to one of these addresses. One that can't be read is complained about elsewhere.
fn is_there(url: &str, addresses: &[Address]) -> bool {
    upstream::parse(url.trim()).is_ok_and(|there| there.addresses.iter().any(|one| addresses.contains(one)))
}
