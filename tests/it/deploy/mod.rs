//! What is put beside applications: [`image`], [`kubernetes`], [`compose`], and what looks at it from outside,
//! [`prometheus`] and [`grafana`]. "What a test can't run is at least validated against schemas." (issue 7)

mod compose;
mod grafana;
mod image;
mod kubernetes;
mod prometheus;
mod scene;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::postgres::clients;
use crate::support::tool::Tool;

/// A file of this repository.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Documents of these files, which must be valid by the schemas of `kind`: `kubernetes`, `compose`, or `plain` for none.
#[track_caller]
fn documents(kind: &str, files: &[&str]) -> Vec<Value> {
    let files: Vec<_> = files.iter().map(|name| path(name).display().to_string()).collect();
    parsed(manifests(kind).args(&files.iter().map(String::as_str).collect::<Vec<_>>()))
}

fn manifests(kind: &str) -> Tool {
    let modules = clients().join("node_modules");
    Tool::python("manifests.py").arg(kind).variable("PGVITALS_NODE_MODULES", &modules.to_string_lossy())
}

#[track_caller]
fn parsed(tool: Tool) -> Vec<Value> {
    serde_json::from_str(&tool.succeed().stdout).unwrap()
}

/// A member of a list by its name.
#[track_caller]
fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let found = list.as_array().into_iter().flatten().find(|member| member["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list:#}"))
}

/// Files below a folder whose names end so, in order.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(path(folder)).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| name.ends_with(ending));
    names.sort();
    names.iter().map(|name| format!("{folder}/{name}")).collect()
}
