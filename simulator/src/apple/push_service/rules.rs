//! What the push service demands of a push, check by check, with Apple's own reasons for refusing.

use std::sync::Arc;

use openssl::asn1::Asn1Time;
use openssl::nid::Nid;
use openssl::x509::X509;
use tokio::sync::Notify;

use super::Inner;
use crate::apple::certificate;

/// Apple keeps a notification at most 30 days.
const LONGEST_EXPIRY: i64 = 30 * certificate::DAY;
/// Beadle is to ask for seven days.
const WANTED_EXPIRY: i64 = 7 * certificate::DAY;
const LARGEST_PAYLOAD: usize = 4096;

/// How a push ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushAnswer {
    /// Answered with this status, and this reason unless it was 200.
    Status(u16, Option<String>),
    /// Left hanging by a fault.
    Hung,
    /// The connection was dropped by a fault.
    Dropped,
    /// The connection was ended with GOAWAY by a fault.
    WentAway,
}

/// One request to the push service and what became of it.
#[derive(Debug, Clone)]
pub struct PushRecord {
    /// When, seconds since 1970.
    pub at: i64,
    /// Which connection (counted from 1) it came on.
    pub connection: u64,
    /// The HTTP method.
    pub method: String,
    /// The device token from the path, hex in lower case; the whole path when it is none.
    pub token: String,
    /// Topic of the client certificate, when one was shown.
    pub certificate_topic: Option<String>,
    /// Header `apns-topic`.
    pub topic: Option<String>,
    /// Header `apns-push-type`.
    pub push_type: Option<String>,
    /// Header `apns-priority`.
    pub priority: Option<String>,
    /// Header `apns-expiration`.
    pub expiration: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// What was answered.
    pub answer: PushAnswer,
    /// Whether the phone was woken.
    pub delivered: bool,
    /// What was allowed but is not as Beadle should do it.
    pub notes: Vec<String>,
}

/// A refusal: status, Apple's reason, and for 410 when the token died (seconds since 1970).
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
    pub(crate) since: Option<i64>,
}

fn refuse<T>(status: u16, reason: &'static str) -> Result<T, Refusal> {
    Err(Refusal { status, reason, since: None })
}

/// Checks everything; answers the bell to ring.
pub(crate) fn judge(
    inner: &Inner,
    client: Option<&X509>,
    record: &mut PushRecord,
    path: &str,
) -> Result<Arc<Notify>, Refusal> {
    check_certificate(inner, client)?;
    let Some(token) = path.strip_prefix("/3/device/") else {
        return refuse(404, "BadPath");
    };
    if record.method != "POST" {
        return refuse(405, "MethodNotAllowed");
    }
    if token.is_empty() {
        return refuse(400, "MissingDeviceToken");
    }
    if token.len() < 64 || hex::decode(token).is_err() {
        return refuse(400, "BadDeviceToken");
    }
    check_headers(inner, record)?;
    let magic = read_body(&record.body)?;
    let state = inner.state();
    let Some(known) = state.tokens.get(&record.token) else {
        return refuse(400, "BadDeviceToken");
    };
    if Some(&known.topic) != record.topic.as_ref() {
        return refuse(400, "DeviceTokenNotForTopic");
    }
    if let Some(since) = known.unregistered {
        return Err(Refusal { status: 410, reason: "Unregistered", since: Some(since) });
    }
    if known.magic != magic {
        // Apple cannot know the magic and a phone ignores a wrong one in silence; a test should hear of it.
        return refuse(400, "UnknownPushMagic");
    }
    Ok(Arc::clone(&known.wake))
}

fn check_certificate(inner: &Inner, client: Option<&X509>) -> Result<(), Refusal> {
    let Some(client) = client else {
        return refuse(403, "MissingProviderToken");
    };
    let fingerprint = certificate::fingerprint(client).unwrap_or_default();
    if !inner.state().certificates.contains_key(&fingerprint) {
        return refuse(403, "BadCertificate");
    }
    let Ok(now) = Asn1Time::from_unix(inner.clock.unix()) else {
        return refuse(500, "InternalServerError");
    };
    if *client.not_after() < *now || *client.not_before() > *now {
        return refuse(403, "BadCertificate");
    }
    Ok(())
}

fn check_headers(inner: &Inner, record: &mut PushRecord) -> Result<(), Refusal> {
    match record.topic.as_deref() {
        None => return refuse(400, "MissingTopic"),
        Some(topic) if !topic.starts_with("com.apple.mgmt.") => return refuse(400, "BadTopic"),
        Some(topic) if record.certificate_topic.as_deref() != Some(topic) => {
            return refuse(400, "TopicDisallowed");
        }
        Some(_) => {}
    }
    if record.push_type.as_deref() != Some("mdm") {
        return refuse(400, "InvalidPushType");
    }
    if record.priority.as_deref() != Some("10") {
        return refuse(400, "BadPriority");
    }
    let Some(expiration) = record.expiration.as_deref().and_then(|text| text.parse::<i64>().ok()) else {
        return refuse(400, "BadExpirationDate");
    };
    let ahead = expiration - inner.clock.unix();
    if expiration == 0 {
        record.notes.push("apns-expiration 0: kept for no time at all; seven days are wanted".into());
    } else if ahead <= 0 || ahead > LONGEST_EXPIRY {
        return refuse(400, "BadExpirationDate");
    } else if (ahead - WANTED_EXPIRY).abs() > 3600 {
        record.notes.push(format!("apns-expiration is {ahead} s ahead; seven days are wanted"));
    }
    Ok(())
}

/// The magic, when the body is exactly `{"mdm":"…"}`.
fn read_body(body: &[u8]) -> Result<String, Refusal> {
    if body.is_empty() {
        return refuse(400, "PayloadEmpty");
    }
    if body.len() > LARGEST_PAYLOAD {
        return refuse(413, "PayloadTooLarge");
    }
    let wrong = Refusal { status: 400, reason: "BadMessage", since: None };
    let Ok(serde_json::Value::Object(object)) = serde_json::from_slice(body) else {
        return Err(wrong);
    };
    match object.get("mdm") {
        Some(serde_json::Value::String(magic)) if object.len() == 1 => Ok(magic.clone()),
        _ => Err(wrong),
    }
}

/// The topic a client certificate is for.
pub(crate) fn topic_of(client: Option<&X509>) -> Option<String> {
    certificate::subject_entry(client?, Nid::USERID)
}
