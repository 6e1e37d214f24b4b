//! `/api/events`: what a reader is told, in order, and when the stream ends.

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use serde_json::Value;
use tokio_stream::StreamExt;
use tower::ServiceExt;

use super::support::{Memory, SONGS, START, at, busy, executed, fields, identity, millis, query, settings, sources};
use crate::base::units::Stamp;
use crate::http::app::STREAMS_MAX;
use crate::http::router;
use crate::session::observation::Observation;
use crate::sql::kind::Kind;

struct Events {
    stream: BodyDataStream,
    text: String,
}

impl Events {
    /// The next event's name and data; `None` at the end of the stream.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
                let event = (field("event:"), serde_json::from_str(&field("data:")).unwrap());
                self.text = rest.to_owned();
                return Some(event);
            }
            let chunk = self.stream.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

#[tokio::test]
async fn each_view_is_a_live_event_and_each_new_slow_execution_a_slow_one() {
    let mut memory = busy();
    let (sources, views) = sources(&memory, Ok(()));
    let router = router(settings("127.0.0.1:7480", None), sources);
    let response = router.oneshot(Request::get("/api/events").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut events = Events { stream: response.into_body().into_data_stream(), text: String::new() };
    tokio::task::yield_now().await;

    let (songs, who) = (query(Kind::Select, SONGS), identity("music", "shop", "web"));
    memory.ran(executed(&songs, &who, millis(4)));
    let start = Stamp::from_nanos(at(62).since(START).get());
    memory.ran(Observation { start, ..executed(&songs, &who, millis(900)) });
    memory.merge(at(63), |harvest| harvest.open_sessions = 1);
    views.send(memory.view.clone()).unwrap();

    let (name, slow) = events.next().await.unwrap();
    assert_eq!((name.as_str(), &slow["duration_ms"]), ("slow", &Value::from(900.0)), "older ones aren't told again");
    let (name, live) = events.next().await.unwrap();
    assert_eq!(name, "live");
    assert_eq!(fields(&live), ["at", "calls", "errors", "p50_ms", "p95_ms", "p99_ms", "connections", "top"]);
    assert_eq!((&live["calls"], &live["connections"]), (&Value::from(2), &Value::from(1)));
    assert_eq!(live["top"][0]["query"], SONGS);

    memory.merge(at(66), |_| {});
    views.send(memory.view.clone()).unwrap();
    let (name, live) = events.next().await.unwrap();
    assert_eq!((name.as_str(), &live["calls"], &live["p95_ms"]), ("live", &Value::from(0), &Value::Null));

    drop(views);
    assert_eq!(events.next().await, None, "no more views, no more events");
}

#[tokio::test]
async fn a_reader_that_comes_late_is_told_of_the_next_view() {
    let mut memory = Memory::new();
    let (sources, views) = sources(&memory, Ok(()));
    let router = router(settings("127.0.0.1:7480", None), sources);
    let response = router.oneshot(Request::get("/api/events").body(Body::empty()).unwrap()).await.unwrap();
    let mut events = Events { stream: response.into_body().into_data_stream(), text: String::new() };
    tokio::task::yield_now().await;
    memory.merge(at(1), |_| {});
    views.send(memory.view.clone()).unwrap();
    assert_eq!(events.next().await.unwrap().0, "live");
}

#[tokio::test]
async fn streams_leave_connections_to_probes_and_one_that_ends_gives_its_place_back() {
    let site = router(settings("127.0.0.1:7480", None), sources(&Memory::new(), Ok(())).0);
    let open = async || site.clone().oneshot(Request::get("/api/events").body(Body::empty()).unwrap()).await.unwrap();
    let mut streams = Vec::new();
    while streams.len() < STREAMS_MAX {
        let answered = open().await;
        assert_eq!(answered.status(), 200);
        streams.push(answered);
    }
    let refused = open().await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    assert_eq!(refused.headers()["connection"], "close", "kept open it would take a connection all the same");
    streams.pop();
    while open().await.status() != 200 {
        tokio::task::yield_now().await;
    }
}
