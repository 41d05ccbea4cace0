//! What a profile carries that is not part of the policy: Wi-Fi passwords, sealed, and certificates to trust.

use beadle_profiles::Policy;
use beadle_profiles::apple::is_wifi_password;
use openssl::x509::X509;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{in_force, new_version};
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::model::{CouncilId, Moment, Permission};
use crate::operations::{Context, audit};
use crate::sealing::Purpose;
use crate::store::policy_secrets::PolicySecret;
use crate::store::{self, Transaction};

const WIFI: &str = "wifi:";
const CERTIFICATE: &str = "certificate:";

/// A stored secret; what it is, never its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct StoredSecret {
    /// `wifi` or `certificate`.
    pub kind: &'static str,
    /// The network's or certificate's name.
    pub name: String,
    /// When it was last stored.
    pub changed_at: Moment,
}

pub(super) fn wifi_name(ssid: &str) -> String {
    format!("{WIFI}{ssid}")
}

pub(super) fn certificate_name(name: &str) -> String {
    format!("{CERTIFICATE}{name}")
}

pub(super) fn wifi_of(id: &str) -> Option<&str> {
    id.strip_prefix(WIFI)
}

pub(super) fn certificate_of(id: &str) -> Option<&str> {
    id.strip_prefix(CERTIFICATE)
}

/// The names of the secrets that a policy needs.
pub(super) fn wanted(policy: &Policy) -> Vec<String> {
    let networks = policy.wifi.networks.iter().map(|network| wifi_name(&network.ssid));
    networks.chain(policy.certificates.install.iter().map(|name| certificate_name(name))).collect()
}

pub(super) fn open(keys: &Keys, council: &CouncilId, secret: &PolicySecret) -> Result<Zeroizing<Vec<u8>>> {
    keys.sealer.open(Purpose::PolicySecret, council.as_str(), &secret.id, &secret.sealed_value)
}

pub(super) fn is_self_signed(der: &[u8]) -> bool {
    X509::from_der(der)
        .is_ok_and(|certificate| certificate.issuer_name().to_der().ok() == certificate.subject_name().to_der().ok())
}

/// The names of what is stored.
pub fn secrets(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<Vec<StoredSecret>> {
    context.actor.require(Permission::Read, council)?;
    Ok(store::policy_secrets::names(tx, council)?
        .into_iter()
        .filter_map(|(id, changed_at)| {
            let wifi = wifi_of(&id).map(|name| ("wifi", name));
            let (kind, name) = wifi.or_else(|| certificate_of(&id).map(|name| ("certificate", name)))?;
            Some(StoredSecret { kind, name: name.to_owned(), changed_at })
        })
        .collect())
}

/// Stores a network's password, or forgets it. Where the policy uses the network, that makes a new version, because a phone
/// tells profiles apart by the version alone. Answers that version's number.
pub fn set_wifi_password(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    ssid: &str,
    password: Option<&str>,
) -> Result<Option<i64>> {
    if ssid.is_empty() || ssid.len() > 32 {
        return Err(Error::invalid("ssid", "must have 1 to 32 bytes"));
    }
    if password.is_some_and(|password| !is_wifi_password(password)) {
        return Err(Error::invalid("password", "must have 8 to 63 plain characters, or 64 hexadecimal digits"));
    }
    let used = |policy: &Policy| policy.wifi.networks.iter().any(|network| network.ssid == ssid);
    let note = format!("password of the Wi-Fi \"{ssid}\" changed");
    set(tx, context, council, &wifi_name(ssid), password.map(str::as_bytes), used, "wifi.networks", &note)
}

/// Stores a certificate (PEM or DER) that phones should trust under `name`, or forgets it; as with passwords.
pub fn set_certificate(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    name: &str,
    certificate: Option<&[u8]>,
) -> Result<Option<i64>> {
    if name.trim().is_empty() || name.len() > 64 || name.contains(',') {
        return Err(Error::invalid("name", "must have 1 to 64 bytes, without a comma"));
    }
    let der = match certificate {
        None => None,
        Some(bytes) => {
            let read = X509::from_pem(bytes).or_else(|_| X509::from_der(bytes));
            let read = read.map_err(|_| Error::invalid("certificate", "is no certificate in PEM or DER"))?;
            Some(read.to_der()?)
        }
    };
    let used = |policy: &Policy| policy.certificates.install.iter().any(|known| known == name);
    let note = format!("certificate \"{name}\" changed");
    set(tx, context, council, &certificate_name(name), der.as_deref(), used, "certificates.install", &note)
}

#[expect(clippy::too_many_arguments, reason = "one body for both kinds of secret")]
fn set(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    id: &str,
    value: Option<&[u8]>,
    used: impl Fn(&Policy) -> bool,
    field: &str,
    note: &str,
) -> Result<Option<i64>> {
    context.actor.require(Permission::Settings, council)?;
    audit::lock(tx, council)?;
    let now = in_force(tx, council)?;
    let in_use = used(&now.policy);
    match value {
        Some(value) => {
            // A few dozen bytes: this takes microseconds, and the rows must change together.
            let sealed_value = context.keys.sealer.seal(Purpose::PolicySecret, council.as_str(), id, value)?;
            let secret =
                PolicySecret { council_id: council.clone(), id: id.to_owned(), sealed_value, changed_at: context.now };
            store::policy_secrets::put(tx, &secret)?;
        }
        None if in_use => {
            return Err(Error::conflict(format!("the policy uses it; take it out of {field} first")));
        }
        None => {
            if !store::policy_secrets::remove(tx, council, id)? {
                return Err(Error::NotFound("stored secret"));
            }
        }
    }
    audit::record(tx, context, council, "policy secret changed", id, serde_json::json!({ "note": note }))?;
    if !in_use {
        return Ok(None);
    }
    new_version(tx, context, council, now.version, &now.policy, note, &[]).map(|version| Some(version.version))
}
