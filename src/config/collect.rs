//! The monitored servers that can be asked.

use super::settings::{Monitored, Reader, choices};
use super::store::target;
use super::{upstream, value};
use crate::collect::settings::{Settings, WhenIdle};
use crate::runtime::listen::Address;
use crate::store::schema::Schema;

impl Reader {
    /// One for each route that says where, or whose server has the store.
    pub(super) fn collect(&mut self, own_schema: &Schema) -> Vec<Settings> {
        let when_idle = self.get("collect.when_idle", |text| match text {
            "always" => Ok(WhenIdle::Always),
            "never" => Ok(WhenIdle::Never),
            _ => value::choice(text, choices("collect.when_idle")).map(|()| WhenIdle::Auto),
        });
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
}

/// Whether a URL leads to one of these addresses. One that can't be read is complained about elsewhere.
fn is_there(url: &str, addresses: &[Address]) -> bool {
    upstream::parse(url.trim()).is_ok_and(|there| there.addresses.iter().any(|one| addresses.contains(one)))
}
