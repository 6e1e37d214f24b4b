//! What share of a server's work pgvitals sees, and who goes around it.

use std::collections::BTreeMap;

use crate::base::units::WallTime;
use crate::snapshot::set::Set;

/// Calls that pgvitals saw, of one user in one database.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// Whose.
    pub user: String,
    /// Where.
    pub database: String,
    /// How many.
    pub calls: u64,
}

/// What the server knows of calls at an earlier time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Before {
    /// When.
    pub at: WallTime,
    /// Its `pg_stat_statements`.
    pub calls: crate::snapshot::activity::Calls,
}

/// Calls of one user in one database.
#[derive(Clone, PartialEq, Debug)]
pub struct Share {
    /// Whose.
    pub user: String,
    /// Where.
    pub database: String,
    /// Calls that pgvitals saw.
    pub seen_calls: u64,
    /// Calls that the server counted; `None`: unknown.
    pub server_calls: Option<u64>,
    /// Of these, seen; `None`: unknown.
    pub share_percent: Option<f64>,
}

/// Sessions that did not come through pgvitals.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Around {
    /// Whose.
    pub user: String,
    /// Where.
    pub database: String,
    /// `application_name`.
    pub application: String,
    /// The client's address.
    pub address: Option<String>,
    /// How many.
    pub sessions: u64,
}

/// What is seen of a server.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Coverage {
    /// The most calls first.
    pub by_user: Vec<Share>,
    /// Why shares are unknown.
    pub unknown: Option<&'static str>,
    /// The most sessions first.
    pub around: Vec<Around>,
}

/// Sessions that pgvitals holds to the server, by user, database and application: all instances together, at the time of
/// the set.
pub type Own = BTreeMap<(String, String, String), u64>;

/// Coverage from `before`, or without it from the server's own reset, to the set. `seen` is what pgvitals counted in that
/// time; where it began later than the reset, there has to be a `before`.
pub fn coverage(set: &Set, before: Option<&Before>, seen: &[Seen], own: &Own) -> Coverage {
    let (counted, unknown) = match counted(set, before) {
        Ok(counted) => (counted, None),
        Err(why) => (BTreeMap::new(), Some(why)),
    };
    let mut keys: BTreeMap<(&str, &str), u64> = counted.keys().map(|key| (*key, 0)).collect();
    for one in seen {
        *keys.entry((&one.user, &one.database)).or_default() += one.calls;
    }
    let mut by_user: Vec<Share> = keys
        .into_iter()
        .map(|((user, database), seen_calls)| {
            let server_calls =
                if unknown.is_some() { None } else { Some(counted.get(&(user, database)).copied().unwrap_or(0)) };
            // The two are not counted at one instant, and statements that failed are counted here alone.
            let share = |calls: u64| (calls > 0).then(|| (100.0 * seen_calls as f64 / calls as f64).min(100.0));
            let share_percent = server_calls.and_then(share);
            Share { user: user.to_owned(), database: database.to_owned(), seen_calls, server_calls, share_percent }
        })
        .collect();
    by_user.sort_by_key(|share| std::cmp::Reverse(share.server_calls.unwrap_or(share.seen_calls)));
    Coverage { by_user, unknown, around: around(set, own) }
}

const EVICTED: &str = "pg_stat_statements evicted entries: raise pg_stat_statements.max";

/// Calls between two looks, by user and database.
fn counted<'a>(set: &'a Set, before: Option<&'a Before>) -> Result<BTreeMap<(&'a str, &'a str), u64>, &'static str> {
    let now = set.server.calls.as_ref().ok_or("pg_stat_statements is not there, or may not be read")?;
    let Some(before) = before else {
        return match (now.since, now.evictions) {
            (Some(_), Some(0)) => {
                Ok(now.by.iter().map(|by| ((by.user.as_str(), by.database.as_str()), by.calls)).collect())
            }
            (Some(_), Some(_)) => Err(EVICTED),
            _ => Err("this version does not say since when pg_stat_statements counts"),
        };
    };
    if now.since != before.calls.since {
        return Err("pg_stat_statements was reset in between");
    }
    match (before.calls.evictions, now.evictions) {
        (Some(earlier), Some(later)) if earlier == later => {}
        (Some(_), Some(_)) => return Err(EVICTED),
        _ => return Err("this version does not say whether pg_stat_statements evicted entries"),
    }
    let earlier: BTreeMap<(&str, &str), u64> =
        before.calls.by.iter().map(|by| ((by.user.as_str(), by.database.as_str()), by.calls)).collect();
    let mut counted = BTreeMap::new();
    for by in &now.by {
        let key = (by.user.as_str(), by.database.as_str());
        let before = earlier.get(&key).copied().unwrap_or(0);
        let calls = by.calls.checked_sub(before).ok_or("pg_stat_statements was reset in part in between")?;
        if calls > 0 {
            counted.insert(key, calls);
        }
    }
    Ok(counted)
}

/// Sessions of the server beyond those of pgvitals.
fn around(set: &Set, own: &Own) -> Vec<Around> {
    let mut left = own.clone();
    let mut sessions: Vec<_> = set.server.sessions.iter().collect();
    // pgvitals' sessions come from as few addresses as it has instances, so they are the many of one address.
    sessions.sort_by_key(|one| std::cmp::Reverse(one.sessions));
    let mut around = Vec::new();
    for one in sessions {
        let key = (one.user.clone(), one.database.clone(), one.application.clone());
        let ours = left.entry(key).or_default();
        let through = one.sessions.min(*ours);
        *ours -= through;
        if one.sessions > through {
            around.push(Around {
                user: one.user.clone(),
                database: one.database.clone(),
                application: one.application.clone(),
                address: one.address.clone(),
                sessions: one.sessions - through,
            });
        }
    }
    around.sort_by(|a, b| b.sessions.cmp(&a.sessions).then_with(|| a.cmp(b)));
    around
}
