use proptest::prelude::*;

use super::*;
use crate::sql::hash::QueryHash;
use crate::sql::query::Pseudo;

fn describe_text(kind: Kind, text: &str) -> Description {
    describe(&Query { hash: QueryHash::of(text), kind, text: text.into() })
}

/// `reads > writes | summary`, names separated by spaces.
fn check(kind: Kind, text: &str, expected: &str) {
    let description = describe_text(kind, text);
    let got = format!("{} > {} | {}", description.reads.join(" "), description.writes.join(" "), description.summary);
    assert_eq!(got.trim_start(), expected, "{text}");
}

#[test]
fn operations_and_targets_in_the_order_of_the_text() {
    check(Kind::Select, "select * from songs, artists", "songs artists >  | SELECT songs artists");
    check(Kind::Insert, "insert into t(a, b) select c, d from o", "o > t | INSERT t SELECT o");
    check(
        Kind::Select,
        "select * from (select * from orders) o join customers c on o.cid = c.id",
        "orders customers >  | SELECT SELECT orders customers",
    );
    check(Kind::Select, "select (select max(x) from b) from public.a", "b public.a >  | SELECT SELECT b public.a");
    check(Kind::Update, "update \"User\" u set a = $1 from g where g.id = u.gid", "g > \"User\" | UPDATE \"User\" g");
    check(Kind::Delete, "delete from t using u where t.id = u.id", "u > t | DELETE t u");
    check(
        Kind::Merge,
        "merge into t using s on t.id = s.id when matched then update set a = s.a when not matched then insert values (s.id)",
        "s > t | MERGE t s",
    );
    check(
        Kind::Insert,
        "insert into kv(k, v) values ($1, $2) on conflict (k) do update set v = excluded.v",
        " > kv | INSERT kv".trim_start(),
    );
    check(Kind::Table, "table t", "t >  | TABLE t");
    check(Kind::Values, "values ($1)", ">  | VALUES");
    check(
        Kind::Select,
        "select $1 union select a from t union all select b from u",
        "t u >  | SELECT SELECT t SELECT u",
    );
}

#[test]
fn ctes_and_table_functions_are_no_tables() {
    check(
        Kind::Select,
        "with recursive x(a) as (select a from t union all select a from x), y as (select a from x) select * from y join z using (a)",
        "t z >  | SELECT t SELECT SELECT SELECT z",
    );
    check(
        Kind::Insert,
        "with gone as (delete from a where b = $1 returning c) insert into log select c from gone",
        "> a log | DELETE a INSERT log SELECT",
    );
    check(Kind::Select, "select * from generate_series($1, $2) g, lateral f(g), t", "t >  | SELECT t");
    check(Kind::Select, "select extract(year from d), x is distinct from y from t", "t >  | SELECT t");
}

#[test]
fn what_sqlparser_wants_as_a_constant_is_one() {
    for text in [
        "select * from t where d > date $1 and e < now() - interval $2 and f::numeric($3, $4) = $5",
        "select a::varchar($1), timestamp $2, interval $3 day from t where b in ($4) limit $5 offset $6",
        "select * from t where a like $1 escape $2 fetch first $3 rows only",
        "select * from t for update skip locked",
    ] {
        assert!(Relations::parsed(text, Kind::Select).is_some(), "{text}");
        check(Kind::Select, text, "t >  | SELECT t");
    }
}

#[test]
fn statements_that_hold_another_and_utility_statements() {
    check(Kind::Explain, "explain(analyze $1, buffers) select * from t", "t >  | EXPLAIN SELECT t");
    check(Kind::Explain, "explain analyze verbose delete from t", "> t | EXPLAIN DELETE t");
    check(Kind::Declare, "declare $1 scroll cursor for select * from t", "t >  | DECLARE SELECT t");
    check(Kind::Prepare, "prepare $1 (int) as update t set a = $2", "> t | PREPARE UPDATE t");
    check(Kind::Copy, "copy public.t(a) from stdin(delimiter $1)", "> public.t | COPY public.t");
    check(Kind::Copy, "copy t to stdout", "t >  | COPY t");
    check(Kind::Copy, "copy (select a from t join u on true) to stdout", "t u >  | COPY SELECT t u");
    check(Kind::Truncate, "truncate table a, only b restart identity", "> a b | TRUNCATE a b");
    check(Kind::Lock, "lock table a, b in share mode", "> a b | LOCK a b");
    check(Kind::Call, "call transfer($1, $2)", ">  | CALL transfer");
    check(Kind::Ddl, "create table if not exists app.t(a int references u)", "> app.t | CREATE TABLE app.t");
    check(Kind::Ddl, "create unique index concurrently i on only t(a)", "> t | CREATE INDEX i t");
    check(Kind::Ddl, "create function f() returns int begin atomic select a from t; end", ">  | CREATE FUNCTION f");
    check(Kind::Ddl, "alter table t add foreign key (a) references u on update cascade", "> t | ALTER TABLE t");
    check(Kind::Ddl, "grant update on t to u", ">  | GRANT");
    check(Kind::Ddl, "drop table if exists a, b cascade", "> a b | DROP TABLE a b");
    check(Kind::Ddl, "create table t as select * from u", "u > t | CREATE TABLE t SELECT u");
    check(Kind::Set, "set local search_path to $1", ">  | SET search_path");
    check(Kind::Vacuum, "vacuum(analyze) t", "> t | VACUUM t");
    check(Kind::Begin, "begin", ">  | BEGIN");
}

#[test]
fn both_ways_of_reading_agree_on_ordinary_statements() {
    for (kind, text) in [
        (
            Kind::Select,
            "select u.id, count(*) from users u left join orders o on o.uid = u.id where u.a = $1 group by 1",
        ),
        (
            Kind::Select,
            "select a from t where exists (select $1 from s.u where u.id = t.id) and b in (select c from v)",
        ),
        (
            Kind::Select,
            "with x as (select a from t), y as (table u) select * from x, y, z where substring(a from $1) = $2",
        ),
        (Kind::Select, "select * from (a join (b join c on true) on true), d for update of a"),
        (Kind::Select, "select * from only t, lateral (select * from u) l, lateral f(t.a)"),
        (Kind::Insert, "insert into t(a) select a from u on conflict do nothing returning a"),
        (Kind::Insert, "insert into t select a from only u where b not in (select x from y)"),
        (Kind::Update, "update only t set a = (select b from u limit $1) from v, w where t.id = v.id"),
        (Kind::Delete, "delete from t using u join v using (id), w where t.a = u.a"),
        (Kind::Select, "(select a from t) union all (select b from u) order by 1"),
        (Kind::Select, "select (a is null) is distinct from (b) from t"),
        (
            Kind::Merge,
            "with x as (select a from t) merge into u using x on u.a = x.a when not matched then insert values (x.a)",
        ),
        (Kind::Select, "with recursive x as (select a from y), y as (select a from rows) select * from x"),
        (Kind::Explain, "explain select * from t"),
    ] {
        assert_eq!(
            Relations::parsed(text, kind).map(|found| found.steps),
            Some(Relations::lexical(text, kind).steps),
            "{text}"
        );
    }
}

#[test]
fn columns_compared_in_where_and_join() {
    let filters = |kind, text: &str| describe_text(kind, text).filters.join(" ");
    assert_eq!(
        filters(Kind::Select, "select a from t where b = $1 and (c > $2 or lower(d) = $3) and e is null"),
        "t.b t.c t.e"
    );
    assert_eq!(
        filters(
            Kind::Select,
            "select * from orders o join users u on u.id = o.user_id join x using (k) where o.at between $1 and $2 and state in ($3)"
        ),
        "users.id orders.user_id k orders.at state",
    );
    assert_eq!(
        filters(Kind::Select, "select b = c from t where (d, e) = ($1, $2) and f::text like $3 and g -> $4 = $5"),
        "t.d t.e t.f"
    );
    assert_eq!(filters(Kind::Update, "update t set a = $1 where id = any ($2)"), "t.id");
    assert_eq!(filters(Kind::Delete, "delete from t as x where x.\"Id\" = $1"), "t.\"Id\"");
    assert_eq!(filters(Kind::Select, "with c as (select a from t where b = $1) select * from c where a = $2"), "t.b");
    assert_eq!(
        filters(Kind::Select, "select * from t where exists (select $1 from u where u.tid = t.id)"),
        "u.tid t.id"
    );
}

#[test]
fn the_class_follows_from_kind_and_relations() {
    let class = |kind, text: &str| describe_text(kind, text).class;
    assert_eq!(class(Kind::Select, "select $1"), Class::Probe);
    assert_eq!(class(Kind::Select, "select now()"), Class::Data);
    assert_eq!(
        class(Kind::Select, "select * from pg_catalog.pg_class c join pg_namespace n on n.oid = c.relnamespace"),
        Class::Introspection
    );
    assert_eq!(class(Kind::Select, "select * from information_schema.columns"), Class::Introspection);
    assert_eq!(class(Kind::Select, "select * from pg_class, users"), Class::Data);
    assert_eq!(class(Kind::Select, "select * from pg_stat_statements"), Class::Data);
    assert_eq!(class(Kind::Select, "select * from pg_stat_activity"), Class::Introspection);
    assert_eq!(class(Kind::Delete, "delete from pg_class"), Class::Data);
    assert_eq!(class(Kind::Savepoint, "savepoint $1"), Class::Transaction);
    assert_eq!(class(Kind::Prepare, "prepare $1 as select $2"), Class::Session);
    assert_eq!(class(Kind::Execute, "execute $1"), Class::Data);
    assert_eq!(class(Kind::Vacuum, "vacuum"), Class::Ddl);
    for pseudo in Pseudo::ALL {
        let description = describe(&pseudo.query());
        assert_eq!((description.class, &*description.summary), (pseudo.class(), pseudo.text()));
    }
}

#[test]
fn a_summary_is_cut_between_names() {
    let tables: Vec<String> = (0..100).map(|n| format!("table_{n}")).collect();
    let description = describe_text(Kind::Select, &format!("select * from {}", tables.join(", ")));
    assert_eq!(description.tables.len(), 100);
    assert!(
        (240..=255).contains(&description.summary.len()) && description.summary.ends_with(" table_27"),
        "{}",
        description.summary
    );
}

#[test]
fn a_cut_text_is_read_as_far_as_it_goes() {
    check(Kind::Select, "select * from a join b on a.x = b.y where z in (select q fro…", "a b >  | SELECT a b SELECT");
}

#[test]
fn deep_texts_end_and_keep_the_stack() {
    for times in [20, 45, 60, 2_000, 100_000] {
        for (open, middle, close) in [
            ("(", "select $1", ")"),
            ("select (", "a", ")"),
            ("select * from (", "t", ")"),
            ("select * from t where a in (", "$1", ")"),
            ("select f(", "a", ")"),
            ("select not ", "a", ""),
            ("select case when ", "a", " then b end"),
            ("select array[", "a", "]"),
            ("select a from t union ", "select a from t", ""),
        ] {
            if times <= 2_000 || open == "(" {
                describe_text(Kind::Select, &[open.repeat(times), middle.into(), close.repeat(times)].concat());
            }
        }
    }
}

#[test]
fn chains_as_long_as_is_parsed_keep_the_stack() {
    for (open, link) in [
        ("select a", " + a"),
        ("select a", "::x"),
        ("select a", "[b]"),
        ("select a", " collate c"),
        ("select a", " between b and c"),
        ("select a", " or b in (c)"),
        ("select (a)", ".b"),
        ("select a::x", "[]"),
        ("select * from t where a", " is null"),
        ("select a from t", " union select a"),
        ("select * from t", " join t on a"),
        ("with a as (select a)", ", a(a)"),
    ] {
        for bytes_max in [16 * 1024, 64 * 1024] {
            let times = (bytes_max - open.len()) / link.len();
            let description = describe_text(Kind::Select, &[open, &link.repeat(times)].concat());
            assert!(description.summary.starts_with("SELECT") || open.starts_with("with"), "{open}{link}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_soup_of_tokens_is_described(
        words in prop::collection::vec(prop::sample::select(&SOUP[..]), 0..60),
        kind in prop::sample::select(Kind::ALL),
    ) {
        let text = words.join(" ");
        let description = describe_text(kind, &text);
        prop_assert!(description.summary.len() <= SUMMARY_BYTES_MAX);
        for table in description.tables.iter() {
            prop_assert!(description.reads.contains(table) || description.writes.contains(table));
            prop_assert!(table.split('.').all(|part| text.contains(part)), "{} of {}", table, text);
        }
    }

    #[test]
    fn any_text_is_described(text in "\\PC{0,200}", kind in prop::sample::select(Kind::ALL)) {
        describe_text(kind, &text);
    }
}

const SOUP: [&str; 64] = [
    "select",
    "from",
    "where",
    "join",
    "on",
    "insert",
    "into",
    "values",
    "update",
    "set",
    "delete",
    "using",
    "merge",
    "when",
    "matched",
    "then",
    "with",
    "recursive",
    "as",
    "table",
    "union",
    "all",
    "group",
    "by",
    "order",
    "limit",
    "returning",
    "a",
    "b",
    "t",
    "u",
    "\"Q\"",
    "\"",
    "$1",
    "1",
    "(",
    ")",
    "(",
    ")",
    ",",
    ",",
    ".",
    "=",
    "<>",
    "and",
    "or",
    "not",
    "in",
    "is",
    "null",
    "::",
    "[",
    "]",
    "explain",
    "copy",
    "create",
    "for",
    "only",
    "lateral",
    "date",
    "interval",
    "case",
    "end",
    "…",
];
