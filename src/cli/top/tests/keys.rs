//! What keys ask for.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;
use crate::cli::top::state::Effect;

#[test]
fn sorting_walks_through_the_columns_and_shows_where() {
    let mut state = seen();
    assert!(state.wanted.queries().contains("&sort=total_ms&"), "{}", state.wanted.queries());
    assert!(head(&mut state, 120).contains("▼total"));
    write(&mut state, "s");
    assert!(state.wanted.queries().contains("&sort=calls&"));
    assert!(head(&mut state, 120).contains("▼calls/s"));
    press(&mut state, &[KeyCode::Left, KeyCode::Char('S')]);
    assert!(state.wanted.queries().contains("&sort=rows&"));
    // A column that has no room elsewhere is there when it sorts.
    assert!(head(&mut state, 60).contains("▼rows/s"));
}

#[test]
fn a_filter_is_asked_for_as_it_is_typed() {
    let mut state = seen();
    write(&mut state, "/a&q %");
    assert!(state.typing && state.wanted.queries().ends_with("&search=a%26q%20%25"), "{}", state.wanted.queries());
    assert_eq!(line(&screen(&mut state, 80, 24), " / "), " / a&q %   Enter keeps it, Esc shows all");
    press(&mut state, &[KeyCode::Backspace, KeyCode::Enter]);
    assert!(!state.typing && state.wanted.search == "a&q ");
    assert!(line(&screen(&mut state, 80, 24), "statements by").contains("with “a&q ”"));
    press(&mut state, &[KeyCode::Esc]);
    assert!(state.wanted.search.is_empty() && !state.wanted.queries().contains("search"));
    write(&mut state, "/q");
    press(&mut state, &[KeyCode::Esc]);
    assert!(!state.typing && state.wanted.search.is_empty());
}

#[test]
fn time_grouping_and_whose_are_asked_for() {
    let mut state = seen();
    write(&mut state, "w");
    assert!(state.wanted.summary().contains("hours=24"), "{}", state.wanted.summary());
    assert!(screen(&mut state, 80, 24)[0].contains("last day"));
    write(&mut state, "wda");
    let path = state.wanted.queries();
    assert!(path.contains("hours=0.016667") && path.contains("group_by=hash%2Cdatabase&"), "{path}");
    assert!(path.ends_with("&instance=all"), "{path}");
    assert!(line(&screen(&mut state, 80, 24), "statements by").contains("by total time, by database"));
}

#[test]
fn a_row_is_looked_into_with_the_parts_of_its_key_and_left_again() {
    let mut state = seen();
    write(&mut state, "d");
    let mut rows = answers();
    for row in &mut rows.queries.as_mut().unwrap().queries {
        row.database = Some(crate::cli::text::Text::new("shop&co"));
    }
    take(&mut state, rows);
    press(&mut state, &[KeyCode::Down, KeyCode::Enter]);
    let who = state.wanted.statement.clone().unwrap();
    let path = state.wanted.query(&who);
    assert!(path.contains("hash=000000000000000b") && path.ends_with("&database=shop%26co"), "{path}");
    press(&mut state, &[KeyCode::Esc]);
    assert_eq!((state.wanted.statement.clone(), state.chosen), (None, 1));
}

#[test]
fn the_choice_stays_on_its_statement() {
    let mut state = seen();
    press(&mut state, &[KeyCode::End]);
    assert_eq!(&*state.row().unwrap().query, "select pg_sleep($1)");
    let mut turned = answers();
    turned.queries.as_mut().unwrap().queries.reverse();
    take(&mut state, turned.clone());
    assert_eq!((state.chosen, &*state.row().unwrap().query), (0, "select pg_sleep($1)"));
    // At the top it stays there, and another order begins at the top.
    take(&mut state, answers());
    assert_eq!((state.chosen, &*state.row().unwrap().query), (0, "select * from orders where id = $1"));
    press(&mut state, &[KeyCode::Down, KeyCode::Char('s')]);
    take(&mut state, turned);
    assert_eq!(state.chosen, 0);
}

#[test]
fn more_rows_are_asked_for_near_the_end() {
    let mut state = state();
    let rows: Vec<Value> = (0..100).map(|n| row(&format!("{n:016x}"), "select", n, "good")).collect();
    let queries = Some(answer(json!({"queries": rows, "total": 5_000})));
    take(&mut state, Answers { queries, ..answers() });
    assert_eq!(state.wanted.limit, 100);
    press(&mut state, &[KeyCode::End]);
    assert_eq!(state.wanted.limit, 200);
}

#[test]
fn pause_quit_and_help() {
    let mut state = seen();
    write(&mut state, "p");
    assert!(screen(&mut state, 80, 24)[0].ends_with("● paused 2 s"), "{:?}", screen(&mut state, 80, 24));
    write(&mut state, "?");
    let lines = screen(&mut state, 80, 24);
    assert!(line(&lines, "filter by text").contains('/') && line(&lines, "any key").contains("goes back"));
    // Help is left by any key, which does nothing else.
    write(&mut state, "q");
    assert!(!state.help);
    let quit = |state: &mut State, key| state.key(key) == Effect::Quit;
    assert!(quit(&mut state, KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE)));
    write(&mut state, "/");
    assert!(!quit(&mut state, KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE)), "a letter of the filter");
    assert!(quit(&mut state, KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)));
}
