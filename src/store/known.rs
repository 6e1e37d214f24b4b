//! Servers, statements and series: told to the store once, before the first batch that needs them.

use std::collections::HashSet;
use std::future::Future;

use tokio_postgres::types::{ToSql, Type};

use super::batch::{Batch, QueryRow, SeriesRow};
use super::error::Error;
use super::link::Link;
use super::verdict::Verdict;

/// How fingerprints were made (docs/design/fingerprint.md).
const FINGERPRINT_VERSION: i32 = 1;

/// More are forgotten, and told again.
const MOST: usize = 100_000;

/// What this process has told its store.
#[derive(Debug, Default)]
pub(super) struct Known {
    servers: HashSet<String>,
    queries: HashSet<String>,
    series: HashSet<i64>,
}

impl Known {
    /// The store is another one, or has lost its tables.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Tells what is new in a batch: sorted, so that two sidecars don't wait for one another in a circle; in transactions
    /// of their own, so that nobody waits for a batch.
    pub(super) async fn tell(&mut self, link: &Link, batch: &Batch) -> Result<(), Error> {
        if self.queries.len() > MOST || self.series.len() > MOST {
            self.forget();
        }
        let mut servers: Vec<&str> = batch.series.values().map(|row| row.server.as_str()).collect();
        servers.sort_unstable();
        servers.dedup();
        servers.retain(|server| !self.servers.contains(*server));
        let queries: Vec<_> = batch.queries.iter().filter(|(hash, _)| !self.queries.contains(*hash)).collect();
        let series: Vec<_> = batch.series.iter().filter(|(id, _)| !self.series.contains(*id)).collect();
        insert(link, &servers).await?;
        insert(link, &queries).await?;
        insert(link, &series).await?;
        self.servers.extend(servers.into_iter().map(str::to_owned));
        self.queries.extend(queries.into_iter().map(|(hash, _)| hash.clone()));
        self.series.extend(series.into_iter().map(|(id, _)| *id));
        Ok(())
    }
}

/// Something that is told once.
trait Fact: Copy + Send + Sync {
    /// Inserts those that are not there.
    fn insert(link: &Link, rows: &[Self]) -> impl Future<Output = Result<(), Error>> + Send;
}

/// All at once; one by one where one of them is refused, which then is said and left out.
async fn insert<T: Fact>(link: &Link, rows: &[T]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let done = transaction(link, rows).await;
    if !done.as_ref().is_err_and(|error| error.verdict() == Verdict::Row) {
        return done;
    }
    for row in rows.chunks(1) {
        match transaction(link, row).await {
            Err(error) if error.verdict() == Verdict::Row => {
                tracing::warn!(%error, "the store refuses the text of a statement or a name; its figures are kept");
            }
            done => done?,
        }
    }
    Ok(())
}

async fn transaction<T: Fact>(link: &Link, rows: &[T]) -> Result<(), Error> {
    link.begin().await?;
    match T::insert(link, rows).await {
        Ok(()) => link.commit().await,
        Err(error) => {
            link.roll_back().await;
            Err(error)
        }
    }
}

async fn run(link: &Link, sql: &str, columns: &[(&(dyn ToSql + Sync), Type)]) -> Result<(), Error> {
    link.client.execute_typed(&link.schema.fill(sql), columns).await?;
    Ok(())
}

impl Fact for &str {
    async fn insert(link: &Link, rows: &[Self]) -> Result<(), Error> {
        let sql = "insert into {schema}.servers (server) select * from unnest($1) on conflict do nothing";
        run(link, sql, &[(&rows, Type::TEXT_ARRAY)]).await
    }
}

impl Fact for (&String, &QueryRow) {
    async fn insert(link: &Link, rows: &[Self]) -> Result<(), Error> {
        let sql = "insert into {schema}.queries \
                   (query_hash, query, kind, class, summary, name, tables, filters, fingerprint_version) \
                   select h, q, k, c, s, n, t::text[], f::text[], $9 \
                   from unnest($1, $2, $3, $4, $5, $6, $7, $8) r(h, q, k, c, s, n, t, f) \
                   order by h on conflict do nothing";
        let text = |of: fn(&QueryRow) -> &str| rows.iter().map(|(_, row)| clean(of(row))).collect::<Vec<String>>();
        let hashes: Vec<&String> = rows.iter().map(|(hash, _)| *hash).collect();
        let names: Vec<Option<String>> = rows.iter().map(|(_, row)| row.name.as_deref().map(clean)).collect();
        let tables: Vec<String> = rows.iter().map(|(_, row)| array(&row.tables)).collect();
        let filters: Vec<String> = rows.iter().map(|(_, row)| array(&row.filters)).collect();
        let columns = [text(|row| &row.query), text(|row| &row.kind), text(|row| &row.class), text(|row| &row.summary)];
        let [query, kind, class, summary] = &columns;
        let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> = vec![(&hashes, Type::TEXT_ARRAY)];
        for column in [query, kind, class, summary] {
            parameters.push((column, Type::TEXT_ARRAY));
        }
        parameters.extend([(&names as &(dyn ToSql + Sync), Type::TEXT_ARRAY), (&tables, Type::TEXT_ARRAY)]);
        parameters.extend([(&filters as &(dyn ToSql + Sync), Type::TEXT_ARRAY), (&FINGERPRINT_VERSION, Type::INT4)]);
        run(link, sql, &parameters).await
    }
}

impl Fact for (&i64, &SeriesRow) {
    async fn insert(link: &Link, rows: &[Self]) -> Result<(), Error> {
        let sql = "insert into {schema}.series (series_id, server, query_hash, datname, usename, application_name) \
                   select i, s, h, d, u, a from unnest($1, $2, $3, $4, $5, $6) r(i, s, h, d, u, a) \
                   order by i on conflict do nothing";
        let text = |of: fn(&SeriesRow) -> &str| rows.iter().map(|(_, row)| clean(of(row))).collect::<Vec<String>>();
        let ids: Vec<i64> = rows.iter().map(|(id, _)| **id).collect();
        let columns = [
            text(|row| &row.server),
            text(|row| &row.query_hash),
            text(|row| &row.database),
            text(|row| &row.user),
            text(|row| &row.application),
        ];
        let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> = vec![(&ids, Type::INT8_ARRAY)];
        for column in &columns {
            parameters.push((column, Type::TEXT_ARRAY));
        }
        run(link, sql, &parameters).await
    }
}

fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// The literal of a text array.
fn array(elements: &[String]) -> String {
    let quoted: Vec<String> =
        elements.iter().map(|text| format!("\"{}\"", clean(text).replace('\\', "\\\\").replace('"', "\\\""))).collect();
    format!("{{{}}}", quoted.join(","))
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_of_tables_are_quoted() {
        let names = ["a", "b\"c\\", "d,e}"].map(str::to_owned);
        assert_eq!(super::array(&names), r#"{"a","b\"c\\","d,e}"}"#);
        assert_eq!(super::array(&[]), "{}");
    }
}
