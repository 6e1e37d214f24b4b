//! Reads file, environment and flags.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::Errors;
use super::file;
use super::host::{self, Host};
use super::key::Key;
use super::layers::Layers;
use super::log::Log;
use super::settings::{Finished, Reader};
use super::upstream;
use crate::app;
use crate::store::schema::Schema;

/// The variable that names the configuration file.
pub const CONFIG_VARIABLE: &str = "PGVITALS_CONFIG";
/// Where the configuration file is when nobody names one; it need not exist.
pub const CONFIG_FILE: &str = "config/pgvitals.toml";

/// Settings of every room, and what to tell the owner about them.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What runs.
    pub app: app::Settings,
    /// How it logs.
    pub log: Log,
    /// The monitoring tables' schema, also without a store: for whoever prints its SQL.
    pub schema: Schema,
    /// What was understood but may not be what was meant.
    pub warnings: Vec<String>,
    /// The file that was read.
    pub file: Option<PathBuf>,
}

/// What the command line says.
#[derive(Clone, Default, Debug)]
pub struct Flags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// Keys and their values.
    pub keys: Vec<(&'static Key, String)>,
}

/// Reads file and environment, and puts the flags on top.
///
/// # Errors
/// Everything that is wrong, at once: each error names key, value, who gave it, and what to do.
pub fn load(flags: Flags, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Loaded, Errors> {
    // Variables that are not UTF-8 can't be ours: all names and values are ASCII or checked below.
    let environment: BTreeMap<String, String> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .collect();
    let path = config_file(flags.config, &environment);
    let mut layers = Layers::default();
    if let Some(path) = &path {
        let text = std::fs::read_to_string(path).map_err(|error| Errors::file(path, &error.to_string()))?;
        layers.file(file::parse(path, &text)?);
    }
    // Which file to read is no key of it.
    let keys = environment.iter().filter(|(name, _)| *name != CONFIG_VARIABLE);
    layers.environment(keys.map(|(name, value)| (name.as_str(), value.as_str())));
    layers.flags(flags.keys);
    let said = |name: &str| environment.get(name).cloned().filter(|value| !value.is_empty());
    let is_pod = environment.contains_key("KUBERNETES_SERVICE_HOST");
    let host = Host { name: host::name(), is_pod, service: said("OTEL_SERVICE_NAME") };
    let database = said(upstream::VARIABLE).filter(|url| upstream::is_url(url));
    let Finished { app, log, schema, warnings } = Reader::new(layers, host, database).finish()?;
    Ok(Loaded { app, log, schema, warnings, file: path })
}

/// The named file, which must exist, or the usual one if it does.
fn config_file(flag: Option<PathBuf>, environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let named = flag.or_else(|| environment.get(CONFIG_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from));
    named.or_else(|| Path::new(CONFIG_FILE).is_file().then(|| PathBuf::from(CONFIG_FILE)))
}
