//! A route's TLS: its own keys over those for all routes, these over what the upstream's URL says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::error::Problem;
use super::file::Given;
use super::settings::{Reader, choices, default};
use super::upstream::UrlTls;
use super::value;
use crate::tls::settings::{Client, ClientMode, Settings, Upstream, UpstreamMode};

/// What was said about a route, by key.
type Keys = BTreeMap<&'static str, Given>;

impl Reader {
    /// TLS on both legs of the route with these `keys`.
    pub(super) fn tls(&mut self, prefix: &str, keys: &Keys, url: UrlTls) -> Settings {
        let client = Client {
            mode: self.word(prefix, keys, "tls.client", |word| match word {
                "disable" => Some(ClientMode::Disable),
                "allow" => Some(ClientMode::Allow),
                "require" => Some(ClientMode::Require),
                _ => None,
            }),
            cert: file(keys, "tls.cert"),
            key: file(keys, "tls.key"),
            ca: file(keys, "tls.client_ca"),
        };
        let said = self.word(prefix, keys, "tls.upstream", UpstreamMode::from_sslmode);
        let direct = self
            .word(prefix, keys, "tls.upstream_negotiation", |word| (word == "direct").then_some(true).or(Some(false)));
        let upstream = Upstream {
            mode: url.mode.filter(|_| !keys.contains_key("tls.upstream")).unwrap_or(said),
            ca: file(keys, "tls.upstream_ca").or(url.ca),
            cert: file(keys, "tls.upstream_cert").or(url.cert),
            key: file(keys, "tls.upstream_key").or(url.key),
            direct: direct || url.direct,
        };
        self.contradictions(prefix, keys, &client, &upstream);
        Settings { client, upstream }
    }

    fn contradictions(&mut self, prefix: &str, keys: &Keys, client: &Client, upstream: &Upstream) {
        for (key, cert, has) in
            [("tls.key", "tls.cert", &client.cert), ("tls.upstream_key", "tls.upstream_cert", &upstream.cert)]
        {
            if let (Some(given), None) = (keys.get(key), has) {
                let problem = Problem::new("a key without its certificate", format!("set {cert} too"));
                self.fail(&format!("{prefix}{key}"), given, problem);
            }
        }
        if upstream.direct && upstream.mode < UpstreamMode::Require {
            let given = keys.get("tls.upstream_negotiation").or_else(|| keys.get("upstream")).cloned();
            let what = "direct negotiation can't fall back to plaintext";
            let problem = Problem::new(what, "set tls.upstream to require, verify-ca or verify-full");
            let given = given.unwrap_or_else(|| default("tls.upstream_negotiation"));
            self.fail(&format!("{prefix}tls.upstream_negotiation"), &given, problem);
        }
        if client.mode == ClientMode::Disable && (client.cert.is_some() || client.ca.is_some()) {
            self.warn("tls.cert, tls.key and tls.client_ca have no effect while tls.client is disable");
        }
        let files = upstream.ca.is_some() || upstream.cert.is_some();
        if upstream.mode == UpstreamMode::Disable && files {
            self.warn(
                "tls.upstream_ca, tls.upstream_cert and tls.upstream_key have no effect while tls.upstream is disable",
            );
        }
        if upstream.mode == UpstreamMode::Prefer && upstream.ca.is_some() {
            self.warn("tls.upstream_ca has no effect while tls.upstream is prefer, which trusts any server");
        }
    }

    /// One of the words of a key.
    fn word<T: Default>(
        &mut self,
        prefix: &str,
        keys: &Keys,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let given = keys.get(name).cloned().unwrap_or_else(|| default(name));
        self.parse(&format!("{prefix}{name}"), &given, |text| {
            value::choice(text, choices(name))?;
            Ok(read(text).unwrap_or_default())
        })
    }
}

fn file(keys: &Keys, name: &str) -> Option<PathBuf> {
    keys.get(name).map(|given| given.value.trim()).filter(|path| !path.is_empty()).map(PathBuf::from)
}
