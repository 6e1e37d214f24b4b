//! `route`: figures of what ran with one value of a tag.

use serde_json::{Value, json};

use super::support::{Memory, SONGS, ask, at, busy, executed, get, identity, millis, query, site};
use crate::session::observation::{Event, Observation};
use crate::sql::hash::QueryHash;
use crate::sql::kind::Kind;
use crate::sql::statement::{Details, Tags};

/// What is not counted by tag.
const UNKNOWN: [&str; 9] = [
    "aborted",
    "bytes_in",
    "bytes_out",
    "min_ms",
    "max_ms",
    "first_row_mean_ms",
    "client_stall_ms",
    "batched",
    "level",
];

fn row<'a>(answer: &'a Value, text: &str) -> &'a Value {
    let rows = answer["queries"].as_array().unwrap();
    rows.iter().find(|row| row["query"] == text).unwrap_or_else(|| panic!("no {text}: {answer:#}"))
}

#[tokio::test]
async fn statements_of_a_route_have_its_figures_alone() {
    let site = site(&busy());
    let answer = get(&site, "/api/performance?metric=queries&route=/songs&sparkline=p95_ms").await;
    assert_eq!(answer["total"], 2, "what carries no tag is left out: {answer:#}");
    // Of 20 calls the one that failed carried no tag; 19 took 1 to 19 ms.
    let songs = row(&answer, SONGS);
    assert_eq!((&songs["calls"], &songs["errors"], &songs["rows"]), (&json!(19), &json!(0), &json!(38)));
    assert_eq!((&songs["total_ms"], &songs["mean_ms"]), (&json!(190.0), &json!(10.0)));
    assert!((songs["p95_ms"].as_f64().unwrap() - 19.0).abs() < 0.2, "{songs}");
    assert_eq!(songs["share_percent"], 13.67, "of 190 ms and 1,200 ms");
    let points = songs["sparkline"].as_array().unwrap();
    assert_eq!(points.iter().filter(|point| **point == songs["p95_ms"]).count(), 1, "{points:?}");
    for name in UNKNOWN {
        assert_eq!(songs[name], Value::Null, "{name} is not counted by tag");
    }
    let whole = get(&site, "/api/performance?metric=queries").await;
    assert_eq!(row(&whole, SONGS)["calls"], 20);
    assert!(UNKNOWN.iter().all(|name| !row(&whole, SONGS)[name].is_null()));
    assert_eq!(get(&site, "/api/performance?metric=queries&route=/nowhere").await["total"], 0);
}

#[tokio::test]
async fn a_route_is_sorted_searched_and_paged_as_the_whole() {
    let site = site(&busy());
    let of = async |more: &str| get(&site, &format!("/api/performance?metric=queries&route=/songs&{more}")).await;
    assert_eq!(of("sort=calls&limit=1").await["queries"][0]["query"], SONGS);
    let second = of("sort=calls&limit=1&cursor=1").await;
    assert_eq!((&second["queries"][0]["calls"], &second["cursor"]), (&json!(1), &Value::Null));
    let found = of("search=ALBUMS&group_by=hash&server=main").await;
    assert_eq!((&found["total"], &found["queries"][0]["total_ms"]), (&json!(1), &json!(1_200.0)));
}

#[tokio::test]
async fn one_statement_and_the_timeline_are_of_the_route_too() {
    let site = site(&busy());
    let hash = QueryHash::of(SONGS);
    let answer = get(&site, &format!("/api/performance?metric=query&hash={hash}&route=/songs&step=hour")).await;
    assert_eq!((&answer["calls"], &answer["series"]["calls"]), (&json!(19), &json!([19])));
    let counts: u64 = answer["histogram"]["counts"].as_array().unwrap().iter().filter_map(Value::as_u64).sum();
    assert_eq!(counts, 19);
    for name in ["callers", "errors_by_code", "baseline"] {
        assert_eq!(answer[name], Value::Null, "{name} is not known of a route");
    }
    assert_eq!(answer["routes"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&answer["routes"][0]["value"], &answer["routes"][0]["share_percent"]),
        (&"/songs".into(), &100.0.into())
    );
    let none = get(&site, &format!("/api/performance?metric=query&hash={hash}&route=/nowhere")).await;
    assert_eq!((&none["calls"], &none["p95_ms"], &none["samples"]), (&json!(0), &Value::Null, &json!([])));
    let timeline = get(&site, "/api/performance?metric=timeline&step=hour&route=/songs").await;
    assert_eq!(timeline["series"]["calls"], json!([20]));
}

#[tokio::test]
async fn single_executions_have_tags_and_whoever_ran_them() {
    let site = site(&busy());
    let of = async |more: &str| {
        let answer = get(&site, &format!("/api/performance?metric=slow_queries&{more}")).await;
        answer["slow_queries"].as_array().unwrap().len()
    };
    assert_eq!((of("").await, of("route=/songs").await, of("route=/nowhere").await), (2, 1, 0));
    assert_eq!((of("route=/songs&user=shop").await, of("route=/songs&user=batch").await), (1, 0));
}

#[tokio::test]
async fn key_says_which_tag_it_is() {
    let (mut memory, who) = (Memory::new(), identity("music", "shop", "web"));
    let pairs = vec![("route".into(), "/a".into()), ("action".into(), "show".into())];
    let tags = Some(std::sync::Arc::new(Tags { pairs, name: None }));
    let details = Details { tags, ..Details::default() }.kept();
    memory.happens(Event::Statement(Observation {
        details,
        ..executed(&query(Kind::Select, "select 1"), &who, millis(5))
    }));
    memory.merge(at(1), |_| {});
    let site = site(&memory);
    for (asked, total) in [("key=action&route=show", 1), ("key=route&route=/a", 1), ("key=action&route=/a", 0)] {
        assert_eq!(get(&site, &format!("/api/performance?metric=queries&{asked}")).await["total"], total, "{asked}");
    }
}

#[tokio::test]
async fn what_figures_by_route_are_not_split_by_is_refused() {
    let site = site(&busy());
    let hash = QueryHash::of(SONGS);
    for metric in ["queries".to_owned(), "timeline".to_owned(), format!("query&hash={hash}")] {
        for (other, said) in [("database=music", "database"), ("user=shop", "user"), ("application=web", "application")]
        {
            let path = format!("/api/performance?metric={metric}&route=/songs&{other}");
            let answered = ask(&site, &path, &[]).await;
            assert_eq!(answered.status, 400, "{path}");
            assert!(answered.text.contains(&format!("route and {said} can't be combined")), "{}", answered.text);
        }
    }
    for (other, said) in
        [("group_by=hash,database", "allowed is hash where route"), ("sort=max_ms", "allowed is any other")]
    {
        let answered = ask(&site, &format!("/api/performance?metric=queries&route=/songs&{other}"), &[]).await;
        assert_eq!(answered.status, 400, "{other}");
        assert!(answered.text.contains(said), "{}", answered.text);
    }
    // It means nothing to others.
    assert_eq!(get(&site, "/api/performance?route=/nowhere&user=shop").await["totals"]["calls"], 20);
}
