//! How to see a statement's plan, of which only the canonical text is known: by a plan for any values.

use crate::sql::kind::Kind;
use crate::sql::query::Query;

/// The first version with `EXPLAIN (GENERIC_PLAN)`.
const GENERIC_PLAN: u32 = 160_000;

/// What to run; it executes nothing. `None` of what has no plan, and of a text that was cut. `version_number`: of the
/// server, as `server_version_num`.
pub fn explain(query: &Query, version_number: u32) -> Option<String> {
    let text = query.text.trim().trim_end_matches(';');
    let has_plan = matches!(
        query.kind,
        Kind::Select | Kind::Insert | Kind::Update | Kind::Delete | Kind::Merge | Kind::Values | Kind::Table
    );
    if !has_plan || text.is_empty() || text.ends_with('…') {
        return None;
    }
    Some(match placeholders(text) {
        0 => format!("EXPLAIN {text};"),
        _ if version_number >= GENERIC_PLAN => format!("EXPLAIN (GENERIC_PLAN) {text};"),
        count => format!(
            "SET plan_cache_mode = force_generic_plan;\nPREPARE pgvitals_plan AS {text};\n\
             EXPLAIN EXECUTE pgvitals_plan ({});\nDEALLOCATE pgvitals_plan;\nRESET plan_cache_mode;",
            vec!["NULL"; count].join(", ")
        ),
    })
}

/// The highest `$n`.
fn placeholders(text: &str) -> usize {
    let numbers = text.split('$').skip(1).filter_map(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest.get(..digits)?.parse().ok()
    });
    numbers.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::hash::QueryHash;

    fn query(kind: Kind, text: &str) -> Query {
        Query { hash: QueryHash::of(text), kind, text: text.into() }
    }

    #[test]
    fn a_plan_needs_no_values() {
        let songs = query(Kind::Select, "select * from songs where id = $1 and a in ($2)");
        let generic = "EXPLAIN (GENERIC_PLAN) select * from songs where id = $1 and a in ($2);";
        assert_eq!(explain(&songs, 160_000).as_deref(), Some(generic));
        assert!(explain(&songs, 159_999).unwrap().contains("EXPLAIN EXECUTE pgvitals_plan (NULL, NULL);"));
        let plain = query(Kind::Delete, "delete from songs;");
        assert_eq!(explain(&plain, 150_000).as_deref(), Some("EXPLAIN delete from songs;"));
    }

    #[test]
    fn what_has_no_plan_is_not_explained() {
        for (kind, text) in [(Kind::Begin, "begin"), (Kind::Select, "select a, b…"), (Kind::Select, "")] {
            assert_eq!(explain(&query(kind, text), 170_000), None, "{text}");
        }
    }
}
