//! Pairs of statements for each row of FINGERPRINT §6.

/// A row, and pairs of which it speaks.
pub(super) struct Row {
    /// As in the document.
    pub(super) label: &'static str,
    pub(super) pairs: &'static [[&'static str; 2]],
}

/// All rows.
pub(super) const ROWS: &[Row] = &[
    Row {
        label: "other constant of the same type, sign, case, comment, `ASC`, `INNER`, `!=`",
        pairs: &[
            ["select id from a where n = 1", "select id from a where n = -20"],
            ["select id from a where n != 1 order by id asc", "SELECT id /* c */ FROM \"a\" WHERE n <> 1 ORDER BY id"],
            ["select 1 from a inner join b on true", "select 2 from a join b on true"],
            ["select 1 from a left outer join b on true", "select 2 from a left join b on true"],
            ["select id from a where s = 'x'", "select id from a where s = E'y\\'' -- c"],
            ["select id from a where s = 'x'", "select id from a where s = $x$y$x$"],
            ["select id from a where d = date '2020-01-01'", "select id from a where d = date '2021-01-01'"],
            ["select B'101', X'1F'", "select B'1', X'2F'"],
            ["select interval '1' day", "select interval '2' day"],
            ["select n from a limit 5 offset 3", "select n from a limit 6 offset 4"],
            ["select j->'a' from a", "select j->'b' from a"],
            ["select arr[1] from a", "select arr[2] from a"],
            ["select n::numeric(10, 2) from a", "select n::numeric(12, 2) from a"],
            ["insert into a (n, s) values (1, 'x')", "insert into a (n, s) values (2, 'y')"],
            ["update a set n = 5 where id = 1", "update a set n = 6 where id = 2"],
        ],
    },
    Row {
        label: "NULL for a constant, where the place gives it the same type",
        pairs: &[
            ["select id from a where n = 1", "select id from a where n = null"],
            ["update a set s = 'x'", "update a set s = null"],
            ["insert into a (n) values (1)", "insert into a (n) values (null)"],
            ["select coalesce(n, 1) from a", "select coalesce(n, null) from a"],
        ],
    },
    Row {
        label: "`$1` or another type for a constant, NULL where that changes the type",
        pairs: &[
            ["select id from a where n = 1", "select id from a where n = $1"],
            ["select id from a where f = 1", "select id from a where f = 1.5"],
            ["select id from a where n = 1", "select id from a where n = 10000000000"],
            ["select 1 from a", "select null from a"],
        ],
    },
    Row {
        label: "sign before a cast, `is distinct from` NULL, positions in `rollup(…)`",
        pairs: &[
            ["select -1::int", "select 1::int"],
            ["select n from a where n is distinct from 1", "select n from a where n is distinct from null"],
            ["select n, s from a group by rollup (1, 2)", "select n, s from a group by rollup (2, 1)"],
        ],
    },
    Row {
        label: "`IN` or `ARRAY` of 2 against 3 constants or `$n`",
        pairs: &[
            ["select id from a where n in (1, 2)", "select id from a where n in (1, 2, 3)"],
            ["select id from a where s in ('1', '2')", "select id from a where s in ('1', '2', 'x', 'y')"],
            ["select id from a where n in ($1, $2)", "select id from a where n in ($1, $2, $3)"],
            ["select id from a where n = any (array[1, 2])", "select id from a where n = any (array[1, 2, 3])"],
            ["select id from a where n in (1, $1)", "select id from a where n in (1, $1, 2)"],
        ],
    },
    Row {
        label: "`IN (1)` against `IN (1,2)`; rows of VALUES; mixed lists",
        pairs: &[
            ["select id from a where n in (1)", "select id from a where n in (1, 2)"],
            ["select array[1]", "select array[1, 2]"],
            ["select array[[1, 2], [3, 4]]", "select array[[1, 2], [3, 4], [5, 6]]"],
            ["insert into a (n) values (1)", "insert into a (n) values (1), (2)"],
            [
                "insert into a (n, s) values (1, 'x'), (2, 'y')",
                "insert into a (n, s) values (1, 'x'), (2, 'y'), (3, 'z')",
            ],
            ["select id from a where n in (1, id, 2)", "select id from a where n in (1, id, 2, 3)"],
            ["select id from a where (n, s) in ((1, 'x'), (2, 'y'))", "select id from a where (n, s) in ((1, 'x'))"],
        ],
    },
    Row {
        label: "column alias, parentheses, `CAST`/`::`, `t.a`/`a`, `TABLE t`",
        pairs: &[
            ["select n as x from a", "select n as y from a"],
            ["select n x from a", "select n as x from a"],
            ["select id from a where n = 1", "select id from a where (n = 1)"],
            ["select n::text from a", "select cast(n as text) from a"],
            ["select a.id from a", "select id from a"],
            ["table a", "select * from a"],
        ],
    },
    Row {
        label: "`= ANY (ARRAY[…])`/`IN (…)`, `~~`/`LIKE`, `DESC NULLS FIRST`/`DESC`, `FETCH FIRST`/`LIMIT`, field of `EXTRACT`, `ON TRUE`/`ON FALSE`",
        pairs: &[
            ["select n from a where n in (1, 2)", "select n from a where n = any (array[1, 2])"],
            ["select n from a where s like 'a%'", "select n from a where s ~~ 'a%'"],
            ["select n from a order by n desc nulls first", "select n from a order by n desc"],
            ["select n from a limit 1", "select n from a fetch first 1 row only"],
            ["select extract(year from d) from a", "select extract(month from d) from a"],
            ["select 1 from a join b on true", "select 1 from a join b on false"],
        ],
    },
    Row {
        label: "`LIMIT` alone against `OFFSET` alone, in a window `PARTITION BY` against `ORDER BY` (the server's oversight)",
        pairs: &[
            ["select n from a limit 1", "select n from a offset 1"],
            ["select count(*) over (partition by n) from a", "select count(*) over (order by n) from a"],
        ],
    },
    Row {
        label: "a column shown that orders anyway, one that orders or groups twice",
        pairs: &[
            ["select n from a order by d", "select n, d from a order by d"],
            ["select n from a order by d desc", "select n from a order by d desc, d"],
            ["select n from a group by n", "select n from a group by n, n"],
        ],
    },
    Row {
        label: "another table under the same alias",
        pairs: &[["select x.id from a as x", "select x.id from b as x"], ["delete from a as x", "delete from b as x"]],
    },
    Row { label: "table alias", pairs: &[["select x.id from a x", "select y.id from a y"]] },
    Row {
        label: "constants in EXPLAIN, DECLARE, CREATE TABLE AS",
        pairs: &[
            ["explain select 1", "explain select 2"],
            ["declare c cursor for select 1", "declare c cursor for select 2"],
            ["create table z as select 1 as x", "create table z as select 2 as x"],
            ["create materialized view z as select 1 as x", "create materialized view z as select 2 as x"],
        ],
    },
    Row {
        label: "savepoint and DEALLOCATE names, 2PC ids, CALL",
        pairs: &[
            ["savepoint s1", "savepoint s2"],
            ["release savepoint s1", "release savepoint s2"],
            ["rollback to savepoint s1", "rollback to savepoint s2"],
            ["deallocate p1", "deallocate p2"],
            ["prepare transaction 'x'", "prepare transaction 'y'"],
            ["commit prepared 'x'", "commit prepared 'y'"],
            ["call pr(1)", "call pr(2)"],
        ],
    },
    Row {
        label: "SET values, SET ROLE (TIME ZONE: never), also behind ALTER ROLE, DATABASE, SYSTEM",
        pairs: &[
            ["set work_mem = 100", "set work_mem to '200'"],
            ["set local search_path = a", "set local search_path = a, b"],
            ["set role x", "set role y"],
            ["set session authorization x", "set session authorization y"],
            ["alter role x set search_path = a", "alter role x set search_path = b"],
            ["alter database x set work_mem = 1", "alter database x set work_mem = 2"],
            ["alter system set work_mem = 1", "alter system set work_mem = 2"],
        ],
    },
    Row {
        label: "DO, cursor names, FETCH counts, LISTEN, NOTIFY, COPY (SELECT), DDL constants, SET to DEFAULT",
        pairs: &[
            ["do $$begin end$$", "do $$begin null; end$$"],
            ["declare c1 cursor for select 1", "declare c2 cursor for select 1"],
            ["fetch 1 from c", "fetch 2 from c"],
            ["move forward 1 from c", "move forward 2 from d"],
            ["close c1", "close c2"],
            ["listen x", "listen y"],
            ["notify x, 'a'", "notify y, 'b'"],
            ["copy (select 1) to stdout", "copy (select 2) to stdout"],
            ["copy a from program 'x'", "copy a from program 'y'"],
            ["create table z (x int default 1)", "create table z (x int default 2)"],
            ["create index i on a (n) where n > 1", "create index i on a (n) where n > 2"],
            ["create view z as select 1 as x", "create view z as select 2 as x"],
            ["alter role x password 'x'", "alter role x password 'y'"],
            ["comment on table a is 'x'", "comment on table a is 'y'"],
            ["set work_mem = 100", "set work_mem to default"],
            ["set time zone 'UTC'", "set time zone 'CET'"],
        ],
    },
    Row {
        label: "EXPLAIN EXECUTE names, step of a sequence",
        pairs: &[
            ["explain execute p1(1)", "explain execute p2(1)"],
            ["alter sequence seq increment by 1", "alter sequence seq increment by 2"],
        ],
    },
];

/// Statements whose canonical text is none: where the grammar wants a literal and nothing else.
pub(super) const NO_SYNTAX: &[&str] = &[
    "select date '2020-01-01'",
    "select interval '1' day",
    "select n::numeric(10, 2) from a",
    "select extract('year' from d) from a",
];
