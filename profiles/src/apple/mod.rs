//! Policy → Apple configuration profile, and what an Apple device reports back about it.
//!
//! The keys are those of Apple's device management schema (release iOS 18.1).

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::mode::{Mode, Ownership, Platform};
pub use crate::policy::certificates::NamedCertificate;
use crate::policy::{Policy, Problem, printable};

mod certificates;
pub(crate) mod keys;
mod passcode;
pub mod report;
mod restrictions;
mod wifi;

/// Every policy profile's identifier starts so; the management profile's never does.
const PROFILE_IDENTIFIER_PREFIX: &str = "beadle.policy.";

/// Raise this when the same policy compiles to something else than before, so that phones are seen to have the older form.
const PROFILE_FORMAT: u32 = 1;

/// UUIDv5 namespace of everything made here (RFC 9562, section 5.5); random, and fixed for ever.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_2c0b_93a4_4c57_8a3e_d1b7_5e40_9c26);

/// The device and council a profile is for.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The council's id.
    pub council_id: &'a str,
    /// The council's name, shown to the holder.
    pub council_name: &'a str,
    /// The enrolment's mode; one of Apple's.
    pub mode: Mode,
    /// Who owns the phone.
    pub ownership: Ownership,
    /// The version of the policy, recognised again in what the phone reports.
    pub policy_version: i64,
    /// Passwords of the policy's Wi-Fi networks, by SSID.
    pub wifi_passwords: &'a BTreeMap<String, String>,
    /// The council's stored certificates; only those the policy names are used.
    pub certificates: &'a [NamedCertificate],
}

/// The identifier of a council's policy profile: a newer profile with the same identifier replaces the older one on the phone.
pub fn profile_identifier(council_id: &str) -> String {
    format!("{PROFILE_IDENTIFIER_PREFIX}{}", label(council_id))
}

/// The `PayloadUUID` of the profile as a whole: it names council, policy version, mode and ownership, so that `ProfileList` tells
/// which version a phone has. Does not depend on passwords or certificates.
pub fn profile_uuid(context: &Context<'_>) -> String {
    let Context { council_id, mode, ownership, policy_version, .. } = context;
    uuid(&format!("profile/{PROFILE_FORMAT}/{council_id}/{policy_version}/{mode}/{ownership}"))
}

/// The configuration profile that puts this policy onto this device. An invalid policy gives its first problem, as does a
/// Wi-Fi password or certificate that is named but not in the context.
pub fn configuration_profile(policy: &Policy, context: &Context<'_>) -> Result<plist::Value, Problem> {
    if context.mode.platform() != Platform::Apple {
        return Err(Problem::new("mode", format!("{} is not a mode of Apple devices", context.mode)));
    }
    if let Err(problems) = policy.validate() {
        return Err(problems.into_iter().next().unwrap_or_else(|| Problem::new("policy", "is not valid")));
    }
    let mut content: Vec<plist::Dictionary> = Vec::new();
    content.extend(passcode::passcode(policy, context));
    content.extend(restrictions::restrictions(policy, context));
    content.extend(wifi::networks(policy, context)?);
    content.extend(certificates::certificates(policy, context)?);

    let mut profile = plist::Dictionary::new();
    let council = printable(context.council_name);
    profile.insert("PayloadType".into(), "Configuration".into());
    profile.insert("PayloadVersion".into(), 1.into());
    profile.insert("PayloadIdentifier".into(), profile_identifier(context.council_id).into());
    profile.insert("PayloadUUID".into(), profile_uuid(context).into());
    profile.insert("PayloadDisplayName".into(), format!("{council}: phone policy").into());
    profile.insert(
        "PayloadDescription".into(),
        format!("What {council}'s IT policy asks of this phone (version {}).", context.policy_version).into(),
    );
    profile.insert("PayloadOrganization".into(), council.into());
    // Apple's TopLevel schema: supervised devices only, forbidden under User Enrollment.
    if context.mode == Mode::Supervised && context.ownership == Ownership::Council && !policy.management.removal_allowed
    {
        profile.insert("PayloadRemovalDisallowed".into(), true.into());
    }
    profile.insert(
        "PayloadContent".into(),
        plist::Value::Array(content.into_iter().map(plist::Value::Dictionary).collect()),
    );
    Ok(plist::Value::Dictionary(profile))
}

/// The profile as the XML property list that travels in InstallProfile; the same policy and context always give the same bytes.
pub fn configuration_profile_bytes(policy: &Policy, context: &Context<'_>) -> Result<Vec<u8>, Problem> {
    to_bytes(&configuration_profile(policy, context)?)
}

/// Any property list as XML.
pub fn to_bytes(value: &plist::Value) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    value
        .to_writer_xml(&mut bytes)
        .map_err(|error| Problem::new("profile", format!("cannot be written as a property list: {error}")))?;
    Ok(bytes)
}

/// Whether a stored password can serve a WPA2 or WPA3 network: 8 to 63 plain characters, or 64 hexadecimal digits.
pub fn is_wifi_password(password: &str) -> bool {
    crate::policy::wifi::is_password(password)
}

/// The keys every payload has. Identifier and UUID stay the same from version to version, so that a phone changes a payload
/// in place and does not drop a Wi-Fi network for a moment (Apple, CommonPayloadKeys).
fn payload(context: &Context<'_>, payload_type: &str, name: &str, title: &str) -> plist::Dictionary {
    let identifier = format!("{}.{name}", profile_identifier(context.council_id));
    let mut dictionary = plist::Dictionary::new();
    dictionary.insert("PayloadType".into(), payload_type.into());
    dictionary.insert("PayloadVersion".into(), 1.into());
    dictionary
        .insert("PayloadUUID".into(), uuid(&format!("payload/{}/{payload_type}/{name}", context.council_id)).into());
    dictionary.insert("PayloadIdentifier".into(), identifier.into());
    dictionary.insert("PayloadDisplayName".into(), title.into());
    dictionary
}

fn uuid(name: &str) -> String {
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).hyphenated().to_string().to_uppercase()
}

/// Characters an identifier may hold; anything else is spelt out, so that two names never share one.
fn label(text: &str) -> String {
    let mut label = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || character == '-' {
            label.push(character);
        } else {
            label.push_str(&format!("_{:x}_", u32::from(character)));
        }
    }
    label
}
