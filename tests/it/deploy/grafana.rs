//! The dashboards: well-formed, and what they ask the store is answered with what their panels show.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use super::scene::Scene;
use super::{documents, files, read};
use crate::support::postgres::Cluster;
use crate::support::tool::Tool;

fn dashboards() -> Vec<(String, Value)> {
    let names = files("config/grafana", ".json");
    names.into_iter().map(|name| (name.clone(), serde_json::from_str(&read(&name)).unwrap())).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Grafana's own rules of a dashboard: ids once, nothing over one another, each variable there, no data source by name.
#[test]
fn each_dashboard_is_well_formed() {
    let dashboards = dashboards();
    assert_eq!(dashboards.len(), 2);
    for (file, dashboard) in &dashboards {
        let variables: BTreeSet<_> =
            list(&dashboard["templating"]["list"]).map(|it| it["name"].as_str().unwrap()).collect();
        let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for panel in list(&dashboard["panels"]) {
            let title = panel["title"].as_str().unwrap();
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{file}: {title}: its id is taken");
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
            assert!(x + w <= 24, "{file}: {title} is too wide");
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(taken.insert(cell), "{file}: {title} lies over another");
            }
            if panel["type"] == "row" {
                continue;
            }
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{file}: {title}");
            let ids: BTreeSet<_> = list(&panel["targets"]).map(|target| target["refId"].as_str().unwrap()).collect();
            assert_eq!(ids.len(), list(&panel["targets"]).count(), "{file}: {title}: a refId twice");
            for target in list(&panel["targets"]) {
                let text = target["expr"].as_str().or(target["rawSql"].as_str()).unwrap();
                for name in variables_of(text) {
                    assert!(variables.contains(name) || name.starts_with("__"), "{file}: {title}: ${name}");
                }
                // "No SQL in legends" (FIELD e)
                let legend = target["legendFormat"].as_str().unwrap_or_default();
                assert!(!legend.contains("query"), "{file}: {title}: {legend}");
            }
        }
    }
}

/// Names behind `$` and in `${…}`.
fn variables_of(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap()
    })
}

/// "Colours as the levels" (FIELD e): a level has one colour, in both dashboards.
#[test]
fn a_level_has_one_colour() {
    for level in ["warning", "alert", "critical"] {
        let mut colours = BTreeSet::new();
        for (_, dashboard) in dashboards() {
            let overrides = list(&dashboard["panels"]).flat_map(|panel| list(&panel["fieldConfig"]["overrides"]));
            let of_level =
                overrides.filter(|it| it["matcher"]["options"] == level).flat_map(|it| list(&it["properties"]));
            colours.extend(of_level.map(|property| property["value"]["fixedColor"].as_str().unwrap().to_owned()));
        }
        assert_eq!(colours.len(), 1, "{level}: {colours:?}");
    }
}

/// What Grafana's PostgreSQL data source makes of a question: a range of a day around now, steps of a minute.
fn expanded(sql: &str, chosen: &[(&str, &str)]) -> String {
    let (from, to) = ("now() - interval '12 hours'", "now() + interval '12 hours'");
    let mut text = sql.replace("'$__interval'", "'1m'").replace("$__interval", "60");
    text = text.replace("$__timeFrom()", &format!("({from})")).replace("$__timeTo()", &format!("({to})"));
    for (name, value) in chosen {
        text = text.replace(&format!("${{{name}:sqlstring}}"), value);
    }
    let mut done = String::new();
    while let Some((before, rest)) = text.split_once("$__") {
        let (name, rest) = rest.split_once('(').unwrap();
        let (argument, rest) = rest.split_once(')').unwrap();
        let written = match name {
            "timeFilter" => write!(done, "{before}{argument} between {from} and {to}"),
            "timeGroupAlias" => {
                let column = argument.split(',').next().unwrap();
                write!(done, "{before}floor(extract(epoch from {column}) / 60) * 60 as \"time\"")
            }
            _ => panic!("what does $__{name} mean?"),
        };
        written.unwrap();
        text = rest.to_owned();
    }
    let whole = done + &text;
    assert!(!whole.contains('$'), "{whole}");
    whole
}

/// Columns and rows of a question that the reading role asks.
#[track_caller]
fn asked(cluster: &Cluster, sql: &str) -> (Vec<String>, usize) {
    let psql = Tool::postgres("psql", cluster.major).against(&cluster.tcp, "monitoring");
    // Cells may hold line breaks: what counts rows is no part of them.
    let psql = psql.variable("PGUSER", "pgvitals_reader").args(&["-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
    let script = format!("{sql}\n\\gdesc\nselect 'rows', count(*) from ({sql}) asked;\n");
    let output = psql.input(&script).run();
    assert_eq!(output.code, Some(0), "{sql}\n{}", output.stderr);
    let lines: Vec<_> = output.stdout.lines().filter_map(|line| line.split_once('|')).collect();
    let (last, columns) = lines.split_last().unwrap();
    (columns.iter().map(|(name, _)| (*name).to_owned()).collect(), last.1.parse().unwrap())
}

/// "A Grafana dashboard (JSON) for … the SQL views" (issue 7): each question runs as `pgvitals_reader`, has the columns that
/// its panel is made for, and rows where something happened.
#[test]
fn each_question_to_the_store_is_answered() {
    let scene = Scene::play();
    crate::store::writing::end(&scene.pgvitals);
    let all = ["server", "service", "database", "query_hash"].map(|name| (name, "null"));
    let mut hash = scene.cluster.client("monitoring");
    let hash = hash.value("select query_hash from pgvitals.queries where query like 'select pg_sleep%'");
    let hash = format!("'{hash}'");
    let (host, port) = scene.cluster.tcp.host_and_port();
    let server = format!("'{host}:{port}'");
    let one = [("server", &*server), ("service", "'orders'"), ("database", "'orders'"), ("query_hash", &hash)];

    let (_, dashboard) = dashboards().into_iter().find(|(file, _)| file.ends_with("-sql.json")).unwrap();
    let mut questions = 0;
    for panel in list(&dashboard["panels"]) {
        for target in list(&panel["targets"]) {
            let title = panel["title"].as_str().unwrap();
            let sql = target["rawSql"].as_str().unwrap();
            let (columns, rows) = asked(scene.cluster, &expanded(sql, &all));
            assert!(rows > 0, "{title} is empty");
            asked(scene.cluster, &expanded(sql, &one));
            if target["format"] == "time_series" {
                assert_eq!(columns[0], "time", "{title}");
            }
            let named = list(&panel["fieldConfig"]["overrides"]).filter(|it| it["matcher"]["id"] == "byName");
            for name in named.map(|it| it["matcher"]["options"].as_str().unwrap()) {
                // A level's colour stands for a value, where no column has its name.
                assert!(
                    columns.iter().any(|column| column == name) || name == "good",
                    "{title}: no {name} in {columns:?}"
                );
            }
            questions += 1;
        }
    }
    let annotations = list(&dashboard["annotations"]["list"]).filter_map(|it| it["target"]["rawSql"].as_str());
    for sql in annotations {
        let (columns, rows) = asked(scene.cluster, &expanded(sql, &all));
        assert!(rows > 0 && columns[0] == "time" && columns.contains(&"text".to_owned()), "{columns:?}");
    }
    for sql in list(&dashboard["templating"]["list"]).filter_map(|variable| variable["query"].as_str()) {
        if sql.starts_with("select") {
            assert!(asked(scene.cluster, sql).1 > 0, "{sql}");
        }
    }
    assert!(questions > 20, "{questions}");
}

/// Data sources that Compose gives Grafana are of the kinds that the dashboards ask for, and read as who may only read.
#[test]
fn the_provisioned_sources_fit() {
    let sources = documents("plain", &["docker/compose/grafana/datasources.yaml"]).remove(0);
    let kinds: BTreeSet<_> = list(&sources["datasources"]).map(|source| source["type"].as_str().unwrap()).collect();
    let dashboards = dashboards();
    let wanted: BTreeSet<_> = dashboards
        .iter()
        .flat_map(|(_, dashboard)| list(&dashboard["templating"]["list"]))
        .filter(|variable| variable["type"] == "datasource")
        .map(|variable| variable["query"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, wanted);
    let store = list(&sources["datasources"]).find(|source| source["name"] == "pgvitals").unwrap();
    assert_eq!((&store["user"], &store["jsonData"]["database"]), (&"pgvitals_reader".into(), &"monitoring".into()));
}
