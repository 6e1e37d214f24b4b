//! What will and won't work with a store, for `pgvitals check`. Reads catalogues; changes nothing.

use tokio_postgres::Client;

use super::migrate::{Error, State, rows};
use super::schema::Schema;
use super::script::VERSION;

/// The oldest server whose SQL the migrations are written for.
const SERVER_MIN: u32 = 130_000;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It works.
    Well(String),
    /// It works otherwise than one might expect.
    Note(String),
    /// It doesn't work; the text says what to do.
    Bad(String),
}

/// Looks at everything.
///
/// # Errors
/// When the store can't be asked.
pub async fn examine(client: &Client, schema: &Schema) -> Result<Vec<Finding>, Error> {
    let ask = |sql: String| async move {
        rows(client, &sql).await.map_err(|reason| Error::Database { schema: schema.clone(), reason })
    };
    let mut findings = Vec::new();
    let server = ask(SERVER.to_owned()).await?;
    let told = |column| server.first().and_then(|row| row.get(column)).unwrap_or_default().to_owned();
    let (role, can_create) = (told(1), told(2) == "t");
    if told(0).parse::<u32>().is_ok_and(|number| number < SERVER_MIN) {
        findings.push(Finding::Bad(format!("store: PostgreSQL {}, but 13 is the oldest that works", told(3))));
    }
    let state = State::read(client, schema).await?;
    let owns = ask(schema.fill(OWNS)).await?.first().and_then(|row| row.get(0)) == Some("t");
    findings.push(version(&state, schema, &role, Power { can_create, owns }));
    if state.version == 0 {
        return Ok(findings);
    }
    let rights = ask(schema.fill(RIGHTS)).await?;
    let may = |column| rights.first().and_then(|row| row.get(column)) == Some("t");
    findings.extend(rights_of(schema, &role, may(0), may(1)));
    for row in ask(schema.fill(ROW_SECURITY)).await? {
        let table = row.get(0).unwrap_or_default();
        findings.push(Finding::Bad(format!(
            "store: row-level security is on for {schema}.{table}, and then COPY fails; an owner should run \
             `ALTER TABLE {schema}.{table} DISABLE ROW LEVEL SECURITY`"
        )));
    }
    Ok(findings)
}

/// What a role may do to the schema.
struct Power {
    /// Make it.
    can_create: bool,
    /// Change what is in it.
    owns: bool,
}

fn version(state: &State, schema: &Schema, role: &str, Power { can_create, owns }: Power) -> Finding {
    match state.accepts_us(schema) {
        Err(error) => Finding::Bad(format!("store: {error}")),
        Ok(true) => Finding::Well(format!("store: schema {schema}, version {}", state.version)),
        Ok(false) if state.version > 0 && !owns => Finding::Bad(format!(
            "store: schema {schema}, version {}, and role `{role}` may not bring it to {VERSION}: nothing is written until an \
             owner ran `pgvitals migrate --store URL`, or what `pgvitals migrate --print --store URL` prints",
            state.version
        )),
        Ok(false) if state.version > 0 => Finding::Note(format!(
            "store: schema {schema}, version {}; pgvitals brings it to {VERSION}, or `pgvitals migrate` does",
            state.version
        )),
        Ok(false) if can_create || state.has_roles == Some(false) => Finding::Note(format!(
            "store: no tables in schema {schema} yet; pgvitals makes them, or `pgvitals migrate`"
        )),
        Ok(false) => Finding::Bad(format!(
            "store: no tables in schema {schema}, and role `{role}` may not make them; an owner of the database should \
             run `pgvitals migrate --store URL`, or what `pgvitals migrate --print` prints, and GRANT {} TO {role}",
            schema.writer()
        )),
    }
}

fn rights_of(schema: &Schema, role: &str, may_write: bool, may_read: bool) -> [Finding; 2] {
    let (writer, reader) = (schema.writer(), schema.reader());
    let writes = match may_write {
        true => Finding::Well(format!("store: role `{role}` may write")),
        false => Finding::Bad(format!("store: role `{role}` may not write; an owner should GRANT {writer} TO {role}")),
    };
    let reads = match may_read {
        true => Finding::Well(format!("store: role `{role}` may read")),
        false => Finding::Note(format!(
            "store: role `{role}` may write but not read, so answers come from this process's memory alone; to change \
             that, GRANT {reader} TO {role}"
        )),
    };
    [writes, reads]
}

const SERVER: &str = "\
select current_setting('server_version_num'), current_user,
    has_database_privilege(current_database(), 'create'), current_setting('server_version')";

const OWNS: &str =
    "select pg_has_role(current_user, nspowner, 'usage') from pg_namespace where nspname = '{schema_name}'";

const RIGHTS: &str = "\
select has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'insert'),
    has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
from pg_namespace n join pg_class c on c.relnamespace = n.oid and c.relname = 'query_stats'
where n.nspname = '{schema_name}'";

const ROW_SECURITY: &str = "\
select c.relname
from pg_namespace n join pg_class c on c.relnamespace = n.oid
where n.nspname = '{schema_name}' and c.relkind in ('r', 'p') and c.relrowsecurity and row_security_active(c.oid)
order by 1";
