//! `metric=fleet`: who measures, how far each has come, and what is measured.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::ask::Ask;
use super::choices::Metric;
use super::params::Params;
use super::shape::{cores, rfc3339, tenths};
use crate::base::units::Nanos;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::store::cost::Cost;
use crate::store::read::fleet::{Fleet, Member, Recent, Server};

/// Silent for so long is late.
const LATE: Nanos = Nanos::from_millis(2 * 60_000);
/// And so long is gone, unless it said that it is idle.
const GONE: Nanos = Nanos::from_millis(5 * 60_000);

/// Who measures; without a store this process alone.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FleetBody {
    /// Of those that live and say what they cost.
    cost: CostSum,
    services: Vec<ServiceRow>,
    /// The servers; `servers` is what the answer begins with.
    monitored: Vec<ServerRow>,
    /// All that wrote in the last day, those that live first; `instances` is what the answer begins with.
    pub(in crate::http) members: Vec<MemberRow>,
}

/// What all of pgvitals costs.
#[derive(Serialize, ToSchema, Default)]
struct CostSum {
    /// How many these are.
    instances: usize,
    /// Their CPU time over their statements; null without any.
    cpu_us_per_query: Option<f64>,
    /// Processor cores that they use together; null where nobody says.
    cpu_cores: Option<f64>,
    /// Memory that is resident; likewise.
    resident_bytes: Option<u64>,
    /// Statements that they counted since each one's start.
    calls: u64,
    /// Samples that they lost since then.
    dropped: u64,
}

/// An application.
#[derive(Serialize, ToSchema, Default)]
struct ServiceRow {
    service: String,
    /// Those that live.
    instances: usize,
    versions: BTreeSet<String>,
    servers: BTreeSet<String>,
    /// Of all of them in the last hour.
    rows_per_hour: u64,
}

/// A monitored server.
#[derive(Serialize, ToSchema)]
struct ServerRow {
    server: String,
    /// Those that live and saw statements of it in the last minutes.
    instances: usize,
    /// When somebody looked into it last; null: nobody did.
    #[schema(format = DateTime)]
    looked_at: Option<String>,
    /// It was made up (pgvitals demo); its alerts are told of where it is asked for by name.
    demo: bool,
}

/// One process's life.
#[derive(Serialize, ToSchema, Default)]
pub(in crate::http) struct MemberRow {
    instance: String,
    service: String,
    version: String,
    #[schema(format = DateTime)]
    started_at: String,
    /// writes, idle, late, silent; memory: it has no store.
    state: &'static str,
    /// All minutes before are in the tables; null before the first.
    #[schema(format = DateTime)]
    written_to: Option<String>,
    /// Since its last batch; null without a store.
    silent_s: Option<f64>,
    /// Rows that it wrote in the last hour.
    rows_per_hour: Option<u64>,
    /// Of which it wrote statements in its last five minutes.
    servers: Vec<String>,
    /// CPU time of the process over its statements, since its start; null, as all of its cost: it doesn't tell.
    cpu_us_per_query: Option<f64>,
    /// Processor cores that it used on average in the hour up to its last batch.
    cpu_cores: Option<f64>,
    /// At its last batch.
    resident_bytes: Option<u64>,
    /// Likewise.
    series: Option<u64>,
    /// Statements that it counted since its start.
    calls: Option<u64>,
    /// Samples that it lost since then.
    dropped: Option<u64>,
    #[serde(skip)]
    cost: Option<Cost>,
}

/// The store's part of the answer; `None` for other metrics, and without a store.
///
/// # Errors
/// A store that doesn't answer.
pub(in crate::http) async fn fetch(app: &App, params: &Params) -> Result<Option<Fleet>, Problem> {
    // The view goes before the store is waited for.
    let metric = Ask::new(app, &app.view(), params, None)?.metric;
    let Some(store) = app.sources.store.as_ref().filter(|_| metric == Metric::Fleet) else { return Ok(None) };
    Ok(Some(store.reader.fleet().await?))
}

/// The answer.
pub(in crate::http) fn fleet(ask: &Ask<'_>, known: Option<&Fleet>) -> Result<FleetBody, Problem> {
    let limit = ask.limit(50)?;
    let (mut members, mut servers): (Vec<MemberRow>, Vec<Server>) = match known {
        Some(fleet) => (fleet.members.iter().map(MemberRow::of).collect(), fleet.servers.clone()),
        None => (vec![MemberRow::alone(ask)], Vec::new()),
    };
    for name in &ask.app.settings.servers {
        if !servers.iter().any(|known| known.name == *name) {
            servers.push(Server { name: name.clone(), ..Server::default() });
        }
    }
    if let Some(wanted) = ask.params.get("service") {
        members.retain(|row| row.service == wanted);
    }
    if let Some(wanted) = &ask.filter.server {
        members.retain(|row| row.servers.contains(wanted));
        servers.retain(|server| server.name == *wanted);
    }
    members.sort_by_key(|row| !row.lives());
    let measures = |name: &String| members.iter().filter(|row| row.lives() && row.servers.contains(name)).count();
    let row = |server: Server| ServerRow {
        instances: measures(&server.name),
        looked_at: server.looked_at.map(rfc3339),
        demo: server.is_demo,
        server: server.name,
    };
    let monitored = servers.into_iter().map(row).collect();
    let (services, cost) = (services(&members), CostSum::of(&members));
    members.truncate(limit);
    Ok(FleetBody { cost, services, monitored, members })
}

fn services(members: &[MemberRow]) -> Vec<ServiceRow> {
    let mut services: BTreeMap<&str, ServiceRow> = BTreeMap::new();
    for one in members {
        let row = services.entry(&one.service).or_default();
        row.service.clone_from(&one.service);
        row.rows_per_hour += one.rows_per_hour.unwrap_or_default();
        if one.lives() {
            row.instances += 1;
            row.versions.insert(one.version.clone());
            row.servers.extend(one.servers.iter().cloned());
        }
    }
    services.into_values().collect()
}

impl CostSum {
    fn of(members: &[MemberRow]) -> Self {
        let living = || members.iter().filter(|row| row.lives());
        let told = || living().filter_map(|row| row.cost);
        let known = |values: &mut dyn Iterator<Item = u64>| values.reduce(u64::saturating_add);
        // A statement counts where its CPU time does.
        let of_cpu = told().filter(|cost| cost.cpu.is_some());
        let together =
            of_cpu.reduce(|a, b| Cost { cpu: a.cpu.zip(b.cpu).map(|(a, b)| a + b), calls: a.calls + b.calls, ..a });
        Self {
            instances: told().count(),
            cpu_us_per_query: together.and_then(|cost| cost.us_per_call()).map(tenths),
            cpu_cores: living().filter_map(|row| row.cpu_cores).reduce(|a, b| a + b).map(cores),
            resident_bytes: known(&mut living().filter_map(|row| row.resident_bytes)),
            calls: told().map(|cost| cost.calls).sum(),
            dropped: told().map(|cost| cost.dropped).sum(),
        }
    }
}

impl MemberRow {
    fn of(member: &Member) -> Self {
        let in_recent = |recent: Recent| Cost { cpu: Some(recent.cpu), ..Cost::default() }.cores(recent.time);
        Self {
            instance: member.instance.clone(),
            service: member.service.clone(),
            version: member.version.clone(),
            started_at: rfc3339(member.started_at),
            state: match member.silent {
                _ if member.is_idle => "idle",
                silent if silent > GONE => "silent",
                silent if silent > LATE => "late",
                _ => "writes",
            },
            written_to: member.written_to.map(rfc3339),
            silent_s: Some(tenths(member.silent.as_secs_f64())),
            rows_per_hour: Some(member.rows),
            servers: member.servers.clone(),
            cpu_cores: member.recent.and_then(in_recent).map(cores),
            ..Self::costing(member.cost)
        }
    }

    /// The part of it that says what it costs.
    fn costing(cost: Option<Cost>) -> Self {
        Self {
            cpu_us_per_query: cost.and_then(|cost| cost.us_per_call()).map(tenths),
            resident_bytes: cost.and_then(|cost| cost.resident_bytes),
            series: cost.map(|cost| cost.series),
            calls: cost.map(|cost| cost.calls),
            dropped: cost.map(|cost| cost.dropped),
            cost,
            ..Self::default()
        }
    }

    /// This process, which has no store.
    fn alone(ask: &Ask<'_>) -> Self {
        let settings = &ask.app.settings;
        let cost = Cost::of(ask.view, &ask.app.sources.telemetry);
        Self {
            instance: settings.instance.clone(),
            service: settings.service.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: rfc3339(ask.view.started()),
            state: "memory",
            servers: settings.servers.clone(),
            cpu_cores: cost.cores(ask.view.at().since(ask.view.started())).map(cores),
            ..Self::costing(Some(cost))
        }
    }

    fn lives(&self) -> bool {
        self.state != "silent"
    }
}
