//! A server that is asked for the query id of a statement, without running it.

use crate::bytes_of;
use crate::support::client::{Client, parse, sync};
use crate::support::postgres::Cluster;

/// What every statement of these tests is about.
const SCHEMA: &str = "\
create table a (id int, n int, s text, f numeric, b boolean, d date, arr int[], j jsonb);
create table b (id int, n int, s text, f numeric, b boolean, d date, arr int[], j jsonb);
create table c (id int primary key, n int, s text, f numeric, b boolean, d date, arr int[], j jsonb);
create sequence seq;
create procedure pr(int) language sql as 'select 1'";

/// Two sessions: one that parses, and one that sees what id that gave.
pub(super) struct Oracle {
    asked: Client,
    seeing: Client,
    see: String,
}

impl Oracle {
    /// One in a database of its own.
    pub(super) fn of(cluster: &Cluster) -> Self {
        let database = cluster.database();
        cluster.client(&database).query(SCHEMA);
        let (asked, seeing) = (cluster.client(&database), cluster.client(&database));
        let pid = asked.key.as_ref().expect("a process id").0;
        Self { asked, seeing, see: format!("select coalesce(query_id, 0) from pg_stat_get_activity({pid})") }
    }

    /// The id of a statement, 0 where it has none, or what the server has against it.
    pub(super) fn id(&mut self, sql: &str) -> Result<i64, String> {
        self.parse(sql).map_or_else(
            || Ok(self.seeing.value(&self.see).parse().expect("a number")),
            |(code, message)| Err(format!("{code} {message}")),
        )
    }

    /// Whether the server's grammar knows nothing of the kind, or what stands where a literal has to.
    pub(super) fn is_no_syntax(&mut self, sql: &str) -> bool {
        let refused = self.parse(sql);
        refused.is_some_and(|(code, message)| code == "42601" || message.contains("type modifiers must be"))
    }

    /// Code and message when the server refuses a statement.
    fn parse(&mut self, sql: &str) -> Option<(String, String)> {
        let frames = self.asked.ask(&bytes_of![parse("", sql), sync()]);
        let error = frames.iter().find(|frame| frame.tag == b'E')?;
        Some((error.field(b'C')?, error.field(b'M')?))
    }
}
