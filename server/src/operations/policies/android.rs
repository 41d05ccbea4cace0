//! The policy in force as Google takes it, for one kind of Android phone.

use std::collections::BTreeMap;

use beadle_enrollment::android::{Wifi, WifiSecurity};
use beadle_profiles::Policy;
use beadle_profiles::android::{self, Posture as ProfilePosture};
use serde_json::Value;
use zeroize::Zeroizing;

use super::profile::{Ingredients, word};
use super::secrets;
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::model::{CouncilId, Mode, Ownership, Posture};
use crate::store::councils::Council;
use crate::store::policies::PolicyVersion;
use crate::store::policy_secrets::PolicySecret;
use crate::store::{self, Transaction};

/// The secrets that a version of the policy names, sealed.
pub(crate) fn secrets_of(tx: &mut Transaction<'_>, version: &PolicyVersion) -> Result<Vec<PolicySecret>> {
    let policy: Policy = serde_json::from_str(&version.settings)?;
    store::policy_secrets::named(tx, &version.council_id, &secrets::wanted(&policy))
}

/// What a version of the policy becomes at Google. Pure but for opening the seals.
///
/// # Errors
/// [`Error::Invalid`] naming the setting that cannot be sent.
pub(crate) fn compile_android(
    keys: &Keys,
    council: &Council,
    mode: Mode,
    posture: Posture,
    version: &PolicyVersion,
    secrets: &[PolicySecret],
) -> Result<Value> {
    let policy: Policy = serde_json::from_str(&version.settings)?;
    let ingredients = Ingredients::of(keys, council, secrets)?;
    let ownership = if mode.is_personal() { Ownership::Personal } else { Ownership::Council };
    let context = android::Context {
        council_name: &ingredients.council_name,
        mode: word(mode.as_str())?,
        ownership: word(ownership.as_str())?,
        posture: word::<ProfilePosture>(posture.as_str())?,
        policy_version: version.version,
        wifi_passwords: &ingredients.wifi_passwords,
        certificates: &ingredients.certificates,
    };
    android::policy(&policy, &context).map_err(|problem| Error::invalid(problem.field, problem.problem))
}

/// The enrolment's kind of phone as the judgement of reports needs it; passwords and certificates do not matter there.
pub(crate) fn android_context<'a>(
    mode: Mode,
    ownership: Ownership,
    posture: Posture,
    version: i64,
    nothing: &'a BTreeMap<String, String>,
) -> Result<android::Context<'a>> {
    Ok(android::Context {
        council_name: "",
        mode: word(mode.as_str())?,
        ownership: word(ownership.as_str())?,
        posture: word::<ProfilePosture>(posture.as_str())?,
        policy_version: version,
        wifi_passwords: nothing,
        certificates: &[],
    })
}

/// The first network that the council gives its phones: the one that a phone joins while it is set up.
pub(crate) fn first_wifi(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Option<String>> {
    let policy = super::in_force(tx, council)?.policy;
    Ok(policy.wifi.networks.into_iter().next().map(|network| network.ssid))
}

/// A network's password, sealed.
pub(crate) fn wifi_network(tx: &mut Transaction<'_>, council: &CouncilId, ssid: &str) -> Result<Option<PolicySecret>> {
    Ok(store::policy_secrets::named(tx, council, &[secrets::wifi_name(ssid)])?.into_iter().next())
}

/// The network with its password opened.
///
/// # Errors
/// `Internal` where the seal cannot be opened, or the password is none that a network has.
pub(crate) fn open_wifi(keys: &Keys, secret: &PolicySecret) -> Result<Wifi> {
    let ssid = secrets::wifi_of(&secret.id).ok_or_else(|| Error::internal("this secret is no Wi-Fi password"))?;
    let password = secrets::open(keys, &secret.council_id, secret)?;
    let password = Zeroizing::new(String::from_utf8_lossy(&password).into_owned());
    Wifi::new(ssid, WifiSecurity::Passphrase(password)).map_err(Error::internal)
}
