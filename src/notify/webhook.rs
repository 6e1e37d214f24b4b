//! A receiver of the owner's: JSON, signed as <https://www.standardwebhooks.com> says, so that libraries verify it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::message::{Event, Message};
use super::settings::Settings;
use super::wording::{clean, title, utc};
use crate::analyze::kind::Unit;
use crate::base::units::WallTime;

/// The body of the request.
pub(super) fn body(message: &Message, settings: &Settings) -> Value {
    let link = settings.link.as_ref().map(|link| link.as_str());
    let title = title(message);
    match message {
        Message::Alerts(events) => {
            json!({ "type": "alerts", "title": title, "link": link, "alerts": events.iter().map(alert).collect::<Vec<_>>() })
        }
        Message::Report(report) => json!({ "type": "report", "title": title, "link": link, "report": report }),
    }
}

/// As `metric=alerts` shows it, with what happened.
fn alert(Event { notice, alert }: &Event) -> Value {
    json!({
        "event": notice.as_str(),
        "id": alert.id,
        "server": clean(&alert.server),
        "database": alert.subject.database.as_deref().map(clean),
        "query_hash": alert.subject.query_hash.map(|hash| hash.to_string()),
        "kind": alert.kind.as_str(),
        "subject": clean(&alert.subject.to_string()),
        "severity": alert.severity.as_str(),
        "opened_at": utc(alert.opened_at),
        "last_seen_at": utc(alert.last_seen_at),
        "resolved_at": alert.resolved_at.map(utc),
        "value": alert.value,
        "worst": alert.worst,
        "threshold": alert.threshold,
        "unit": unit(alert.kind.unit()),
        "count": alert.count,
        "message": clean(&alert.message),
        "acknowledged_by": alert.acknowledged.as_ref().map(|known| clean(&known.by)),
    })
}

/// What values are counted in, for programs.
fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Millis => "ms",
        Unit::Seconds => "s",
        Unit::Days => "days",
        Unit::Percent => "percent",
        Unit::Bytes => "bytes",
        Unit::Times => "times",
        Unit::Count => "count",
    }
}

/// The headers that let a receiver know a message again, and its sender.
pub(super) fn headers(body: &[u8], secret: Option<&[u8]>, now: WallTime) -> Vec<(&'static str, String)> {
    // The same message tried again has the same name.
    let digest = Sha256::digest(body);
    let id: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let timestamp = now.unix_micros().div_euclid(1_000_000).to_string();
    let signature = secret.and_then(|secret| signature(secret, &id, &timestamp, body));
    let mut headers = vec![("webhook-id", id), ("webhook-timestamp", timestamp)];
    headers.extend(signature.map(|signature| ("webhook-signature", signature)));
    headers
}

/// `v1,` and HMAC-SHA-256 over `id.timestamp.body`, in base64.
fn signature(secret: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(format!("v1,{}", BASE64.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::settings::signing_key;

    /// The example of the standard's libraries.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let secret = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let made = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(made.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn a_message_that_is_tried_again_has_the_same_name_and_a_new_time() {
        let at = |seconds: i64| headers(b"{}", Some(b"secret"), WallTime::from_unix_micros(seconds * 1_000_000));
        let (first, second) = (at(10), at(20));
        assert_eq!(first[0], second[0]);
        assert_ne!(first[1], second[1]);
        assert_ne!(first[2], second[2]);
        assert_ne!(headers(b"{ }", None, WallTime::default())[0], first[0]);
    }
}
