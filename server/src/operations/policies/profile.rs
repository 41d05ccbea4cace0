//! The configuration profile that the policy in force becomes on one phone.

use std::collections::BTreeMap;

use beadle_profiles::apple::{self, NamedCertificate};
use beadle_profiles::{Context as ProfileContext, Mode, Ownership, Platform, Policy, Problem};

use super::secrets;
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::model::{self, CouncilId};
use crate::operations::Context;
use crate::store::councils::Council;
use crate::store::enrolments::Enrolment;
use crate::store::policies::PolicyVersion;
use crate::store::policy_secrets::PolicySecret;
use crate::store::{self, Transaction};

/// What InstallProfile carries.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceProfile {
    /// The version of the policy it was made from.
    pub version: i64,
    /// The profile, an XML property list; holds Wi-Fi passwords.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for DeviceProfile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "DeviceProfile(version {})", self.version)
    }
}

/// Everything a profile is made of besides the policy itself.
pub(super) struct Ingredients {
    pub(super) council_name: String,
    pub(super) wifi_passwords: BTreeMap<String, String>,
    pub(super) certificates: Vec<NamedCertificate>,
}

impl Ingredients {
    pub(super) fn of(keys: &Keys, council: &Council, sealed: &[PolicySecret]) -> Result<Self> {
        let mut found =
            Self { council_name: council.name.clone(), wifi_passwords: BTreeMap::new(), certificates: Vec::new() };
        for secret in sealed {
            let value = secrets::open(keys, &council.id, secret)?;
            if let Some(ssid) = secrets::wifi_of(&secret.id) {
                found.wifi_passwords.insert(ssid.to_owned(), String::from_utf8_lossy(&value).into_owned());
            } else if let Some(name) = secrets::certificate_of(&secret.id) {
                let root = secrets::is_self_signed(&value);
                found.certificates.push(NamedCertificate { name: name.to_owned(), der: value.to_vec(), root });
            }
        }
        Ok(found)
    }

    fn context<'a>(
        &'a self,
        council_id: &'a str,
        mode: Mode,
        ownership: Ownership,
        policy_version: i64,
    ) -> ProfileContext<'a> {
        ProfileContext {
            council_id,
            council_name: &self.council_name,
            mode,
            ownership,
            policy_version,
            wifi_passwords: &self.wifi_passwords,
            certificates: &self.certificates,
        }
    }
}

/// The profile that a version of the policy becomes on a phone of this mode and ownership; `secrets` are the council's, or
/// as many of them as the policy names.
///
/// Pure but for opening the seals; made anew each time InstallProfile is written, so that no password lies in the queue.
///
/// # Errors
/// [`Error::Invalid`] naming the setting that cannot be sent.
pub fn compile(
    keys: &Keys,
    council: &Council,
    mode: model::Mode,
    ownership: model::Ownership,
    version: &PolicyVersion,
    secrets: &[PolicySecret],
) -> Result<DeviceProfile> {
    let policy: Policy = serde_json::from_str(&version.settings)?;
    let ingredients = Ingredients::of(keys, council, secrets)?;
    let (mode, ownership) = (word(mode.as_str())?, word(ownership.as_str())?);
    let profile_context = ingredients.context(council.id.as_str(), mode, ownership, version.version);
    let bytes = apple::configuration_profile_bytes(&policy, &profile_context)
        .map_err(|problem| Error::invalid(problem.field, problem.problem))?;
    Ok(DeviceProfile { version: version.version, bytes })
}

/// The profile for this phone, made from the policy in force; `None` where the council has set no policy.
pub fn profile_for(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
) -> Result<Option<DeviceProfile>> {
    let council = store::councils::find(tx, &enrolment.council_id)?.ok_or(Error::NotFound("council"))?;
    let Some(version) = store::policies::current(tx, &council.id)? else { return Ok(None) };
    let policy: Policy = serde_json::from_str(&version.settings)?;
    let secrets = store::policy_secrets::named(tx, &council.id, &secrets::wanted(&policy))?;
    compile(&context.keys, &council, enrolment.mode, enrolment.ownership, &version, &secrets).map(Some)
}

/// The council and phone as the judgement of reports needs them; passwords and certificates do not matter there.
pub(crate) fn context_of<'a>(
    enrolment: &'a Enrolment,
    version: i64,
    nothing: &'a BTreeMap<String, String>,
) -> Result<ProfileContext<'a>> {
    Ok(ProfileContext {
        council_id: enrolment.council_id.as_str(),
        council_name: "",
        mode: word(enrolment.mode.as_str())?,
        ownership: word(enrolment.ownership.as_str())?,
        policy_version: version,
        wifi_passwords: nothing,
        certificates: &[],
    })
}

pub(super) fn word<T: std::str::FromStr>(text: &str) -> Result<T>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(Error::internal)
}

/// What keeps this policy from becoming a profile, on any kind of Apple device.
pub(super) fn problems(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    version: i64,
    policy: &Policy,
) -> Result<Vec<Problem>> {
    let council = store::councils::find(tx, council)?.ok_or(Error::NotFound("council"))?;
    let secrets = store::policy_secrets::named(tx, &council.id, &secrets::wanted(policy))?;
    let ingredients = Ingredients::of(&context.keys, &council, &secrets)?;
    let mut found: Vec<Problem> = Vec::new();
    for &mode in Mode::all().iter().filter(|mode| mode.platform() == Platform::Apple) {
        let ownership = if mode.is_personal() { Ownership::Personal } else { Ownership::Council };
        let profile_context = ingredients.context(council.id.as_str(), mode, ownership, version);
        if let Err(problem) = apple::configuration_profile(policy, &profile_context)
            && !found.contains(&problem)
        {
            found.push(problem);
        }
    }
    Ok(found)
}
