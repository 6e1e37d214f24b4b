//! psql: everything that a person types, errors included.

use super::{mask, same};
use crate::support::postgres::Cluster;
use crate::support::tool::{Output, Tool};

/// Errors of each kind, notices, cursors, COPY in both directions, large objects, notifications, described statements.
const SCRIPT: &str = r"
\set VERBOSITY verbose
\set SHOW_CONTEXT always
\set ON_ERROR_STOP off
create table t (id int primary key, name text not null, at timestamptz default '2020-01-01');
insert into t (id, name) select i, 'name ' || i from generate_series(1, 2000) i;
select count(*), sum(id) from t;
select nothing from t;
selec 1;
select 1/0; select 2;
insert into t values (1, 'twice');
begin; select 1; select broken; select 2; rollback; select 3;
begin \; select 4 \; commit;
select 1 as a \; select 2 as b \; select 3/0 \; select 4 as never;
do $$ begin raise notice 'a notice: %', 42; raise warning 'a warning'; end $$;
drop table if exists not_there;
select id as first_id, name from t order by id limit 1 \gset
\echo :first_id :name
select 'select ' || i from generate_series(1, 3) i \gexec
select id, name, at from t limit 0 \gdesc
\d t
copy t (id, name) from stdin;
3001	from stdin
3002	ä ö ü € 😀
\.
copy t (id, name) from stdin;
not a number	x
\.
copy t (id, name) from stdin;
1	duplicate
\.
select count(*) from t;
copy (select id, name from t where id < 5 order by id) to stdout;
copy t (missing) to stdout;
\copy (select * from t where id > 3000 order by id) to stdout csv header
\set FETCH_COUNT 100
select id from t where id <= 350 order by id;
\unset FETCH_COUNT
listen channel;
notify channel, 'payload one';
select pg_notify('channel', 'payload two');
select 'after the notifications';
begin; savepoint s; select 1/0; rollback to s; select 'alive'; release s; commit;
prepare p (int) as select $1 + 1;
execute p(41);
execute p('x');
deallocate p;
execute p(1);
begin; declare c cursor for select id from t order by id; fetch 3 from c; move 10 in c; fetch backward 2 from c; close c; commit;
select lo_create(4242);
select lo_put(4242, 0, decode(repeat('00ff', 5000), 'hex'));
select length(lo_get(4242)), md5(lo_get(4242));
\lo_unlink 4242
set client_encoding to 'latin1'; select 'caf' || chr(233) = 'x'; reset client_encoding;
set application_name to 'renamed'; show application_name;
set standard_conforming_strings to off; select 'it\'s'; reset standard_conforming_strings;
begin; set local statement_timeout to '50ms'; select pg_sleep(600); rollback;
select repeat('wide ', 20000) as wide;
select md5(string_agg(md5(i::text), '')) from generate_series(1, 20000) i;
values (1, null), (2, 'two');
;
select;
discard all;
select pg_terminate_backend(pg_backend_pid());
select 'a new session';
";

/// What psql makes of it, errors included.
pub(crate) fn long_session(psql: Tool) -> Output {
    let mut output = psql.args(&["-X", "-e", "-f", "-"]).input(SCRIPT).run();
    output.stdout = mask(&output.stdout, "PID ");
    // psql says how it lost and found the server with host and port.
    output.stderr = mask(&output.stderr, "port ");
    output
}

#[test]
fn one_statement_per_connection_reads_the_same() {
    same(Cluster::any(), |address, database| {
        let commands =
            ["select 1", "select 1/0", "begin; select 2; commit", "create table a (b int)", "copy a to stdout"];
        commands.map(|sql| {
            let psql = Tool::postgres("psql", Cluster::any().major).against(address, database);
            psql.args(&["-XAt", "-c", sql]).run()
        })
    });
}
