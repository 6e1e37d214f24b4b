//! What a look at the shop's server shows at each time of the month. Pure.

use super::course::Course;
use super::objects::{DATABASES, IndexSpec, Role, TABLES, TableSpec};
use crate::base::units::{Nanos, WallTime};
use crate::snapshot::activity::{Calls, SessionsBy};
use crate::snapshot::database::{Database, DatabaseFigures};
use crate::snapshot::holder::Slot;
use crate::snapshot::index::{Index, IndexColumn, IndexDefinition, IndexFigures, IndexNames};
use crate::snapshot::relation::{Bloat, Key, Method, Oid, Withheld};
use crate::snapshot::sequence::{Sequence, SequenceColumn};
use crate::snapshot::server::{Connections, Server, Setting};
use crate::snapshot::set::Set;
use crate::snapshot::table::{Table, TableDefinition, TableFigures, TableNames};

/// Numbers of databases and tables begin here; a table's indexes follow it.
const DATABASE_OID: u32 = 16_384;
const TABLE_OID: u32 = 16_400;
const TABLE_STEP: u32 = 10;
const EVENTS_SEQUENCE_OID: u32 = 16_900;
/// The key of `events` is an `integer`.
const INTEGER_MAX: i64 = 2_147_483_647;
/// What the sequence has handed out at the end of the month.
const EVENTS_USED: f64 = 1_742_000_000.0;
/// Of a new server.
const EMPTY_DATABASE_BYTES: u64 = 9 << 20;
/// Ids since the last freeze: they grow by so many a day, and are frozen at the setting's usual value.
const IDS_PER_DAY: f64 = 1_900_000.0;
const FREEZE_AGE: f64 = 200_000_000.0;
/// WAL that the idle slot holds back an hour.
const WAL_PER_HOUR: f64 = 420.0 * 1_048_576.0;

impl Course {
    /// One round. `calls` are those that the server has counted.
    pub(super) fn round(&self, at: WallTime, calls: Calls) -> Set {
        let whole: Vec<(usize, &TableSpec)> = TABLES.iter().enumerate().collect();
        let tables: Vec<Table> = whole.iter().map(|(place, spec)| self.table(*place, spec, at)).collect();
        let indexes = whole.iter().flat_map(|(place, spec)| {
            let specs = spec.indexes.iter().enumerate();
            specs.filter_map(move |(order, index)| self.index(*place, spec, order, index, at))
        });
        let databases = DATABASES.iter().enumerate().map(|(place, name)| {
            let inside = tables.iter().filter(|table| table.names.database == *name);
            let bytes: u64 = inside.map(|table| table.figures.size_bytes()).sum();
            self.database(place, name, bytes, at)
        });
        Set {
            at,
            server: self.server(at, calls),
            databases: databases.collect(),
            indexes: indexes.collect(),
            tables,
            ..Set::default()
        }
    }

    /// Days from a time to the end.
    fn left(&self, at: WallTime) -> f64 {
        self.to.since(at).as_secs_f64() / 86_400.0
    }

    fn rows(&self, spec: &TableSpec, at: WallTime) -> f64 {
        spec.rows - spec.rows_per_day * self.left(at)
    }

    /// From 0 at the begin to 1 at the end.
    fn progress(&self, at: WallTime) -> f64 {
        self.days(at) / self.days(self.to).max(1.0)
    }

    fn table(&self, place: usize, spec: &TableSpec, at: WallTime) -> Table {
        let (days, rows) = (self.days(at), self.rows(spec, at));
        let more = spec.wasted.0 + (spec.wasted.1 - spec.wasted.0) * self.progress(at);
        let wasted = more + usual_waste(spec, place as u32);
        let heap = rows * spec.row_bytes / (1.0 - wasted);
        let is_kept = spec.options.is_empty();
        // Vacuum and ANALYZE come by at some hour of each day.
        let tended = WallTime::from_unix_micros(at.unix_micros() - (place as i64 % 7 + 1) * 2_700_000_000);
        let lacks_index = spec.indexes.iter().any(|index| index.role == Role::Dropped);
        let release = self.release();
        let scanned = if lacks_index && release.holds(at) { at.since(release.from()).as_secs_f64() * 1.9 } else { 0.0 };
        let is_small = rows < 20_000.0;
        let indexes = spec.indexes.iter().enumerate();
        let index_bytes: u64 = indexes
            .filter_map(|(order, index)| Some(self.index(place, spec, order, index, at)?.figures.size_bytes))
            .sum();
        Table {
            key: table_key(place, spec),
            root: None,
            names: TableNames {
                database: database(spec).to_owned(),
                schema: "public".to_owned(),
                table: spec.name.to_owned(),
            },
            definition: TableDefinition {
                fillfactor_percent: 100,
                options: spec.options.iter().map(|option| (*option).to_owned()).collect(),
                ..TableDefinition::default()
            },
            figures: TableFigures {
                live_tuples: rows as u64,
                dead_tuples: (rows * spec.dead * if is_kept { 1.0 } else { 0.4 + 0.6 * self.progress(at) }) as u64,
                modified_since_analyze: (spec.updates_per_day / 24.0) as u64,
                inserted_since_vacuum: (spec.rows_per_day / 24.0) as u64,
                inserted: (spec.rows_per_day * days) as u64,
                updated: (spec.updates_per_day * days) as u64,
                hot_updated: (spec.updates_per_day * days * 0.6) as u64,
                deleted: 0,
                sequential_scans: (days * 3.0 + scanned) as u64,
                estimated_tuples: Some(rows),
                heap_bytes: heap as u64,
                toast_bytes: if spec.row_bytes > 400.0 { (heap / 9.0) as u64 } else { 8_192 },
                index_bytes,
                last_autovacuum: is_kept.then_some(tended),
                last_analyze: None,
                last_autoanalyze: is_kept.then_some(tended),
                xid_age: ids(days) as u64,
                multixact_age: (ids(days) / 90.0) as u64,
                bloat: (!is_small).then_some(Bloat {
                    percent: 100.0 * wasted,
                    wasted_bytes: (heap * wasted) as u64,
                    method: Method::Estimated,
                }),
                withheld: is_small.then_some(Withheld::Small),
                ..TableFigures::default()
            },
        }
    }

    /// `None`: it is not there at that time.
    fn index(&self, place: usize, of: &TableSpec, order: usize, spec: &IndexSpec, at: WallTime) -> Option<Index> {
        let (left, days) = (self.left(at), self.days(at));
        let used_days = match spec.role {
            Role::Dropped if self.release().holds(at) => return None,
            Role::Invalid(since) if left > since => return None,
            Role::Quiet(since) => days.min(self.days(self.to) - since),
            _ => days,
        };
        let (size, key) = (self.rows(of, at) * spec.entry_bytes / 0.92, table_key(place, of));
        let scans = (spec.scans_per_day * used_days.max(0.0)) as u64;
        let is_valid = !matches!(spec.role, Role::Invalid(_));
        let definition = definition(of, spec);
        let withheld = match size {
            _ if !is_valid => Some(Withheld::InvalidIndex),
            _ if definition.method != "btree" => Some(Withheld::OtherMethod),
            _ if definition.has_expressions() => Some(Withheld::ExpressionIndex),
            ..200_000.0 => Some(Withheld::Small),
            _ => None,
        };
        let wasted = usual_waste(of, key.relation.0 + order as u32);
        Some(Index {
            key: Key { relation: Oid(key.relation.0 + 1 + order as u32), ..key },
            table: key.relation,
            root: None,
            names: IndexNames {
                database: database(of).to_owned(),
                schema: "public".to_owned(),
                table: of.name.to_owned(),
                index: spec.name.to_owned(),
            },
            definition,
            figures: IndexFigures {
                scans,
                tuples_read: scans * 4,
                tuples_fetched: scans * 3,
                size_bytes: size as u64,
                bloat: withheld.is_none().then_some(Bloat {
                    percent: 100.0 * wasted,
                    wasted_bytes: (size * wasted) as u64,
                    method: Method::Estimated,
                }),
                withheld,
                ..IndexFigures::default()
            },
        })
    }

    fn database(&self, place: usize, name: &str, bytes: u64, at: WallTime) -> Database {
        let (days, is_shop) = (self.days(at), place == 0);
        let busy = if is_shop { 1.0 } else { 0.01 };
        let used = EVENTS_USED - 22_600_000.0 * self.left(at);
        let events = Sequence {
            oid: Oid(EVENTS_SEQUENCE_OID),
            schema: "public".to_owned(),
            name: "events_id_seq".to_owned(),
            last_value: Some(used as i64),
            is_readable: true,
            start: 1,
            increment: 1,
            limit: INTEGER_MAX,
            first: 1,
            is_cycle: false,
            column: Some(SequenceColumn {
                schema: "public".to_owned(),
                table: "events".to_owned(),
                column: "id".to_owned(),
                data_type: "integer".to_owned(),
                is_identity: false,
            }),
        };
        Database {
            oid: database_oid(place),
            name: name.to_owned(),
            is_seen: true,
            figures: DatabaseFigures {
                size_bytes: Some(bytes + EMPTY_DATABASE_BYTES),
                sessions: (self.used(at) as f64 * busy) as u64,
                committed: (4_100_000.0 * busy * days) as u64,
                rolled_back: (9_400.0 * busy * days) as u64,
                blocks_hit: (810_000_000.0 * busy * days) as u64,
                blocks_read: (9_700_000.0 * busy * days) as u64,
                temp_files: (31.0 * days) as u64,
                temp_bytes: (31.0 * days * 48e6) as u64,
                deadlocks: (14.0 * busy * days) as u64,
                xid_age: ids(days) as u64,
                multixact_age: (ids(days) / 90.0) as u64,
                ..DatabaseFigures::default()
            },
            sequences: if is_shop { vec![events] } else { Vec::new() },
        }
    }

    fn used(&self, at: WallTime) -> u64 {
        let crowd = if self.sale().holds(at) { 46.0 } else { 0.0 };
        (36.0 + 34.0 * self.load(at) + crowd).min(196.0) as u64
    }

    fn server(&self, at: WallTime, calls: Calls) -> Server {
        let slot = self.idle_slot();
        let idle = slot.holds(at).then(|| at.since(slot.from()).as_secs_f64() / 3_600.0);
        let sessions = |user: &str, database: &str, application: &str, address: &str, sessions: u64| SessionsBy {
            user: user.to_owned(),
            database: database.to_owned(),
            application: application.to_owned(),
            address: Some(address.to_owned()),
            sessions,
        };
        let used = self.used(at);
        Server {
            version_number: 170_006,
            version: "17.6".to_owned(),
            system_identifier: None,
            is_standby: false,
            started_at: self.from.before(Nanos::from_millis(41 * 86_400_000)),
            connections: Connections { limit: 200, reserved: 3, used, idle_in_transaction: used / 30 },
            settings: settings(),
            slots: vec![Slot {
                name: "search_feed".to_owned(),
                kind: "logical".to_owned(),
                database: Some("shop".to_owned()),
                is_active: idle.is_none(),
                retained_bytes: Some(idle.map_or(3_400_000, |hours| (hours * WAL_PER_HOUR) as u64)),
                wal_status: Some("reserved".to_owned()),
                inactive_since: idle.map(|_| slot.from()),
                ..Slot::default()
            }],
            calls: Some(calls),
            sessions: vec![
                sessions("web", "shop", "storefront", "10.4.1.17", used / 2),
                sessions("api", "shop", "mobile-api", "10.4.1.23", used / 4),
                sessions("worker", "shop", "worker", "10.4.2.8", 9),
                // Somebody goes around pgvitals.
                sessions("admin", "shop", "DBeaver", "10.4.9.50", 2),
            ],
            ..Server::default()
        }
    }
}

fn settings() -> Vec<Setting> {
    let setting = |(name, value, unit): (&str, &str, &str)| Setting {
        name: name.to_owned(),
        value: value.to_owned(),
        unit: unit.to_owned(),
    };
    let all = [
        ("autovacuum", "on", ""),
        ("autovacuum_freeze_max_age", "200000000", ""),
        ("autovacuum_vacuum_scale_factor", "0.2", ""),
        ("autovacuum_vacuum_threshold", "50", ""),
        ("max_connections", "200", ""),
        ("shared_buffers", "1048576", "8kB"),
    ];
    all.into_iter().map(setting).collect()
}

/// The part that is wasted in any table or index: hardly any where nothing changes.
fn usual_waste(spec: &TableSpec, place: u32) -> f64 {
    let changes = if spec.updates_per_day > 0.0 { f64::from(place * 7 % 11) * 0.006 } else { 0.0 };
    0.008 + changes
}

/// Ages: up to the next freeze, again and again.
fn ids(days: f64) -> f64 {
    (20_000_000.0 + IDS_PER_DAY * days) % FREEZE_AGE
}

fn database(spec: &TableSpec) -> &'static str {
    DATABASES.get(spec.database).copied().unwrap_or_default()
}

fn database_oid(place: usize) -> Oid {
    Oid(DATABASE_OID + place as u32)
}

fn table_key(place: usize, spec: &TableSpec) -> Key {
    Key { database: database_oid(spec.database), relation: Oid(TABLE_OID + TABLE_STEP * place as u32) }
}

fn definition(of: &TableSpec, spec: &IndexSpec) -> IndexDefinition {
    let is_search = spec.columns.iter().any(|column| column.starts_with("to_tsvector"));
    let method = if is_search { "gin" } else { "btree" };
    let unique = if matches!(spec.role, Role::Key | Role::Unique) { "UNIQUE " } else { "" };
    let columns = spec.columns.iter().map(|column| IndexColumn {
        text: (*column).to_owned(),
        is_expression: column.contains('('),
        ..IndexColumn::default()
    });
    let is_expression = spec.columns.iter().any(|column| column.contains('('));
    IndexDefinition {
        statement: format!(
            "CREATE {unique}INDEX {} ON public.{} USING {method} ({})",
            spec.name,
            of.name,
            spec.columns.join(", ")
        ),
        method: method.to_owned(),
        columns: columns.collect(),
        fillfactor_percent: 90,
        is_unique: !unique.is_empty(),
        is_primary: spec.role == Role::Key,
        // A unique index over an expression is no constraint.
        constraint: (!unique.is_empty() && !is_expression).then(|| spec.name.to_owned()),
        is_valid: !matches!(spec.role, Role::Invalid(_)),
        is_ready: true,
        ..IndexDefinition::default()
    }
}
