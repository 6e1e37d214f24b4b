//! Manifests: what Kubernetes takes, what the field notes want of a sidecar, and that its settings run.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::compose::{initialised, store_url};
use super::{documents, files, manifests, named, parsed, path, read};
use crate::support::client::Client;
use crate::support::http;
use crate::support::keeper::Keeper;
use crate::support::postgres::{ADVICE, Cluster};

const SIDECAR: &str = "docker/k8s/sidecar.yaml";
const SERVE: &str = "docker/k8s/serve.yaml";

/// What `kubectl apply -f docker/k8s/` sends.
fn applied() -> Vec<Value> {
    let names = files("docker/k8s", ".yaml");
    documents("kubernetes", &names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The one document of this kind and name.
#[track_caller]
fn find<'a>(documents: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let mut found = documents.iter().filter(|found| found["kind"] == kind && found["metadata"]["name"] == name);
    let only = found.next().unwrap_or_else(|| panic!("no {kind} {name}"));
    assert!(found.next().is_none(), "{kind} {name} twice");
    only
}

/// What Kustomize makes of a folder, valid.
#[track_caller]
fn built(folder: &Path) -> Vec<Value> {
    let rendered = kubectl().arg("kustomize").arg(folder).output().unwrap();
    assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
    parsed(manifests("kubernetes").arg("-").input(&String::from_utf8_lossy(&rendered.stdout)))
}

fn kubectl() -> Command {
    let program = path(".cache/clients/kubectl");
    assert!(program.is_file(), "{} is missing: {ADVICE}", program.display());
    Command::new(program)
}

/// "`kubectl apply -f docker/k8s/` puts pgvitals beside an application." (issue 7): what it needs is there, under the
/// names that it is called by.
#[test]
fn the_folder_holds_all_that_it_refers_to() {
    let documents = applied();
    let pods = documents.iter().filter(|document| !document["spec"]["template"].is_null());
    for workload in pods {
        let pod = &workload["spec"]["template"]["spec"];
        let name = &workload["metadata"]["name"];
        assert_eq!(workload["spec"]["selector"]["matchLabels"], workload["spec"]["template"]["metadata"]["labels"]);
        let containers = ["initContainers", "containers"].iter().flat_map(|list| pod[*list].as_array()).flatten();
        for container in containers {
            for variable in container["env"].as_array().into_iter().flatten() {
                let wanted = &variable["valueFrom"]["secretKeyRef"];
                if let Some(secret) = wanted["name"].as_str() {
                    let key = wanted["key"].as_str().unwrap();
                    let held = &find(&documents, "Secret", secret)["stringData"][key];
                    assert!(held.is_string(), "{name}: no {key} in {secret}");
                }
            }
            for mount in container["volumeMounts"].as_array().into_iter().flatten() {
                named(&pod["volumes"], mount["name"].as_str().unwrap());
            }
        }
        for volume in pod["volumes"].as_array().into_iter().flatten() {
            for (kind, name) in
                [("Secret", &volume["secret"]["secretName"]), ("ConfigMap", &volume["configMap"]["name"])]
            {
                if let Some(name) = name.as_str() {
                    find(&documents, kind, name);
                }
            }
        }
    }
    for service in documents.iter().filter(|document| document["kind"] == "Service") {
        let backs = |workload: &&Value| workload["spec"]["selector"]["matchLabels"] == service["spec"]["selector"];
        let workload = documents.iter().find(backs).unwrap_or_else(|| panic!("nothing behind {service:#}"));
        let ports = &workload["spec"]["template"]["spec"]["containers"][0]["ports"];
        named(ports, service["spec"]["ports"][0]["targetPort"].as_str().unwrap());
    }
}

/// FIELD (d), *Native sidecar*, and DESIGN: restricted, with memory for what it may take and no limit of CPU.
#[track_caller]
fn is_a_native_sidecar(pod: &Value) {
    let sidecar = &pod["initContainers"][0];
    assert_eq!((&sidecar["name"], &sidecar["restartPolicy"]), (&json!("pgvitals"), &json!("Always")), "first of all");
    assert_eq!(sidecar["startupProbe"]["httpGet"]["path"], "/healthz", "not the database: the pod would hang in Init");
    for absent in ["readinessProbe", "livenessProbe", "lifecycle"] {
        assert!(sidecar[absent].is_null(), "{absent}");
    }
    assert_eq!(
        sidecar["resources"],
        json!({ "requests": { "cpu": "50m", "memory": "64Mi" }, "limits": { "memory": "192Mi" } })
    );
    is_restricted(sidecar);
    // "Keep accepting while clients live, till grace - 5 s"
    let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap_or(30);
    let drain = read("docs/config.md").lines().find_map(|line| {
        let (_, rest) = line.split_once("| `drain_timeout` | `")?;
        rest.split("s`").next()?.parse::<u64>().ok()
    });
    assert!(Some(grace) >= drain.map(|drain| drain + 5), "{grace} s");
}

/// What the Pod Security Standard "restricted" demands of a container, and a file system that nobody writes to.
#[track_caller]
fn is_restricted(container: &Value) {
    let context = json!({
        "runAsNonRoot": true, "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false,
        "capabilities": { "drop": ["ALL"] }, "seccompProfile": { "type": "RuntimeDefault" },
    });
    assert_eq!(container["securityContext"], context);
    assert_eq!(container["image"], format!("pgvitals:{}", env!("CARGO_PKG_VERSION")));
}

/// "First in `initContainers`, `restartPolicy: Always` … `startupProbe`: `/healthz`, not the database … no probe by default
/// … `preStop` … use none … Requests 50m/64Mi, memory limit 192Mi, no CPU limit" (FIELD d)
#[test]
fn a_sidecar_is_a_native_one() {
    let documents = applied();
    is_a_native_sidecar(&find(&documents, "Deployment", "orders")["spec"]["template"]["spec"]);
    is_restricted(&find(&documents, "Deployment", "pgvitals")["spec"]["template"]["spec"]["containers"][0]);
}

/// Kustomize adds the same to an application that does not have it.
#[test]
fn the_component_makes_the_same_sidecar() {
    let documents = built(&path("docker/kustomize/example"));
    let made = find(&documents, "Deployment", "orders");
    let pod = &made["spec"]["template"]["spec"];
    is_a_native_sidecar(pod);
    assert_eq!(pod["initContainers"][1]["name"], "migrate", "the application's own comes behind it");
    assert_eq!(made["spec"]["replicas"], 2, "the rest is as it was");

    let manifest = documents_of(SIDECAR);
    let written = &manifest[0]["spec"]["template"];
    let annotations = &made["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(annotations, &written["metadata"]["annotations"]);
    let plain = |container: &Value| {
        let mut container = container.clone();
        container.as_object_mut().unwrap().retain(|key, _| !["env", "envFrom", "volumeMounts"].contains(&key.as_str()));
        container
    };
    assert_eq!(plain(&pod["initContainers"][0]), plain(&written["spec"]["initContainers"][0]));

    // The generated names reach the pod, and the socket is where both sides look for it.
    let source = pod["initContainers"][0]["envFrom"][0]["configMapRef"]["name"].as_str().unwrap();
    assert_eq!(find(&documents, "ConfigMap", source)["data"]["PGVITALS_UPSTREAM"], "orders-db:5432");
    let secret = named(&pod["volumes"], "pgvitals")["secret"]["secretName"].as_str().unwrap();
    assert!(find(&documents, "Secret", secret)["data"]["http_token"].is_string());
    let listen = named(&pod["initContainers"][0]["env"], "PGVITALS_LISTEN")["value"].as_str().unwrap();
    for container in [&pod["initContainers"][0], &pod["initContainers"][1], &pod["containers"][0]] {
        let mount = named(&container["volumeMounts"], "pgvitals-socket")["mountPath"].as_str().unwrap();
        assert!(Path::new(listen).starts_with(mount), "{listen} {mount}");
    }
}

fn documents_of(file: &str) -> Vec<Value> {
    documents("kubernetes", &[file])
}

/// A pgvitals with a container's environment, its arguments, and the Secret's keys as files where they are mounted.
fn started(container: &Value, secret: &Value, replaced: &[(&str, String)]) -> Keeper {
    let dir = tempfile::Builder::new().prefix("pgvitals-test-").tempdir().unwrap();
    let mounted = named(&container["volumeMounts"], "pgvitals")["mountPath"].as_str().unwrap();
    for (key, value) in secret["stringData"].as_object().unwrap() {
        let value = replaced.iter().find(|(name, _)| name == key).map_or(value.as_str().unwrap(), |(_, value)| value);
        std::fs::write(dir.path().join(key), value).unwrap();
    }
    let mut command = vec!["env".to_owned(), "-i".to_owned()];
    for variable in container["env"].as_array().unwrap() {
        let (name, value) = (variable["name"].as_str().unwrap(), variable["value"].as_str().unwrap());
        let value = replaced.iter().find(|(other, _)| *other == name).map_or(value, |(_, value)| value);
        command.push(format!("{name}={}", value.replace(mounted, &dir.path().to_string_lossy())));
    }
    let extra = replaced.iter().filter(|(name, _)| *name == "PGVITALS_LISTEN");
    command.extend(extra.map(|(name, value)| format!("{name}={value}")));
    command.push(env!("CARGO_BIN_EXE_pgvitals").to_owned());
    command.extend(
        container["args"].as_array().into_iter().flatten().map(|argument| argument.as_str().unwrap().to_owned()),
    );
    Keeper::start(dir, "KILL", None, &command)
}

/// The address behind these words of the log.
fn told(keeper: &Keeper, words: &str) -> std::net::SocketAddr {
    keeper.log.await_line(words, |line| line.split_once(words)?.1.split(' ').next()?.parse().ok())
}

/// The manifest's settings start a pgvitals that answers its probe, forwards, and keeps its API to who has the token.
#[test]
fn the_settings_of_the_manifest_run() {
    let cluster = Cluster::any();
    let documents = applied();
    let pod = &find(&documents, "Deployment", "orders")["spec"]["template"]["spec"];
    let (container, secret) = (&pod["initContainers"][0], find(&documents, "Secret", "pgvitals"));
    let (host, port) = cluster.tcp.host_and_port();
    let replaced = [
        ("PGVITALS_UPSTREAM", format!("{host}:{port}")),
        ("PGVITALS_LISTEN", "127.0.0.1:0".to_owned()),
        ("PGVITALS_HTTP", "0.0.0.0:0".to_owned()),
        // Nobody there: the application does not wait for the store.
        ("store_url", "postgres://pgvitals@127.0.0.1:1/monitoring".to_owned()),
    ];
    let pgvitals = started(container, secret, &replaced);
    let http = (std::net::Ipv4Addr::LOCALHOST, told(&pgvitals, " http address=").port()).into();
    let probe = container["startupProbe"]["httpGet"]["path"].as_str().unwrap();
    assert_eq!(http::get(http, probe).status, 200);
    assert_eq!(http::get(http, "/metrics").status, 200);
    assert_eq!(http::get(http, "/api/performance?metric=summary").status, 401);
    let token = format!("Bearer {}", secret["stringData"]["http_token"].as_str().unwrap());
    let answer = http::request(http, "GET", "/api/performance?metric=summary", &[("authorization", &token)]);
    assert_eq!(answer.status, 200, "{answer:?}");
    let listen = crate::support::address::Address::Tcp(told(&pgvitals, " listening address="));
    assert_eq!(Client::connect(&listen, "postgres").value("select 42"), "42");
    assert!(!pgvitals.log.text().contains(" WARN the HTTP side"), "{}", pgvitals.log.text());
}

/// So does what the fleet's manifest says start a `pgvitals serve` on a store, whose answers want the token.
#[test]
fn the_settings_of_the_fleets_place_run() {
    let documents = applied();
    let container = &find(&documents, "Deployment", "pgvitals")["spec"]["template"]["spec"]["containers"][0];
    let secret = find(&documents, "Secret", "pgvitals");
    let store = store_url(initialised());
    let replaced = [("PGVITALS_HTTP", "0.0.0.0:0".to_owned()), ("store_url", store)];
    let serve = started(container, secret, &replaced);
    let http = (std::net::Ipv4Addr::LOCALHOST, told(&serve, " http address=").port()).into();
    for probe in ["readinessProbe", "livenessProbe"] {
        assert_eq!(http::get(http, container[probe]["httpGet"]["path"].as_str().unwrap()).status, 200);
    }
    assert_eq!(http::get(http, "/api/performance?metric=fleet").status, 401);
    let token = format!("Bearer {}", secret["stringData"]["http_token"].as_str().unwrap());
    let answer = http::request(http, "GET", "/api/performance?metric=fleet", &[("authorization", &token)]);
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Each variable that a manifest gives pgvitals is a setting's.
#[test]
fn each_variable_is_a_setting() {
    let known = read("docs/config.md");
    let mut seen = 0;
    let kustomized = built(&path("docker/kustomize/example"));
    let settings = kustomized.iter().filter(|document| document["kind"] == "ConfigMap");
    let literals = settings.flat_map(|map| map["data"].as_object().unwrap().keys().cloned());
    let documents: Vec<_> = applied().into_iter().chain(kustomized.clone()).collect();
    let pods = documents.iter().map(|document| &document["spec"]["template"]["spec"]);
    let containers = pods.flat_map(|pod| ["initContainers", "containers"].map(|list| pod[list].as_array())).flatten();
    let ours = containers.flatten().filter(|container| container["name"] == "pgvitals");
    let names = ours.flat_map(|container| container["env"].as_array().unwrap());
    for name in names.map(|variable| variable["name"].as_str().unwrap().to_owned()).chain(literals) {
        assert!(known.contains(&format!("`{name}`")), "{name} is no setting");
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}

/// "ServiceMonitor/PodMonitor … must not break plain apply": kinds that not every cluster knows are in a folder of their own.
#[test]
fn kinds_of_operators_are_not_applied() {
    let groups: Vec<_> = applied().iter().map(|document| document["apiVersion"].as_str().unwrap().to_owned()).collect();
    assert!(groups.iter().all(|group| ["v1", "apps/v1"].contains(&group.as_str())), "{groups:?}");
    let monitors = documents("kubernetes", &["docker/k8s/operator/podmonitor.yaml"]);
    let port = &monitors[0]["spec"]["podMetricsEndpoints"][0]["port"];
    for file in [SIDECAR, SERVE] {
        assert!(read(file).contains(&format!("name: {}, containerPort: 7480", port.as_str().unwrap())), "{file}");
    }
}
