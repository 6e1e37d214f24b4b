use std::sync::Arc;

use proptest::prelude::*;

use super::*;

/// Lexes nothing but comments: each entry is a comment, `;` a token of the statement.
fn collect(parts: &[&str]) -> (Option<Arc<Tags>>, Option<Trace>) {
    let mut collector = Collector::default();
    for part in parts {
        feed(&mut collector, part, usize::MAX);
    }
    collector.finish(&mut Interner::default())
}

fn feed(collector: &mut Collector, part: &str, piece: usize) {
    let (style, body) = match (part.strip_prefix("--"), part.strip_prefix("/*")) {
        (Some(body), _) => (CommentStyle::Line, body),
        (_, Some(body)) => (CommentStyle::Block, body.strip_suffix("*/").unwrap_or(body)),
        _ => return collector.token(),
    };
    collector.begin(style);
    body.as_bytes().chunks(piece).for_each(|bytes| collector.bytes(bytes));
    collector.end();
}

/// The pairs as `key=value`, the name in front as `<name>`.
fn check(parts: &[&str], expected: &[&str]) {
    let tags = collect(parts).0;
    let mut got = Vec::new();
    if let Some(tags) = &tags {
        got.extend(tags.name.iter().map(|name| format!("<{name}>")));
        got.extend(tags.pairs.iter().map(|(key, value)| format!("{key}={value}")));
    }
    assert_eq!(got, expected, "{parts:?}");
}

#[test]
fn sqlcommenter_pairs_are_unescaped_and_percent_decoded() {
    check(
        &[";", "/*action='%2Fparam*d',controller='it\\'s',framework='spring'*/"],
        &["action=/param*d", "controller=it's", "framework=spring"],
    );
    check(
        &[";", "/* route%20parameter='%C3%A9', plus='a+b', odd='100%' */"],
        &["route parameter=é", "plus=a+b", "odd=100%"],
    );
    check(&["/*a='x=1,y:2'*/", ";"], &["a=x=1,y:2"]);
}

#[test]
fn marginalia_and_bare_pairs_are_accepted() {
    check(
        &["/*application:Joe,controller:items,line:/app/x.rb:12:in `show'*/", ";"],
        &["application=Joe", "controller=items", "line=/app/x.rb:12:in `show'"],
    );
    check(&[";", "/* key1=value1, key2=value2 */"], &["key1=value1", "key2=value2"]);
    check(&[";", "-- job:Foo::Bar"], &["job=Foo::Bar"]);
    check(&["/* pgvitals:no-alert */", ";"], &["pgvitals=no-alert"]);
}

#[test]
fn the_name_of_sqlc_and_its_kin() {
    check(&["-- name: GetUser :one", ";"], &["<GetUser>"]);
    check(&["/* name: ListUsers :many */", ";"], &["<ListUsers>"]);
    check(&["-- name: get-user", ";", "/*route='/u'*/"], &["<get-user>", "route=/u"]);
    check(&["-- name: First :one", "-- name: Second :one", ";"], &["<First>"]);
    check(&["/*name:checkout,controller:shop*/", ";"], &["<checkout>", "name=checkout", "controller=shop"]);
}

#[test]
fn prose_hints_and_malformed_comments_say_nothing() {
    for prose in [
        "-- get the user, then his orders",
        "-- TODO: fix this",
        "-- note: important",
        "-- see https://example.com/a=b",
        "-- https://example.com",
        "-- x::int",
        "-- a = b and c = d",
        "-- name: of the rose",
        "-- name:",
        "-- 1=1",
        "-- 12:30",
        "/*+ SeqScan(t) */",
        "/*+a='b'*/",
        "/*a='b*/",
        "/*a='b',and more*/",
        "/*a='b'c='d'*/",
        "/*a='%FF'*/",
        "/*a='x%00y'*/",
        "/* */",
        "/*='x'*/",
        "--",
        "/*a='/* nested */'b*/",
    ] {
        check(&[prose, ";"], &[]);
    }
    check(&["/*a='1',oops*/", "/*b='2'*/", ";"], &["b=2"]);
}

#[test]
fn only_comments_before_and_after_the_statement_count_and_the_first_value_wins() {
    check(&["/*a='1'*/", ";", "/*b='2'*/", ";", "/*a='3',c='4'*/"], &["a=1", "c=4"]);
    check(&[";", "-- name: Inside :one", ";", "/*b='2'*/", ";"], &[]);
}

#[test]
fn keys_values_and_their_number_are_capped() {
    let long = format!("/*k='{}'*/", "é".repeat(200));
    check(&[&long, ";"], &[&format!("k={}", "é".repeat(128))]);
    check(&[&format!("/*{}='v'*/", "k".repeat(64)), ";"], &[&format!("{}=v", "k".repeat(64))]);
    check(&[&format!("/*{}='v'*/", "k".repeat(65)), ";"], &[]);
    check(&[&format!("/*k='{}'*/", "v".repeat(COMMENT_BYTES_MAX)), "/*a='b'*/", ";"], &["a=b"]);
    let many: Vec<String> = (0..20).map(|n| format!("k{n}='{n}'")).collect();
    let expected: Vec<String> = (0..16).map(|n| format!("k{n}={n}")).collect();
    check(&[&format!("/*{}*/", many.join(",")), ";"], &expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn traceparent_is_kept_apart() {
    let parent = "00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01";
    let (tags, trace) = collect(&[";", &format!("/*route='/u',traceparent='{parent}'*/")]);
    let trace = trace.expect("a valid trace context");
    assert_eq!((trace.trace_id[0], trace.span_id[7], trace.sampled), (0x5b, 0xd2, true));
    assert_eq!(tags.expect("a tag").pairs, [("route".into(), "/u".into())]);
    for bad in [
        "ff-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01",
        "00-00000000000000000000000000000000-c532cb4098ac3dd2-01",
        "00-5bd66ef5095369c7b0d1f8f4bd33716a-0000000000000000-01",
        "00-5BD66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01",
        "00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-0",
        "00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-011",
        "005-bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01",
    ] {
        assert_eq!(collect(&[&format!("/*traceparent='{bad}'*/"), ";"]), (None, None), "{bad}");
    }
    assert!(high_cardinality("traceparent") && high_cardinality("request_id") && !high_cardinality("route"));
}

#[test]
fn equal_sets_share_one_allocation_whatever_floods_by() {
    let (mut collector, mut interner) = (Collector::default(), Interner::default());
    let mut route = |collector: &mut Collector, value: &str| {
        feed(collector, &format!("/*route='{value}'*/"), usize::MAX);
        collector.finish(&mut interner).0.expect("a tag")
    };
    let first = route(&mut collector, "/users");
    for n in 0..10 * SETS_MAX {
        route(&mut collector, &n.to_string());
        assert!(Arc::ptr_eq(&first, &route(&mut collector, "/users")));
    }
    assert!(interner.young.len() <= SETS_MAX && interner.old.len() <= SETS_MAX);
}

#[test]
fn a_statement_inherits_nothing_from_the_one_before() {
    let (mut collector, mut interner) = (Collector::default(), Interner::default());
    feed(&mut collector, "/*route='/users'*/", usize::MAX);
    collector.reset();
    assert_eq!(collector.finish(&mut interner), (None, None));
    feed(&mut collector, "-- name: GetUser :one", usize::MAX);
    assert!(collector.finish(&mut interner).0.is_some());
    assert_eq!(collector.finish(&mut interner), (None, None));
}

proptest! {
    #[test]
    fn any_split_gives_the_same_and_every_cap_holds(
        bodies in prop::collection::vec("[a-c]{0,70}[=:]'?[a-c%é\\\\' ,\n0-9]{0,40}'?(,[a-z]=[a-z])*", 0..6),
        piece in 1_usize..9,
    ) {
        let (mut whole, mut pieces) = (Collector::default(), Collector::default());
        for body in &bodies {
            feed(&mut whole, &format!("/*{body}*/"), usize::MAX);
            feed(&mut pieces, &format!("/*{body}*/"), piece);
        }
        let (tags, trace) = whole.finish(&mut Interner::default());
        prop_assert_eq!((tags.clone(), trace), pieces.finish(&mut Interner::default()));
        for (key, value) in tags.iter().flat_map(|tags| &tags.pairs) {
            prop_assert!(!key.is_empty() && key.len() <= 64 && !value.is_empty() && value.len() <= 256);
        }
    }

    #[test]
    fn random_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut collector = Collector::default();
        collector.begin(CommentStyle::Line);
        collector.bytes(&body);
        collector.end();
        collector.token();
        let tags = collector.finish(&mut Interner::default()).0;
        prop_assert!(tags.is_none_or(|tags| tags.pairs.len() <= 16));
    }
}
