//! What a phone makes of a configuration profile: reads it, signed or not, and finds the management inside.

use plist::{Dictionary, Value};
use serde::{Deserialize, Serialize};

use super::options::PhoneOptions;
use crate::apple::cms;
use crate::apple::schema::{self, Device, Mode, Source};
use crate::error::server;
use crate::{Error, Result};

/// What the MDM payload says about the server; it may not change while the phone is enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Management {
    /// Where commands are fetched.
    pub server_url: String,
    /// Where the phone checks in.
    pub check_in_url: String,
    /// The push topic.
    pub topic: String,
    /// The rights granted; absent means all.
    pub access_rights: u32,
    /// Whether messages carry `Mdm-Signature`.
    pub sign_message: bool,
    /// Whether the phone says goodbye when management is removed.
    pub check_out_when_removed: bool,
    /// `PayloadIdentifier` of the MDM payload.
    pub payload_identifier: String,
    /// `PayloadIdentifier` of the enrolment profile.
    pub profile_identifier: String,
}

/// What a SCEP payload says.
#[derive(Debug, Clone)]
pub struct ScepPayload {
    /// The authority's address.
    pub url: String,
    /// Which of its authorities.
    pub name: Option<String>,
    /// The one-use challenge.
    pub challenge: Option<String>,
    /// The subject, as written.
    pub subject: Option<Value>,
    /// Fingerprint of the authority.
    pub fingerprint: Option<Vec<u8>>,
    /// RSA key size in bits.
    pub key_size: u32,
}

/// A profile that puts a phone under management.
#[derive(Debug, Clone)]
pub struct EnrolmentProfile {
    /// As downloaded.
    pub raw: Vec<u8>,
    /// The profile itself.
    pub document: Value,
    /// Its MDM payload.
    pub management: Management,
    /// Its SCEP payload.
    pub scep: ScepPayload,
}

/// Reads a profile; answers it and whether it was signed (the signature is then good).
///
/// # Errors
/// [`Error::Malformed`] when a signature is wrong, [`Error::PropertyList`] when it is none.
pub fn read_profile(raw: &[u8]) -> Result<(Value, bool)> {
    if raw.first() == Some(&0x30) {
        let signed = cms::read_signed(raw)?;
        if signed.signer.is_none() {
            return Err(Error::Malformed("the profile is not signed by anybody"));
        }
        return Ok((plist::from_bytes(&signed.content)?, true));
    }
    Ok((plist::from_bytes(raw)?, false))
}

/// The payloads of a profile.
pub fn payloads(document: &Value) -> Vec<&Dictionary> {
    let content = document.as_dictionary().and_then(|profile| profile.get("PayloadContent"));
    let payloads = content.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    payloads.iter().filter_map(Value::as_dictionary).collect()
}

/// The first payload of a type.
pub fn payload<'a>(document: &'a Value, payload_type: &str) -> Option<&'a Dictionary> {
    payloads(document).into_iter().find(|payload| text(payload, "PayloadType") == Some(payload_type))
}

/// A string in a dictionary.
pub(crate) fn text<'a>(dictionary: &'a Dictionary, key: &str) -> Option<&'a str> {
    dictionary.get(key).and_then(Value::as_string)
}

impl EnrolmentProfile {
    /// Reads an enrolment profile, signed or not.
    ///
    /// # Errors
    /// [`Error::Server`] when the MDM or SCEP payload is missing or they do not belong together.
    pub fn parse(raw: &[u8]) -> Result<Self> {
        let (document, _) = read_profile(raw)?;
        let mdm = payload(&document, "com.apple.mdm").ok_or_else(|| server("the profile has no MDM payload"))?;
        let identity = text(mdm, "IdentityCertificateUUID");
        let scep = payloads(&document)
            .into_iter()
            .find(|payload| text(payload, "PayloadUUID") == identity && identity.is_some())
            .ok_or_else(|| server("IdentityCertificateUUID names no payload of the profile"))?;
        if text(scep, "PayloadType") != Some("com.apple.security.scep") {
            return Err(server("the identity is not a SCEP payload"));
        }
        let management = read_management(&document, mdm)?;
        let scep = read_scep(scep)?;
        Ok(Self { raw: raw.to_vec(), management, scep, document })
    }
}

fn read_management(document: &Value, mdm: &Dictionary) -> Result<Management> {
    let required =
        |key: &str| text(mdm, key).map(str::to_owned).ok_or_else(|| server(format!("the MDM payload lacks {key}")));
    let flag = |key: &str| mdm.get(key).and_then(Value::as_boolean).unwrap_or(false);
    let topic = required("Topic")?;
    if !topic.starts_with("com.apple.mgmt.") {
        return Err(server("Topic does not begin with com.apple.mgmt."));
    }
    let server_url = required("ServerURL")?;
    let rights = mdm.get("AccessRights").and_then(Value::as_unsigned_integer);
    let access_rights = rights.map_or(8191, |rights| u32::try_from(rights).unwrap_or(0));
    let lacks = |bit: u32, needed: u32| access_rights & bit != 0 && access_rights & needed == 0;
    if access_rights == 0 || lacks(2, 1) || lacks(128, 64) {
        return Err(server(format!("AccessRights {access_rights} is refused by iOS")));
    }
    let profile = document.as_dictionary().ok_or(Error::Malformed("profile"))?;
    Ok(Management {
        check_in_url: text(mdm, "CheckInURL").unwrap_or(&server_url).to_owned(),
        server_url,
        topic,
        access_rights,
        sign_message: flag("SignMessage"),
        check_out_when_removed: flag("CheckOutWhenRemoved"),
        payload_identifier: required("PayloadIdentifier")?,
        profile_identifier: text(profile, "PayloadIdentifier")
            .ok_or_else(|| server("the profile lacks PayloadIdentifier"))?
            .to_owned(),
    })
}

fn read_scep(payload: &Dictionary) -> Result<ScepPayload> {
    let content = payload
        .get("PayloadContent")
        .and_then(Value::as_dictionary)
        .ok_or_else(|| server("the SCEP payload has no PayloadContent"))?;
    let key_size = content.get("Keysize").and_then(Value::as_unsigned_integer).unwrap_or(1024);
    Ok(ScepPayload {
        url: text(content, "URL").ok_or_else(|| server("the SCEP payload lacks URL"))?.to_owned(),
        name: text(content, "Name").map(str::to_owned),
        challenge: text(content, "Challenge").map(str::to_owned),
        subject: content.get("Subject").cloned(),
        fingerprint: content.get("CAFingerprint").and_then(Value::as_data).map(<[u8]>::to_vec),
        key_size: u32::try_from(key_size).unwrap_or(0),
    })
}

/// How this phone would be described to Apple's schema.
pub(crate) fn device(options: &PhoneOptions, source: Source) -> Device {
    let mode = if options.supervised { Mode::Supervised } else { Mode::Device };
    Device { mode, ios: options.os(), source }
}

/// What Apple's schema does not allow in a profile, in words; empty when the phone does not look.
pub(crate) fn profile_violations(options: &PhoneOptions, document: &Value, source: Source) -> Vec<String> {
    if !options.check_schema {
        return Vec::new();
    }
    schema::check_profile(document, &device(options, source)).iter().map(ToString::to_string).collect()
}
