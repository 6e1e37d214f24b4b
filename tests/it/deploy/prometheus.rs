//! A real Prometheus that scrapes a real pgvitals: rules and the dashboard's questions are asked of what it holds.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::scene::Scene;
use super::{documents, path, read};
use crate::support::http;
use crate::support::keeper::Keeper;
use crate::support::postgres::{ADVICE, free_port};
use crate::support::tool::Tool;

const RULES: &str = "config/prometheus/rules.yaml";
const DASHBOARD: &str = "config/grafana/pgvitals-metrics.json";

/// A running Prometheus. It scrapes and judges each second.
struct Prometheus {
    http: SocketAddr,
    _keeper: Keeper,
}

impl Prometheus {
    fn scraping(target: SocketAddr) -> Self {
        let dir = tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
        let config = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: ['{}']\nscrape_configs:\n  \
             - job_name: orders\n    static_configs: [{{ targets: ['127.0.0.1:{}'] }}]\n",
            path(RULES).display(),
            target.port()
        );
        let file = dir.path().join("prometheus.yaml");
        std::fs::write(&file, config).unwrap();
        let http = (Ipv4Addr::LOCALHOST, free_port()).into();
        let command = [
            program("prometheus"),
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", dir.path().join("data").display()),
            format!("--web.listen-address={http}"),
        ];
        let keeper = Keeper::start(dir, "KILL", None, &command);
        keeper
            .log
            .await_line("readiness", |line| line.contains("Server is ready to receive web requests").then_some(()));
        Self { http, _keeper: keeper }
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        let answer = http::get(self.http, path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()["data"].take()
    }

    /// What an expression comes to now.
    #[track_caller]
    fn ask(&self, expression: &str) -> Vec<Value> {
        let encoded = utf8_percent_encode(expression, NON_ALPHANUMERIC);
        self.get(&format!("/api/v1/query?query={encoded}"))["result"].as_array().unwrap().clone()
    }
}

fn program(name: &str) -> String {
    let program = std::path::Path::new("/usr/bin").join(name);
    assert!(program.is_file(), "{} is missing: {ADVICE}", program.display());
    program.display().to_string()
}

/// Questions of the dashboard, its annotations and variables included, as Grafana would ask them.
fn questions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let targets =
        dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array()).flatten();
    let of_targets = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
    let annotations = dashboard["annotations"]["list"].as_array().unwrap();
    let of_annotations = annotations.iter().filter_map(|annotation| Some(annotation["expr"].as_str()?.to_owned()));
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let of_variables = variables.iter().filter_map(|variable| {
        let (selector, label) =
            variable["query"]["query"].as_str()?.strip_prefix("label_values(")?.strip_suffix(')')?.rsplit_once(", ")?;
        Some(format!("count by ({label}) ({{{label}!=\"\"}} and {selector})"))
    });
    let all = of_targets.chain(of_annotations).chain(of_variables);
    let names = ["job", "instance", "database", "server"];
    let chosen = |text: String| names.iter().fold(text, |text, name| text.replace(&format!("${name}\""), ".*\""));
    all.map(|text| chosen(text).replace("$__rate_interval", "20s")).collect()
}

/// Names of metrics in an expression that are no rule's.
fn metrics(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    words.filter(|word| (word.starts_with("pgvitals_") || word.starts_with("process_")) && !word.contains(':'))
}

/// Expressions of the rules.
fn rules() -> Vec<String> {
    let document = documents("plain", &[RULES]).remove(0);
    let groups = document["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    rules.map(|rule| rule["expr"].as_str().unwrap().to_owned()).collect()
}

/// Prometheus rules (issue 7) are what Prometheus takes, and ring when they should.
#[test]
fn the_rules_pass_promtool() {
    for arguments in [["check", "rules", RULES], ["test", "rules", "config/prometheus/rules_test.yaml"]] {
        let output = Tool::new(program("promtool").as_ref())
            .args(&arguments[..2])
            .arg(&path(arguments[2]).to_string_lossy())
            .run();
        assert_eq!(output.code, Some(0), "{}\n{}", output.stdout, output.stderr);
    }
}

/// "A Grafana dashboard (JSON) for … the metrics" (issue 7): each question of it, and each rule, is answered by a real
/// Prometheus, with figures where something happened.
#[test]
fn rules_and_dashboard_ask_for_what_pgvitals_tells() {
    let scene = Scene::play();
    let prometheus = Prometheus::scraping(scene.pgvitals.http);
    let scraped = "count_over_time(pgvitals_build_info[1m]) >= 3 and on () job:pgvitals_data_statements:rate5m";
    scene.pgvitals.await_merge("three scrapes", |_| (!prometheus.ask(scraped).is_empty()).then_some(()));

    let text = scene.pgvitals.get("/metrics").body;
    let checked = Tool::new(program("promtool").as_ref()).args(&["check", "metrics"]).input(&text).run();
    assert_eq!((checked.code, checked.stderr), (Some(0), String::new()), "names and units as Prometheus wants them");
    let told: BTreeSet<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let (questions, rules) = (questions(), rules());
    for expression in questions.iter().chain(&rules) {
        for name in metrics(expression) {
            let family = ["_bucket", "_count", "_sum", "_total", "_info"].iter().find_map(|end| name.strip_suffix(end));
            assert!(
                told.contains(name) || family.is_some_and(|family| told.contains(family)),
                "{name} in {expression}"
            );
        }
    }
    // What is nothing in good health says so by its comparison.
    let silent: Vec<_> = questions.iter().filter(|question| prometheus.ask(question).is_empty()).collect();
    assert!(silent.iter().all(|question| question.contains("> 0")), "{silent:#?}");
    assert!(questions.len() > 50, "{}", questions.len());

    // What happened is in the figures: one division by zero, a sequence at 900 of 1 to 1000.
    let one = |expression: &str| prometheus.ask(expression)[0]["value"][1].as_str().unwrap().to_owned();
    assert_eq!(one("sum(pgvitals_statement_errors_total{sqlstate=\"22012\"})"), "1");
    assert_eq!(one("round(max(pgvitals_sequence_used_ratio_max), 0.001)"), "0.9");

    let groups = prometheus.get("/api/v1/rules")["groups"].take();
    let judged: Vec<_> =
        groups.as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert_eq!(judged.len(), rules.len());
    for rule in judged {
        assert_eq!((&rule["health"], &rule["lastError"]), (&"ok".into(), &Value::Null), "{rule:#}");
    }
}
