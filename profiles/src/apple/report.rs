//! What an Apple device reports → per setting: in force, not in force, unknown. Only what the device says counts, never what was sent.

use super::keys::{self, Key, Scalar};
use super::{Context, profile_identifier, profile_uuid};
use crate::coverage::Status;
use crate::mode::Platform;
use crate::policy::Policy;
use crate::policy::updates::parse_version;
use crate::report::{Judgement, in_force_because, not_in_force_because, unknown_because};
pub use crate::report::{Setting, State};
use crate::setting::{self, Evidence};

/// The device's latest answers; what it never answered is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reported {
    /// `QueryResponses` of DeviceInformation.
    pub device_information: Option<plist::Dictionary>,
    /// `SecurityInfo` of SecurityInfo.
    pub security_info: Option<plist::Dictionary>,
    /// `ProfileList` of ProfileList.
    pub profile_list: Option<Vec<plist::Dictionary>>,
    /// `GlobalRestrictions` of Restrictions: what all installed profiles add up to. Not asked under User Enrollment.
    pub restrictions: Option<plist::Dictionary>,
}

/// Where the policy's profile stands on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileState {
    /// This very version of the policy is installed.
    Installed,
    /// Another version of it is installed.
    OtherVersion,
    /// The device lists its profiles, and ours is not among them.
    Missing,
    /// The device has not listed its profiles.
    Unknown,
}

/// Every setting the policy asks for and this kind of phone can keep or report, with its state. Settings that are not possible
/// in this mode are the coverage's matter and left out here; on a personal phone so is erasing.
pub fn in_force(policy: &Policy, context: &Context<'_>, reported: &Reported) -> Vec<Setting> {
    if context.mode.platform() != Platform::Apple {
        return Vec::new();
    }
    let whole = judge_profile(context, reported);
    let mut settings = vec![whole.of("profile")];
    for setting in setting::all() {
        if !setting.is_asked(policy) || setting.status(context.mode) == Status::NotPossible {
            continue;
        }
        let asks_apple = !(setting.apple)(policy).is_empty();
        let keys = keys::of_setting(setting, policy, context.mode, context.ownership);
        if asks_apple && keys.is_empty() {
            continue;
        }
        let judgement = match setting.evidence {
            Evidence::Nothing => continue,
            Evidence::Profile => judge_keys(&keys, context, reported),
            Evidence::Pin => judge_behind_pin(&keys, context, reported),
            Evidence::PinComplies => judge_pin_complies(&keys, context, reported),
            Evidence::Report(judge) => judge(policy, reported),
        };
        settings.push(judgement.of(setting.name));
    }
    settings
}

/// Where the policy's profile stands on the device.
pub fn profile_state(context: &Context<'_>, reported: &Reported) -> ProfileState {
    let Some(profiles) = &reported.profile_list else {
        return ProfileState::Unknown;
    };
    let identifier = profile_identifier(context.council_id);
    let ours: Vec<&plist::Dictionary> =
        profiles.iter().filter(|profile| text(profile, "PayloadIdentifier") == Some(identifier.as_str())).collect();
    if ours.is_empty() {
        return ProfileState::Missing;
    }
    let uuid = profile_uuid(context);
    let this =
        ours.iter().any(|profile| text(profile, "PayloadUUID").is_some_and(|found| found.eq_ignore_ascii_case(&uuid)));
    if this { ProfileState::Installed } else { ProfileState::OtherVersion }
}

/// Whether the device's list of profiles lacks the management profile; `None` when it has not listed them. A device that still
/// answers is managed, so this is worth an alert only after a second look.
pub fn management_profile_missing(reported: &Reported, management_profile_identifier: &str) -> Option<bool> {
    let profiles = reported.profile_list.as_ref()?;
    Some(!profiles.iter().any(|profile| text(profile, "PayloadIdentifier") == Some(management_profile_identifier)))
}

fn judge_profile(context: &Context<'_>, reported: &Reported) -> Judgement {
    match profile_state(context, reported) {
        ProfileState::Installed => in_force_because("the phone lists this version of the policy"),
        ProfileState::OtherVersion => not_in_force_because("the phone still has another version of the policy"),
        ProfileState::Missing => {
            not_in_force_because("the phone lists its profiles, and the council's policy is not among them")
        }
        ProfileState::Unknown => unknown_because("the phone has not listed its profiles yet"),
    }
}

/// The profile must be there; and where the phone also reports the sum of its restrictions, that must agree.
fn judge_keys(keys: &[Key], context: &Context<'_>, reported: &Reported) -> Judgement {
    let profile = judge_profile(context, reported);
    if profile.state != State::InForce {
        return profile;
    }
    match keys.iter().find_map(|key| contradiction(key, reported)) {
        Some(reason) => not_in_force_because(reason),
        None => profile,
    }
}

/// What the phone says against a key, if anything. Several profiles combine to the strictest, so stricter than ours is fine.
fn contradiction(key: &Key, reported: &Reported) -> Option<String> {
    let restrictions = reported.restrictions.as_ref()?;
    let value = |kind: &str| restrictions.get(kind)?.as_dictionary()?.get(key.name)?.as_dictionary()?.get("value");
    match key.value {
        Scalar::Bool(wanted) => {
            let found = value("restrictedBool")?.as_boolean()?;
            (found != wanted).then(|| format!("the phone reports {} = {found}", key.name))
        }
        Scalar::Integer(wanted) => {
            let found = value("restrictedValue")?.as_signed_integer()?;
            let strict_enough = if key.name.starts_with("max") { found <= wanted } else { found >= wanted };
            (!strict_enough).then(|| format!("the phone reports {} = {found}", key.name))
        }
    }
}

/// Locking and erasing mean nothing on a phone that opens without a PIN.
fn judge_behind_pin(keys: &[Key], context: &Context<'_>, reported: &Reported) -> Judgement {
    let present = reported.security_info.as_ref().and_then(|security| flag(security, "PasscodePresent"));
    if present == Some(false) {
        return not_in_force_because("the phone reports that no PIN is set, and without one this has no effect");
    }
    judge_keys(keys, context, reported)
}

/// A rule about the PIN holds once the profile is there and the PIN itself complies.
fn judge_pin_complies(keys: &[Key], context: &Context<'_>, reported: &Reported) -> Judgement {
    let profile = judge_keys(keys, context, reported);
    let Some(security) = &reported.security_info else {
        return match profile.state {
            State::InForce => {
                unknown_because("the rule is on the phone; the phone has not said yet whether its PIN complies")
            }
            _ => profile,
        };
    };
    if flag(security, "PasscodePresent") == Some(false) {
        return not_in_force_because("the phone reports that no PIN is set");
    }
    if profile.state != State::InForce {
        return profile;
    }
    match compliant(security) {
        Some(true) => in_force_because("the rule is on the phone, and the phone reports that its PIN complies"),
        Some(false) => not_in_force_because(
            "the rule is on the phone, but the present PIN does not comply yet; the phone asks the holder to change it",
        ),
        None => unknown_because("the rule is on the phone; this phone does not report whether its PIN complies"),
    }
}

/// With all profiles is what Beadle asks; with everything on the phone, mail accounts included, is stricter and so will do.
fn compliant(security: &plist::Dictionary) -> Option<bool> {
    match (flag(security, "PasscodeCompliantWithProfiles"), flag(security, "PasscodeCompliant")) {
        (Some(with_profiles), _) => Some(with_profiles),
        (None, overall) => overall,
    }
}

/// A PIN is set.
pub(crate) fn passcode_present(_: &Policy, reported: &Reported) -> Judgement {
    let Some(security) = &reported.security_info else {
        return unknown_because("the phone has not reported its security state yet");
    };
    match flag(security, "PasscodePresent") {
        Some(true) => in_force_because("the phone reports that a PIN is set"),
        Some(false) => not_in_force_because("the phone reports that no PIN is set"),
        None => unknown_because("this phone does not report whether a PIN is set"),
    }
}

/// Storage is encrypted: 3 means block and file level (Apple, SecurityInfo), and it protects only with a PIN.
pub(crate) fn encryption(_: &Policy, reported: &Reported) -> Judgement {
    let Some(security) = &reported.security_info else {
        return unknown_because("the phone has not reported its security state yet");
    };
    let capability = security.get("HardwareEncryptionCaps").and_then(plist::Value::as_signed_integer);
    match (capability, flag(security, "PasscodePresent")) {
        (Some(3), Some(true)) => in_force_because("the phone reports full encryption and a PIN"),
        (Some(3), Some(false)) => not_in_force_because("the phone can encrypt, but without a PIN nothing is protected"),
        (Some(3), None) => unknown_because("the phone reports full encryption, but not whether a PIN is set"),
        (Some(other), _) => not_in_force_because(format!("the phone reports encryption level {other} instead of 3")),
        (None, _) => unknown_because("the phone has not reported its encryption"),
    }
}

/// Being current cannot be told from one phone alone: without a minimum the version is only shown.
pub(crate) fn version_reported(policy: &Policy, reported: &Reported) -> Judgement {
    if policy.updates.minimum_ios.is_some() {
        return minimum_version(policy, reported);
    }
    match reported.device_information.as_ref().and_then(|device| text(device, "OSVersion")) {
        Some(version) => {
            unknown_because(format!("the phone reports version {version}; set updates.minimum_ios to have it judged"))
        }
        None => unknown_because("the phone has not reported its version yet"),
    }
}

/// The reported version is not older than the policy's.
pub(crate) fn minimum_version(policy: &Policy, reported: &Reported) -> Judgement {
    let Some(found) = reported.device_information.as_ref().and_then(|device| text(device, "OSVersion")) else {
        return unknown_because("the phone has not reported its version yet");
    };
    let minimum = policy.updates.minimum_ios.as_deref().unwrap_or_default();
    match (parse_version(found), parse_version(minimum)) {
        (Some(version), Some(least)) if version >= least => {
            in_force_because(format!("the phone reports version {found}"))
        }
        (Some(_), Some(_)) => not_in_force_because(format!("the phone reports version {found}, older than {minimum}")),
        _ => unknown_because(format!("the phone reports version \"{found}\", which cannot be compared")),
    }
}

/// Data roaming is off.
pub(crate) fn roaming_off(_: &Policy, reported: &Reported) -> Judgement {
    match reported.device_information.as_ref().and_then(|device| flag(device, "DataRoamingEnabled")) {
        Some(false) => in_force_because("the phone reports that data roaming is off"),
        Some(true) => not_in_force_because("the phone reports that data roaming is on"),
        None => unknown_because("the phone has not reported whether data roaming is on"),
    }
}

fn flag(dictionary: &plist::Dictionary, key: &str) -> Option<bool> {
    dictionary.get(key).and_then(plist::Value::as_boolean)
}

fn text<'a>(dictionary: &'a plist::Dictionary, key: &str) -> Option<&'a str> {
    dictionary.get(key).and_then(plist::Value::as_string)
}
