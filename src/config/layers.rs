//! Who said what: flags over environment over file. Unknown names are errors that name the nearest known one.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::{Error, Problem, Source, nearest};
use super::file::{Contents, Given};
use super::key::{Key, variable};
use super::keys::{self, KEYS, MONITOR, NOTIFY_ROUTE, OVERRIDE, ROUTE, ROUTE_TLS};

/// What was said about each key by whoever comes first, and the file's tables of which there are several.
#[derive(Default, Debug)]
pub(super) struct Layers {
    pub(super) given: BTreeMap<&'static str, Given>,
    pub(super) routes: Vec<BTreeMap<&'static str, Given>>,
    pub(super) monitors: Vec<BTreeMap<&'static str, Given>>,
    pub(super) overrides: Vec<BTreeMap<&'static str, Given>>,
    pub(super) notify_routes: Vec<BTreeMap<&'static str, Given>>,
    pub(super) errors: Vec<Error>,
}

impl Layers {
    /// Puts the file on the bottom. Call before [`Layers::environment`] and [`Layers::flags`].
    pub(super) fn file(&mut self, contents: Contents) {
        self.errors.extend(contents.errors);
        let named = contents.keys.into_iter().filter_map(|(name, given)| match resolve(&name) {
            Some(found) => Some((found, given)),
            None => {
                self.unknown(name, given.origin, &names());
                None
            }
        });
        let named: Vec<_> = named.collect();
        self.layer(named);
        for route in contents.routes {
            let route = self.one_of_several("route.", &[ROUTE, ROUTE_TLS].concat(), route);
            self.routes.push(route);
        }
        for one in contents.monitors {
            let one = self.one_of_several("monitor.", MONITOR, one);
            self.monitors.push(one);
        }
        for one in contents.overrides {
            let one = self.one_of_several("alerts.override.", OVERRIDE, one);
            self.overrides.push(one);
        }
        for route in contents.notify_routes {
            let route = self.one_of_several("notify.route.", NOTIFY_ROUTE, route);
            self.notify_routes.push(route);
        }
    }

    /// The keys of one `[[…]]`, without their prefix. A secret may be in a file here too.
    fn one_of_several(
        &mut self,
        prefix: &str,
        known: &[&'static str],
        keys: Vec<(String, Given)>,
    ) -> BTreeMap<&'static str, Given> {
        let mut table = BTreeMap::new();
        for (name, given) in keys {
            let short = name.strip_prefix(prefix).unwrap_or(&name);
            let named = |short: &str| known.iter().copied().find(|known| *known == short);
            let in_file = short.strip_suffix("_file").and_then(&named).and_then(|known| {
                let key = keys::find(known).or_else(|| keys::find(&format!("{prefix}{known}")))?;
                key.has_file().then_some((known, key))
            });
            match (named(short), in_file) {
                (Some(known), _) => {
                    table.insert(known, given);
                }
                (None, Some((known, key))) => match (Found { key, is_file: true }).read(given) {
                    Ok(given) => drop(table.insert(known, given)),
                    Err(error) => self.errors.push(*error),
                },
                (None, None) => {
                    let known: Vec<_> = known.iter().map(|key| format!("{prefix}{key}")).collect();
                    self.unknown(name, given.origin, &known);
                }
            }
        }
        table
    }

    /// Puts the environment over what is there. Empty variables count as unset.
    pub(super) fn environment<'a>(&mut self, variables: impl Iterator<Item = (&'a str, &'a str)>) {
        let mut named = Vec::new();
        for (name, value) in variables {
            let origin = Source::Variable(name.to_owned());
            match KEYS.iter().find_map(|key| matches_variable(key, name)) {
                Some(found) if !value.is_empty() => named.push((found, Given { value: value.to_owned(), origin })),
                Some(_) => {}
                None if !name.starts_with("PGVITALS_") => {}
                None if is_service_link(name) => {}
                None => self.unknown(
                    name.to_owned(),
                    origin,
                    &names().iter().map(|name| variable(name)).collect::<Vec<_>>(),
                ),
            }
        }
        self.layer(named);
    }

    /// Puts the command line on top; names are those of the table.
    pub(super) fn flags(&mut self, flags: Vec<(&'static Key, String)>) {
        let named = flags.into_iter().map(|(key, value)| {
            let found = Found { key, is_file: key.is_secret() };
            (found, Given { value, origin: Source::Flag(key.flag()) })
        });
        let named: Vec<_> = named.collect();
        self.layer(named);
    }

    fn layer(&mut self, named: Vec<(Found, Given)>) {
        let mut seen: BTreeMap<&'static str, Source> = BTreeMap::new();
        for (found, given) in named {
            if let Some(other) = seen.insert(found.key.name, given.origin.clone()) {
                let problem = Problem::new(format!("{other} says it too"), "remove one of the two");
                self.errors.push(found.error(given.origin, None, problem));
                continue;
            }
            match found.read(given) {
                Ok(given) => drop(self.given.insert(found.key.name, given)),
                Err(error) => self.errors.push(*error),
            }
        }
    }

    fn unknown(&mut self, key: String, origin: Source, known: &[String]) {
        let nearest = nearest(&key, known.iter().map(String::as_str)).to_owned();
        self.errors.push(Error::UnknownKey { key, origin, nearest });
    }
}

/// A key, or the `…_file` of a secret.
#[derive(Clone, Copy)]
struct Found {
    key: &'static Key,
    is_file: bool,
}

impl Found {
    /// The value itself, out of the file that it names where it names one.
    fn read(self, given: Given) -> Result<Given, Box<Error>> {
        if !self.is_file {
            return Ok(given);
        }
        match std::fs::read_to_string(Path::new(&given.value)) {
            Ok(text) => Ok(Given { value: text.trim_end_matches(['\n', '\r']).to_owned(), origin: given.origin }),
            Err(error) => {
                let problem = Problem::new(error.to_string(), "name a file that pgvitals may read");
                Err(Box::new(self.error(given.origin, Some(given.value), problem)))
            }
        }
    }

    fn error(self, origin: Source, value: Option<String>, Problem { what, advice }: Problem) -> Error {
        let suffix = if self.is_file { "_file" } else { "" };
        Error::Value { key: format!("{}{suffix}", self.key.name), value, origin, what, advice }
    }
}

fn resolve(name: &str) -> Option<Found> {
    let direct = keys::find(name).map(|key| Found { key, is_file: false });
    direct.or_else(|| {
        let key = keys::find(name.strip_suffix("_file")?).filter(|key| key.has_file())?;
        Some(Found { key, is_file: true })
    })
}

fn matches_variable(key: &'static Key, name: &str) -> Option<Found> {
    if key.variables().any(|own| name == own) {
        return Some(Found { key, is_file: false });
    }
    let is_file = name.strip_suffix("_FILE").is_some_and(|name| key.variables().any(|own| name == own));
    (key.has_file() && is_file).then_some(Found { key, is_file: true })
}

/// Every name that a file may use.
fn names() -> Vec<String> {
    let files = KEYS.iter().filter(|key| key.has_file()).map(|key| format!("{}_file", key.name));
    KEYS.iter().map(|key| key.name.to_owned()).chain(files).collect()
}

/// Kubernetes describes each Service to each pod in variables; a Service called `pgvitals` makes `PGVITALS_PORT`,
/// `PGVITALS_SERVICE_HOST`, `PGVITALS_PORT_7432_TCP_ADDR` and the like, which nobody wrote.
fn is_service_link(name: &str) -> bool {
    name.contains("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.ends_with("_PORT") || {
        let after_port = name.split_once("_PORT_").map_or("", |(_, rest)| rest);
        after_port.starts_with(|c: char| c.is_ascii_digit())
    }
}
