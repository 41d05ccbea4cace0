//! What Apple's devices say: check-in messages and answers to commands, read tolerantly, since real devices leave out much.
//!
//! Source: Apple's schema, `mdm/checkin` and the response keys of `mdm/commands`. Nothing here panics on any bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plist::{Dictionary, Value as Plist};
use serde_json::{Map, Value};

/// How deep a message may be nested; Apple's are at most six deep.
const MOST_DEPTH: usize = 32;
/// How long a text that is kept may be.
const MOST_TEXT: usize = 1024;

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not a property list in XML, or one such as no device writes.
    #[error("not a property list as devices write them")]
    Malformed,
    /// A key without which it means nothing.
    #[error("{0} is missing")]
    Missing(&'static str),
}

/// Who speaks, as he says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The device's UDID: old ones have 40 digits, new ones 25 characters.
    pub udid: Option<String>,
    /// Under User Enrollment, instead of the UDID.
    pub enrolment_id: Option<String>,
}

impl Who {
    /// The UDID, or else the EnrollmentID.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.udid.as_deref().or(self.enrolment_id.as_deref())
    }
}

/// A check-in message.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckIn {
    /// The device has the profile and comes under management.
    Authenticate {
        /// Who.
        who: Who,
        /// The push topic.
        topic: Option<String>,
        /// What it says about itself; any of it may be missing.
        about: Box<About>,
    },
    /// Where the device can be woken.
    TokenUpdate {
        /// Who.
        who: Who,
        /// The push topic.
        topic: Option<String>,
        /// The push token.
        token: Option<Vec<u8>>,
        /// What a push must contain.
        push_magic: Option<String>,
        /// What clears the PIN; sent once, so never to be lost.
        unlock_token: Option<Vec<u8>>,
        /// Whether the set-up assistant waits for DeviceConfigured.
        awaiting_configuration: bool,
    },
    /// The holder removed management.
    CheckOut {
        /// Who.
        who: Who,
    },
    /// A message that is not served: its name.
    NotServed(String),
}

/// What a device says about itself in Authenticate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The serial number.
    pub serial: Option<String>,
    /// ProductName; `Model` where that is missing.
    pub product: Option<String>,
    /// The name that its holder gave it.
    pub name: Option<String>,
    /// The system's version.
    pub os_version: Option<String>,
    /// The IMEI.
    pub imei: Option<String>,
}

/// The status of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing to answer; a visit begins.
    Idle,
    /// Done.
    Acknowledged,
    /// The device cannot.
    Error,
    /// The device does not understand the command.
    CommandFormatError,
    /// Not now.
    NotNow,
}

/// What a device says on the command channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Who.
    pub who: Who,
    /// How.
    pub status: Status,
    /// Which command it answers.
    pub command: Option<String>,
    /// The codes of the error chain.
    pub codes: Vec<i64>,
    /// The error chain in words.
    pub text: String,
    /// The whole message as JSON: data as {"data": "base64"}, dates as RFC 3339 text.
    pub body: Value,
}

/// Reads a check-in message.
///
/// # Errors
/// [`Problem`].
pub fn parse_check_in(bytes: &[u8]) -> Result<CheckIn, Problem> {
    let message = read(bytes)?;
    let kind = text(&message, "MessageType").ok_or(Problem::Missing("MessageType"))?;
    let who = who(&message);
    let topic = text(&message, "Topic");
    Ok(match kind.as_str() {
        "Authenticate" => CheckIn::Authenticate {
            who,
            topic,
            about: Box::new(About {
                serial: text(&message, "SerialNumber"),
                product: text(&message, "ProductName").or_else(|| text(&message, "Model")),
                name: text(&message, "DeviceName"),
                os_version: text(&message, "OSVersion"),
                imei: text(&message, "IMEI"),
            }),
        },
        "TokenUpdate" => CheckIn::TokenUpdate {
            who,
            topic,
            token: data(&message, "Token"),
            push_magic: text(&message, "PushMagic"),
            unlock_token: data(&message, "UnlockToken"),
            awaiting_configuration: message.get("AwaitingConfiguration").and_then(Plist::as_boolean) == Some(true),
        },
        "CheckOut" => CheckIn::CheckOut { who },
        _ => CheckIn::NotServed(kind),
    })
}

/// Reads what a device says on the command channel.
///
/// # Errors
/// [`Problem`].
pub fn parse_report(bytes: &[u8]) -> Result<Report, Problem> {
    let message = read(bytes)?;
    let status = match text(&message, "Status").ok_or(Problem::Missing("Status"))?.as_str() {
        "Idle" => Status::Idle,
        "Acknowledged" => Status::Acknowledged,
        "Error" => Status::Error,
        "CommandFormatError" => Status::CommandFormatError,
        "NotNow" => Status::NotNow,
        _ => return Err(Problem::Malformed),
    };
    let command = text(&message, "CommandUUID");
    if command.is_none() && status != Status::Idle {
        return Err(Problem::Missing("CommandUUID"));
    }
    let chain: Vec<&Dictionary> = message
        .get("ErrorChain")
        .and_then(Plist::as_array)
        .map(|chain| chain.iter().take(16).filter_map(Plist::as_dictionary).collect())
        .unwrap_or_default();
    let codes = chain.iter().filter_map(|item| item.get("ErrorCode").and_then(Plist::as_signed_integer)).collect();
    let mut words: Vec<String> = chain.iter().map(|item| describe(item)).collect();
    if words.is_empty() && status == Status::CommandFormatError {
        words.push("the device does not understand the command".to_owned());
    } else if words.is_empty() && status == Status::Error {
        words.push("the device gave no reason".to_owned());
    }
    Ok(Report {
        who: who(&message),
        status,
        command,
        codes,
        text: words.join("; "),
        body: to_json(Plist::Dictionary(message)),
    })
}

fn describe(item: &Dictionary) -> String {
    let words = text(item, "USEnglishDescription")
        .or_else(|| text(item, "LocalizedDescription"))
        .unwrap_or_else(|| "no description".to_owned());
    let domain = text(item, "ErrorDomain").unwrap_or_default();
    match item.get("ErrorCode").and_then(Plist::as_signed_integer) {
        Some(code) => format!("{words} ({domain} {code})"),
        None => words,
    }
}

fn who(message: &Dictionary) -> Who {
    let id = |key| text(message, key).map(|id| id.trim().to_owned()).filter(|id| !id.is_empty() && id.len() <= 128);
    Who { udid: id("UDID"), enrolment_id: id("EnrollmentID") }
}

fn text(message: &Dictionary, key: &str) -> Option<String> {
    let text = message.get(key)?.as_string()?;
    Some(text.chars().filter(|letter| !letter.is_control()).take(MOST_TEXT).collect())
}

fn data(message: &Dictionary, key: &str) -> Option<Vec<u8>> {
    message.get(key)?.as_data().map(<[u8]>::to_vec).filter(|data| !data.is_empty())
}

fn read(bytes: &[u8]) -> Result<Dictionary, Problem> {
    if !is_plain(bytes) {
        return Err(Problem::Malformed);
    }
    match Plist::from_reader_xml(bytes) {
        Ok(Plist::Dictionary(message)) => Ok(message),
        _ => Err(Problem::Malformed),
    }
}

/// Whether this is XML as devices write it: no comments or other markup to hide in, and not so deep that reading it would
/// exhaust the stack.
fn is_plain(bytes: &[u8]) -> bool {
    let mut depth: usize = 0;
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'<') {
        let (_, from) = rest.split_at(at + 1);
        let end = from.iter().position(|byte| *byte == b'>').unwrap_or(from.len());
        let (tag, after) = from.split_at(end);
        match tag.first() {
            Some(b'!') if !tag.starts_with(b"!DOCTYPE") || tag.contains(&b'[') => return false,
            Some(b'!' | b'?') | None => {}
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(_) if tag.ends_with(b"/") => {}
            Some(_) => depth += 1,
        }
        if depth > MOST_DEPTH {
            return false;
        }
        rest = after;
    }
    true
}

/// A property list as JSON: data as {"data": "base64"}, dates as RFC 3339 text.
#[must_use]
pub fn to_json(value: Plist) -> Value {
    match value {
        Plist::Array(items) => Value::Array(items.into_iter().map(to_json).collect()),
        Plist::Dictionary(fields) => {
            let fields: Map<String, Value> = fields.into_iter().map(|(key, value)| (key, to_json(value))).collect();
            Value::Object(fields)
        }
        Plist::Boolean(value) => value.into(),
        Plist::Data(data) => serde_json::json!({ "data": STANDARD.encode(data) }),
        Plist::Date(date) => date.to_xml_format().into(),
        Plist::Real(number) => serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number),
        Plist::Integer(number) => {
            number.as_signed().map(Value::from).or_else(|| number.as_unsigned().map(Value::from)).unwrap_or(Value::Null)
        }
        // PostgreSQL keeps no NUL in text.
        Plist::String(text) => text.replace('\0', "").into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn xml(inside: &str) -> Vec<u8> {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
             \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\"><dict>{inside}</dict></plist>"
        )
        .into_bytes()
    }

    #[test]
    fn a_user_enrolment_iphone_says_little() {
        let message = parse_check_in(&xml(
            "<key>BuildVersion</key><string>22A3354</string><key>EnrollmentID</key><string>E-1</string>\
             <key>MessageType</key><string>Authenticate</string><key>OSVersion</key><string>18.0</string>\
             <key>ProductName</key><string>iPhone15,2</string><key>Topic</key><string>com.apple.mgmt.x</string>",
        ));
        let Ok(CheckIn::Authenticate { who, topic, about }) = message else { panic!("{message:?}") };
        assert_eq!((who.udid.as_deref(), who.id()), (None, Some("E-1")));
        assert_eq!(topic.as_deref(), Some("com.apple.mgmt.x"));
        assert_eq!((about.serial, about.product.as_deref()), (None, Some("iPhone15,2")));
    }

    #[test]
    fn an_old_ipad_has_forty_digits_and_a_model() {
        let udid = "0123456789abcdef0123456789abcdef01234567";
        let message = parse_check_in(&xml(&format!(
            "<key>MessageType</key><string>Authenticate</string><key>UDID</key><string>{udid}</string>\
             <key>Model</key><string>MD531B</string>"
        )));
        let Ok(CheckIn::Authenticate { who, about, .. }) = message else { panic!("{message:?}") };
        assert_eq!((who.id(), about.product.as_deref()), (Some(udid), Some("MD531B")));
    }

    #[test]
    fn a_token_update_may_lack_everything() {
        let message = parse_check_in(&xml("<key>MessageType</key><string>TokenUpdate</string>"));
        let Ok(CheckIn::TokenUpdate { token: None, push_magic: None, unlock_token: None, .. }) = message else {
            panic!("{message:?}")
        };
        assert_eq!(
            parse_check_in(&xml("<key>MessageType</key><string>GetToken</string>")),
            Ok(CheckIn::NotServed("GetToken".to_owned()))
        );
        assert_eq!(parse_check_in(&xml("")), Err(Problem::Missing("MessageType")));
    }

    #[test]
    fn an_error_chain_becomes_words() {
        let report = parse_report(&xml(
            "<key>Status</key><string>Error</string><key>CommandUUID</key><string>u</string><key>ErrorChain</key><array><dict>\
             <key>ErrorCode</key><integer>12078</integer><key>ErrorDomain</key><string>MCMDMErrorDomain</string>\
             <key>LocalizedDescription</key><string>Nicht jetzt</string>\
             <key>USEnglishDescription</key><string>Not in Lost Mode</string></dict></array>",
        ))
        .expect("reads");
        assert_eq!(report.codes, [12078]);
        assert_eq!(report.text, "Not in Lost Mode (MCMDMErrorDomain 12078)");
    }

    #[test]
    fn data_and_dates_are_kept_as_json() {
        let report = parse_report(&xml(
            "<key>Status</key><string>Acknowledged</string><key>CommandUUID</key><string>u</string>\
             <key>D</key><data>AQI=</data><key>T</key><date>2026-01-02T03:04:05Z</date><key>N</key><integer>7</integer>",
        ))
        .expect("reads");
        assert_eq!(report.body["D"], serde_json::json!({ "data": "AQI=" }));
        assert_eq!((&report.body["T"], &report.body["N"]), (&"2026-01-02T03:04:05Z".into(), &7.into()));
    }

    #[test]
    fn what_would_exhaust_the_stack_is_refused() {
        let deep = format!("<plist>{}", "<array>".repeat(100_000)).into_bytes();
        assert_eq!(parse_report(&deep), Err(Problem::Malformed));
        let hidden = format!("<plist>{}", "<array><!--</array>-->".repeat(100_000)).into_bytes();
        assert_eq!(parse_report(&hidden), Err(Problem::Malformed));
        let expanding = b"<!DOCTYPE p [<!ENTITY a \"aaaa\">]><plist><dict/></plist>";
        assert_eq!(parse_report(expanding), Err(Problem::Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse_check_in(&bytes);
            let _ = parse_report(&bytes);
        }

        #[test]
        fn anything_like_a_message_is_read_or_refused(
            parts in proptest::collection::vec(prop_oneof![
                Just("<dict>"), Just("</dict>"), Just("<array>"), Just("</array>"), Just("<key>Status</key>"),
                Just("<string>Idle</string>"), Just("<key>MessageType</key>"), Just("<string>TokenUpdate</string>"),
                Just("<integer>99999999999999999999</integer>"), Just("<real>nan</real>"), Just("<data>!!</data>"),
                Just("<date>yesterday</date>"), Just("<key>Token</key>"), Just("<true/>"), Just("<"), Just("&#0;"),
                Just("<key>ErrorChain</key>"), Just("<key>CommandUUID</key>"),
            ], 0..30)
        ) {
            let bytes = xml(&parts.concat());
            let _ = parse_check_in(&bytes);
            let _ = parse_report(&bytes);
        }
    }
}
