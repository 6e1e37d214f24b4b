//! One round: the server, then its databases one after the other.

use std::time::Duration;

use super::ask::Session;
use super::error::Error;
use super::indexes::Indexes;
use super::missing::Gaps;
use super::settings::Settings;
use super::{databases, indexes, measure, partitions, sequences, server, tables};
use crate::snapshot::database::Database;
use crate::snapshot::server::Server;
use crate::snapshot::set::{Missing, Set};

/// One database may take so long; what isn't there by then is missing.
const DATABASE_MAX: Duration = Duration::from_secs(300);
/// PostgreSQL's own, unless somebody built it otherwise.
const PAGE_BYTES: u64 = 8_192;

/// Asks a monitored server. It holds no connection between two rounds.
#[derive(Clone, Debug)]
pub struct Collector {
    settings: Settings,
}

impl Collector {
    /// A collector for this server.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// One round. What can't be seen is in the set's `missing`.
    ///
    /// # Errors
    /// Only when the server can't be reached, or says nothing of itself.
    pub async fn collect(&self) -> Result<Set, Error> {
        let session = Session::open(&self.settings.target).await?;
        let mut greeting = server::greet(&session).await?;
        let mut gaps = Gaps::of(&greeting.role, greeting.server.version_number);
        if !greeting.sees_all {
            gaps.no_monitor();
        }
        server::fill(&session, &mut greeting.server, &mut gaps).await;
        let databases = databases::read(&session, &mut gaps).await;
        let databases = gaps.note(None, Missing::DATABASES, databases);
        drop(session);
        let mut round = Round {
            settings: &self.settings,
            set: Set { at: greeting.at, server: greeting.server, ..Set::default() },
            gaps,
        };
        for database in databases {
            round.database(database).await;
        }
        Ok(round.finish())
    }
}

struct Round<'a> {
    settings: &'a Settings,
    set: Set,
    gaps: Gaps,
}

impl Round<'_> {
    async fn database(&mut self, mut database: Database) {
        if database.is_seen {
            let name = database.name.clone();
            let looked = tokio::time::timeout(DATABASE_MAX, self.look(&mut database)).await;
            let looked = looked.unwrap_or(Err(Error::Timeout(DATABASE_MAX.as_secs())));
            if let Err(error) = looked {
                database.is_seen = false;
                self.gaps.failed(Some(&name), "database", &error);
            }
        }
        self.set.databases.push(database);
    }

    /// Without tables and indexes a database isn't seen; what any other question fails with concerns that question alone.
    async fn look(&mut self, database: &mut Database) -> Result<(), Error> {
        let (own_schema, name) = (self.settings.own_schema.as_str(), database.name.clone());
        let session = Session::open(&self.settings.target.in_database(&name)).await?;
        let here = Some(name.as_str());
        let columns = self.gaps.note(here, "statistics", tables::columns(&session, own_schema).await);
        match tables::unreadable(&columns) {
            0 => {}
            count => self.gaps.no_statistics(&name, count),
        }
        let mut tables = tables::read(&session, own_schema, database, columns, page_bytes(&self.set.server)).await?;
        let Indexes { mut indexes, mut unread } = indexes::read(&session, own_schema, database, &tables).await?;
        if !unread.is_empty() {
            let why = format!("{} indexes are of tables that somebody has locked exclusively", unread.len());
            self.gaps.add(here, "indexes", why, None);
        }
        database.sequences = self.gaps.note(here, Missing::SEQUENCES, sequences::read(&session, own_schema).await);
        let extensions = self.gaps.note(here, "extensions", server::extensions(&session).await);
        for extension in &extensions {
            match extension.name.as_str() {
                "pgstattuple" => measure::look(&session, extension, &name, &mut tables, &mut self.gaps).await,
                _ if self.set.server.calls.is_none() => match server::calls(&session, extension).await {
                    Ok(calls) => self.set.server.calls = Some(calls),
                    Err(error) => self.gaps.failed(here, "calls", &error),
                },
                _ => {}
            }
        }
        tables::add_index_sizes(&mut tables.tables, &indexes);
        partitions::sum_tables(&mut tables.tables);
        partitions::sum_indexes(&mut indexes);
        self.set.tables.append(&mut tables.tables);
        self.set.indexes.append(&mut indexes);
        self.set.unread.append(&mut unread);
        Ok(())
    }

    fn finish(mut self) -> Set {
        if self.set.server.calls.is_none() {
            let why =
                "pg_stat_statements is in none of the databases, so that nobody knows whose calls go around pgvitals";
            let remedy = "CREATE EXTENSION pg_stat_statements";
            self.gaps.add(None, "calls", why, Some(remedy.to_owned()));
        }
        self.set.missing = self.gaps.list;
        self.set
    }
}

fn page_bytes(server: &Server) -> u64 {
    let setting = server.settings.iter().find(|setting| setting.name == "block_size");
    setting.and_then(|setting| setting.value.parse().ok()).unwrap_or(PAGE_BYTES)
}
