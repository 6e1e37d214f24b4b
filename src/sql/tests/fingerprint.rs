//! FINGERPRINT.md by its examples, rule by rule where those are silent.

use super::*;
use crate::sql::statement::Encoding;

#[track_caller]
fn check_in(dialect: Dialect, sql: impl AsRef<[u8]>, texts: &[&str]) {
    let found = fingerprint(sql.as_ref(), dialect);
    let found: Vec<&str> = found.iter().map(|statement| &*statement.text).collect();
    assert_eq!(found, texts, "{}", String::from_utf8_lossy(sql.as_ref()));
}

#[track_caller]
fn check(sql: &str, text: &str) {
    check_in(Dialect::default(), sql, &[text]);
    check_in(Dialect::default(), text, &[text]);
}

#[test]
fn each_example_has_its_text_and_hash() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/fingerprints.jsonl");
    let mut count = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let fact: serde_json::Value = serde_json::from_str(line).unwrap();
        let sql = fact["sql"].as_str().unwrap();
        let found = fingerprint(sql.as_bytes(), Dialect::default());
        let first = found.first().unwrap();
        assert_eq!(first.text, fact["query"].as_str().unwrap(), "{sql}");
        assert_eq!(first.hash.to_string(), fact["query_hash"].as_str().unwrap(), "{sql}");
        count += 1;
    }
    assert!(count >= 100);
}

#[test]
fn spaces_and_comments_are_nothing() {
    check("select\t\x0b\x0c\r\n1 -- x\r, 2", "select $1, $2");
    check("select /* /* ' */ \" */ 1/**/,/***/2/*/*/ */ */", "select $1, $2");
    check("select 1 /* unterminated /* */ , 'x'", "select $1");
}

#[test]
fn strings_join_their_continuations() {
    check("select 'a' /* c */ 'b' 'c', E'\\'' 'd\\'', 'e'", "select $1, $2, $3");
    check(
        "select U&'d' 'x' uescape /* c */ '!', u&'d' uescape, U&'d' uescape + 1",
        "select $1, $2 uescape, $3 uescape + $4",
    );
    check("select U&'d' uescape", "select $1 uescape");
    check("select 'a' E'b' n'c', b'0' x'1'", "select $1, $2");
    check("select $$a$$ $$b$$ 'c'", "select $1 $2 $3");
}

#[test]
fn a_backslash_escapes_where_the_session_says_so() {
    let old = Dialect { standard_strings: false, ..Dialect::default() };
    check_in(old, r"select 'a\'b', N'\'', e'\'', x", &["select $1, $2, $3, x"]);
    check_in(old, r"select U&'\', x, B'\', y", &["select $1, x, $2, y"]);
    check_in(Dialect::default(), r"select 'a\', x, n'\', y", &["select $1, x, $2, y"]);
}

#[test]
fn a_byte_of_a_pair_is_no_syntax() {
    let sjis = Dialect { standard_strings: false, encoding: Encoding::ShiftJis };
    let big5 = Dialect { standard_strings: false, encoding: Encoding::DoubleByte };
    check_in(sjis, b"select '\x83\\', x, '\xb1\\', 1'", &["select $1, x, $2"]);
    check_in(big5, b"select '\x83\\', x, '\xb1\\', y", &["select $1, x, $2, y"]);
    check_in(big5, b"select e'\\\x83\\', x, '\x83', y", &["select $1, x, $2, y"]);
    check_in(big5, b"select \x83A, \x83\x5b1, $\x83A$ ' $\x83A$", &["select \u{fffd}A, \u{fffd}[1, $1"]);
    check_in(sjis, b"select \xb1A", &["select \u{fffd}a"]);
}

#[test]
fn dollar_quotes_end_at_their_own_tag() {
    check("select $a$ $b$ $A$ $a $a$, $$ $a$ $$, $é$ $ $é$", "select $1, $2, $3");
    let tag = "t".repeat(300);
    check(&format!("select ${tag}$ $t$ ' ${tag}x$ ${tag}$, x"), "select $1, x");
    check("select $a b, $ 1, $e'x', $", "select $ a b, $ $1, $ $2, $");
    check("select $a$ unterminated $b$", "select $1");
}

#[test]
fn numbers_end_where_they_must() {
    check("select 1_, 1__0, 1._5, 1.5_0, 1e5_0, 1e+, 1e+x", "select $1 _, $2 __0, $3 _5, $4, $5, $6 e +, $7 e + x");
    check("select 0x, 0x_f, 0b1e5, 0xg, 1e-5.5, 1.e", "select $1 x, $2, $3, $4 xg, $5 $6, $7 e");
    check("select a.5, \"A\".5, (a).5, a[1].5, $1.5, '1'.5", "select a.$1, \"A\".$2, (a).$3, a[$4].$5, $6 $7, $8 $9");
    check("select 1...2, 1e--x", "select $1..$2, $3 e");
}

#[test]
fn quotes_stay_where_they_matter() {
    check(
        r#"select "a", "A", "a b", "1a", "", "select", "current_timestamp", "a""#,
        r#"select a, "A", "a b", "1a", "", "select", "current_timestamp", a"#,
    );
    check("select u&\"a\", \"unterminated", "select u&\"a\", \"unterminated");
    check("select \"by\" -1", "select by $1");
}

#[test]
fn operators_give_signs_back() {
    check("select a*-b, a@-b, a+-+b, a/-/*c*/b, a<--c", "select a * - b, a @- b, a + - + b, a / - b, a <");
    check(&format!("select {}", "=".repeat(100)), &format!("select {} {}", "=".repeat(64), "=".repeat(36)));
}

#[test]
fn a_sign_is_part_of_a_number_alone() {
    check("select -'1', -$1, -x, - 1.5, not -1, 1 - -.5", "select - $1, - $2, - x, $3, not $4, $5 - $6");
    check("select 1 order by -1, - 2, 3", "select $1 order by $2, $3, 3");
}

#[test]
fn null_true_and_false_hide_where_they_are_data() {
    check("select null, x is null, y as null, t.null, not true", "select $1, x is null, y as null, t.null, not true");
    check("alter table t alter a set default null", "alter table t alter a set default null");
    check("explain execute x(null)", "explain execute x($1)");
    check("execute x(null, true)", "execute $1 ($2, $3)");
}

#[test]
fn positions_stay_until_their_clause_ends() {
    check(
        "select 1 group by 1, f(2, 3), 4 having 5 order by 6, 7 limit 8",
        "select $1 group by 1, f($2, $3), 4 having $4 order by 6, 7 limit $5",
    );
    check("select x over (order by 1, 2), 3 order by 1_0, 1.5", "select x over (order by 1, 2), $1 order by $2, $3");
    check("select 1 order by 1 . x, 1..2", "select $1 order by 1 .x, 1 .$2");
    check("select 1 order by 1664, 16640, 4111111111111111", "select $1 order by 1664, $2, $3");
}

#[test]
fn equal_neighbours_of_a_list_fold() {
    check("select a in (1,,2), b in (), c in (,,)", "select a in ($1,, $2), b in (), c in ()");
    check(
        "select a in ((select 1), (select 2)), b in (values (1), (2))",
        "select a in ((select $1)), b in (values ($2))",
    );
    check("select array[[1,a],[2,a]], array[a[1],a[2]]", "select array[[$1, a]], array[a[$2]]");
    check("select a in (1, 2,  3,$4 , 'five', -6, x, 7, 8, 9.5, 10)", "select a in ($1, x, $2)");
    check("select a in ('a', 'b''c', 'd', E'e', $f$,$f$, 'g' 'h', 'i', 1and, 2)", "select a in ($1, $2 and, $3)");
    check("select 1 order by a in (1, 2, 3), 4, 5", "select $1 order by a in ($2), 4, 5");
    check("select a in (by 1, 2, 3, 3)", "select a in (by 1, 2, 3)");
    check("values (1), (2), x, (3), (3)", "values ($1), x, ($2), ($3)");
    check("values (1) + (2), (3)", "values ($1) + ($2), ($3)");
    check("select a in (1, 2", "select a in ($1, $2");
    let deep = |depth: usize| format!("select {}1,1{}", "a in (".repeat(depth), ")".repeat(depth));
    check(&deep(16), &deep(16).replace("1,1", "$1"));
    check(&deep(17), &deep(17).replace("1,1", "$1, $2"));
}

#[test]
fn names_that_are_data_hide() {
    check("release savepoint \"A\"", "release savepoint $1");
    check("abort work to savepoint s", "abort work to savepoint $1");
    check("deallocate prepare all", "deallocate prepare all");
    check("fetch absolute -5 in c", "fetch absolute - $1 in $2");
    check("move backward all from \"C\"", "move backward all from $1");
    check("unlisten *", "unlisten *");
}

#[test]
fn values_of_settings_hide() {
    check("set session x.y.z = 1, (2), 'a' -- c", "set session x.y.z to $1");
    check("set local role bob", "set local role $1");
    check("set local time zone interval '1' hour", "set local time zone $1");
    check("set session session authorization default", "set session session authorization $1");
    check("set names 'utf8'", "set names $1");
    check("set local x to default", "set local x to $1");
    check("set constraints all deferred", "set constraints all deferred");
    check("set \"X\" = -1", "set \"X\" to $1");
}

#[test]
fn values_of_settings_that_are_altered_hide() {
    check("alter role bob set app.key = hunter2", "alter role bob set app.key to $1");
    check(
        "ALTER USER \"Bob\" IN DATABASE d SET x.y TO \"Hunter2\", b",
        "alter user \"Bob\" in database d set x.y to $1",
    );
    check("alter database d set x from current", "alter database d set x from current");
    check("alter system set x = -1", "alter system set x to $1");
    check("alter function f(int) set a = b set c to d", "alter function f(int) set a to $1");
    check("alter role bob set role = alice", "alter role bob set role $1");
    for unchanged in [
        "alter table t set schema x",
        "alter table t set(fillfactor = $1)",
        "alter table t alter a set default $1, alter b set default $2",
        "alter table t alter a set default null",
        "alter table t alter a set data type varchar($1)",
        "alter publication p set table a, b",
        "alter table t rename to u",
        "alter role bob reset x",
    ] {
        check(unchanged, unchanged);
    }
}

#[test]
fn a_text_holds_its_statements() {
    let check = |sql: &str, texts: &[&str]| check_in(Dialect::default(), sql, texts);
    check("begin; ; select ';' ; /* ; */ commit;", &["begin", "select $1", "commit"]);
    check(" ; ;", &[""]);
    check(" -- c", &[]);
    check("", &[]);
    check(
        "create rule r as on insert to t do (select 1; select 2); select 3",
        &["create rule r as on insert to t do(select $1; select $2)", "select $1"],
    );
    check("select begin atomic; end", &["select begin atomic", "end"]);
    check("set x = (1; 2); show x", &["set x to $1", "show x"]);
    check("select 1); select 2", &["select $1)", "select $1"]);
}

#[test]
fn a_long_text_is_cut() {
    let long = format!("select {}", "x, ".repeat(30_000));
    let text = &fingerprint(long.as_bytes(), Dialect::default())[0].text;
    assert_eq!(text.len(), 65_536);
    assert!(long.starts_with(&**text));
    // The placeholder is one byte of them, lists fold as they come.
    let list = format!("select {} in ({}1)", "x".repeat(65_500), "1, ".repeat(50_000));
    check(&list, &format!("select {} in ($1)", "x".repeat(65_500)));
    let then = format!("{}; select 2", "y ".repeat(40_000));
    check_in(Dialect::default(), &then, &[&"y ".repeat(32_768), "select $1"]);
}
