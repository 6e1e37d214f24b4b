//! What must hold for every text.

use proptest::prelude::*;

use crate::sql::fingerprint::{Fingerprinter, fingerprint};
use crate::sql::statement::{Dialect, Encoding, Statements};

/// Bits of SQL that meet in ways nobody would write.
const BITS: [&str; 97] = [
    " ",
    "\n",
    "--",
    "/*",
    "*/",
    "/* c */",
    "-- c\n",
    "'",
    "''",
    "'a'",
    "E'",
    "e'\\'",
    "N'b'",
    "U&'",
    "U&\"",
    "u&",
    "uescape",
    "$",
    "$$",
    "$a$",
    "$1",
    "$12",
    "1",
    "0",
    "23",
    "1.",
    ".5",
    "1.5",
    "1e",
    "1e5",
    "1e+",
    "0x",
    "0x1f",
    "1_0",
    "_",
    "\"",
    "\"a\"",
    "\"A\"",
    "\"by\"",
    "\"in\"",
    "(",
    "(",
    ")",
    ")",
    "[",
    "]",
    ",",
    ",",
    ", ",
    ".",
    ":",
    "::",
    ":=",
    ";",
    "-",
    "-",
    "+",
    "*",
    "/",
    "=",
    "<",
    ">",
    "!=",
    "@",
    "null",
    "true",
    "is",
    "not",
    "as",
    "inner",
    "asc",
    "by",
    "order by",
    "limit",
    "in",
    "in (",
    "array",
    "array[",
    "values",
    "values (",
    "select",
    "set",
    "to",
    "create",
    "begin atomic",
    "case",
    "end",
    "prepare",
    "execute",
    "fetch",
    "alter",
    "rollback",
    "é",
    "x",
    "\u{0}",
    "{",
    "\\",
];

fn soup() -> impl Strategy<Value = String> {
    let gap = prop_oneof![Just(""), Just(" ")];
    prop::collection::vec((0..BITS.len(), gap), 0..40)
        .prop_map(|bits| bits.into_iter().flat_map(|(bit, gap)| [BITS[bit], gap]).collect())
}

fn dialect() -> impl Strategy<Value = Dialect> {
    use Encoding::*;
    let encoding = prop_oneof![Just(AsciiSafe), Just(SingleByte), Just(DoubleByte), Just(ShiftJis)];
    (any::<bool>(), encoding).prop_map(|(standard_strings, encoding)| Dialect { standard_strings, encoding })
}

fn in_pieces(sql: &[u8], dialect: Dialect, cuts: &[usize]) -> Statements {
    let mut fingerprinter = Fingerprinter::new(8_192, 1);
    let ticket = fingerprinter.begin(dialect);
    let mut at = 0;
    for cut in cuts.iter().copied().chain([sql.len()]) {
        fingerprinter.feed(&ticket, &sql[at..cut.max(at)]);
        at = cut.max(at);
    }
    fingerprinter.end(ticket)
}

fn whole(sql: &[u8], dialect: Dialect) -> Statements {
    Fingerprinter::new(8_192, 1).statements(sql, dialect)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_canonical_text_is_its_own(sql in soup()) {
        for statement in fingerprint(sql.as_bytes(), Dialect::default()) {
            let again = fingerprint(statement.text.as_bytes(), Dialect::default());
            let texts: Vec<&str> = again.iter().map(|again| &*again.text).collect();
            let want = if statement.text.is_empty() { vec![] } else { vec![&*statement.text] };
            prop_assert_eq!(texts, want, "{}", sql);
        }
    }

    #[test]
    fn the_worker_tells_what_the_function_tells(sql in soup(), dialect in dialect()) {
        let pure = fingerprint(sql.as_bytes(), dialect);
        let pure: Vec<_> = pure.iter().filter(|one| !one.text.is_empty()).map(|one| (one.hash, one.kind)).collect();
        let mut fingerprinter = Fingerprinter::new(8_192, 1);
        for _ in 0..4 {
            let statements = fingerprinter.statements(sql.as_bytes(), dialect);
            let found: Vec<_> = statements.iter().map(|one| (one.query.hash, one.query.kind)).collect();
            prop_assert_eq!(&found, &pure);
        }
    }

    #[test]
    fn a_literal_never_shows(parts in prop::collection::vec(literal(), 1..6), tail in soup()) {
        let sql = format!("select {} from t where {tail}", parts.join(", "));
        for statement in fingerprint(sql.as_bytes(), Dialect::default()) {
            prop_assert!(!statement.text.to_lowercase().contains("s3cret"), "{} → {}", sql, statement.text);
            prop_assert!(!statement.text.contains("7654"), "{} → {}", sql, statement.text);
        }
    }
}

/// Where statements of all kinds hold what is nobody's business: `{}`.
const PLACES: [&str; 36] = [
    "alter role bob password {}",
    "create user bob encrypted password {} valid until {} connection limit 5",
    "create subscription s connection {} publication p with (slot_name = {})",
    "alter subscription s connection {}",
    "create user mapping for bob server s options (user {}, password {})",
    "alter user mapping for bob server s options (set password {})",
    "create server s foreign data wrapper w options (host {}, port {})",
    "copy t from program {} with (delimiter {})",
    "copy (select {}) to {}",
    "alter system set primary_conninfo = {}",
    "alter role bob in database d set app.key to {}, {}",
    "set app.key = {}",
    "set local app.key to {}, {}",
    "set time zone {}",
    "select set_config('app.key', {}, true)",
    "select a from t where b = {} and c in ({}, {}, x) limit {}",
    "insert into t values ({}, {}), (default, {}) on conflict (a) do update set b = {}",
    "merge into t using s on a = {} when matched then update set a = {} when not matched then insert values ({})",
    "select * from json_table(j, {} columns (a int path {} default {} on empty))",
    "comment on table t is {}",
    "security label for x on table t is {}",
    "notify c, {}",
    "prepare transaction {}",
    "rollback prepared {}",
    "do language plpgsql {}",
    "create function f(a text default {}) returns text language sql as {}",
    "create function f() returns text language sql begin atomic select {}; select case when {} then {} end; end",
    "prepare p as select {}",
    "execute p({}, {})",
    "call p({}, a => {})",
    "explain (analyze) select {}",
    "declare c cursor for select {}",
    "create policy p on t using (a = {})",
    "create type e as enum ({}, {})",
    "create table p partition of t for values from ({}) to ({})",
    "create view v as select {}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_secret_never_shows_in_any_kind_of_statement_not_even_in_a_broken_one(
        place in prop::sample::select(&PLACES[..]),
        secrets in prop::collection::vec(literal(), 6),
        end in any::<prop::sample::Index>(),
    ) {
        let parts: Vec<&str> = place.split("{}").collect();
        let secrets = secrets.iter().map(String::as_str).take(parts.len() - 1).chain([""]);
        let sql: String = parts.iter().copied().zip(secrets).flat_map(|(part, secret)| [part, secret]).collect();
        for text in [sql.as_bytes(), &sql.as_bytes()[..end.index(sql.len())]] {
            for statement in fingerprint(text, Dialect::default()) {
                let shown = statement.text.to_lowercase();
                prop_assert!(!shown.contains("s3cret") && !shown.contains("7654"), "{} → {}", sql, shown);
                let again = fingerprint(statement.text.as_bytes(), Dialect::default());
                prop_assert!(again.iter().all(|again| again.text == statement.text), "{}", statement.text);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_split_is_the_same(sql in soup(), dialect in dialect(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5)) {
        let want = whole(sql.as_bytes(), dialect);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(sql.len() + 1)).collect();
        cuts.sort_unstable();
        prop_assert_eq!(&in_pieces(sql.as_bytes(), dialect, &cuts), &want);
        let each: Vec<usize> = (0..sql.len()).collect();
        prop_assert_eq!(&in_pieces(sql.as_bytes(), dialect, &each), &want);
    }

    #[test]
    fn any_bytes_have_an_answer_and_any_split_the_same(sql in prop::collection::vec(any::<u8>(), 0..200), dialect in dialect()) {
        let each: Vec<usize> = (0..sql.len()).collect();
        prop_assert_eq!(in_pieces(&sql, dialect, &each), whole(&sql, dialect));
    }
}

/// A literal that would be noticed.
fn literal() -> impl Strategy<Value = String> {
    let marked = "[a-z' ]{0,8}".prop_map(|rest| format!("s3cret{rest}s3cret"));
    prop_oneof![
        marked.clone().prop_map(|text| format!("'{}'", text.replace('\'', "''"))),
        marked.clone().prop_map(|text| format!("E'{}'", text.replace('\'', "\\'"))),
        marked.clone().prop_map(|text| format!("U&'{}'", text.replace('\'', "''"))),
        marked.clone().prop_map(|text| format!("$q${text}$q$")),
        marked.clone().prop_map(|text| format!("$${text}$$")),
        marked.prop_map(|text| format!("E'a'\n'\\' {}'", text.replace('\'', ""))),
        (0u32..1_000).prop_map(|number| format!("7654{number}")),
        (0u32..1_000).prop_map(|number| format!("-{number}.7654e-7")),
        Just("0x7654".to_owned()),
        Just("7654_7654".to_owned()),
    ]
}

/// Were time to grow with the square of the length, or the stack with the depth, this would not end well.
#[test]
fn a_megabyte_of_anything_has_an_answer() {
    let bits = [
        "(",
        "[",
        "case ",
        "'",
        "/*",
        "\"",
        "$",
        "$a",
        "$a$",
        "-",
        "+",
        "=",
        "/",
        "1.",
        "1e",
        "_",
        ";",
        "in (",
        "array[",
        "values (1),",
        "select ",
        "null,",
        "(1),",
        ":",
        ".",
        "''",
        "\"\"",
        "e'",
        "u&",
        "create begin atomic ",
        "in (1,(2),",
        "é",
    ];
    for bit in bits {
        let text = bit.repeat((1 << 20) / bit.len());
        let found = fingerprint(text.as_bytes(), Dialect::default());
        assert!(found.iter().all(|statement| statement.text.len() < 1 << 20), "{bit}");
    }
}
