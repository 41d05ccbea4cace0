//! The registry's one entry type: everything Beadle knows about a setting sits in one place.
//!
//! Coverage, the Apple payloads, Google's policy, validation and the judgement of what a phone reports all walk [`all`].

use crate::android::Draft;
use crate::android::report::Witness;
use crate::apple::keys::Key;
use crate::apple::report::Reported;
use crate::coverage::Status;
use crate::mode::Mode;
use crate::policy::{Document, Policy};
use crate::report::Judgement;

/// What the policy says about a setting.
pub(crate) enum Says {
    /// It asks for something a phone should do, told in words.
    Asked(String),
    /// It leaves a choice that the council should make, told as what is open.
    Open(String),
    /// It deliberately restricts nothing here, told in words.
    Allowed(String),
    /// It is silent and needs no row.
    Silent,
}

/// What a phone makes of a setting that is asked for.
pub(crate) struct Effect {
    /// What the phone does.
    pub(crate) does: String,
    /// Where that falls short of, or goes beyond, what the policy says.
    pub(crate) gap: Option<String>,
}

/// The phone does this, and it is all that was asked.
pub(crate) fn does(text: impl Into<String>) -> Effect {
    Effect { does: text.into(), gap: None }
}

impl Effect {
    /// … but falls short in this way.
    pub(crate) fn but(self, gap: impl Into<String>) -> Self {
        Self { gap: Some(gap.into()), ..self }
    }
}

/// How one learns from an Apple device whether a setting is in force.
pub(crate) enum Evidence {
    /// The phone obeys every profile it lists.
    Profile,
    /// The phone obeys the profile, but without a PIN that changes nothing.
    Pin,
    /// The phone obeys the profile once its present PIN complies with it.
    PinComplies,
    /// The phone reports the matter itself.
    Report(fn(&Policy, &Reported) -> Judgement),
    /// No Apple device reports it.
    Nothing,
}

/// What a setting is on Android.
pub(crate) struct Android {
    /// Where Google's policy carries it, as Google names the place in what it reports: `deviceConnectivityManagement.usbDataAccess`.
    pub(crate) fields: &'static [&'static str],
    /// How its state is learnt from an Android phone.
    pub(crate) witness: Witness,
    /// Writes it. Called whether or not it is asked for, because what Google takes for granted is seldom harmless.
    pub(crate) write: fn(&Policy, &mut Draft),
}

impl Android {
    /// For settings that mean nothing to an Android phone, or to Google.
    pub(crate) const NOTHING: Self = Self { fields: &[], witness: Witness::Nothing, write: |_, _| {} };
}

/// One setting of the policy.
pub(crate) struct Setting {
    /// Where it is in the policy, as on the command line: `passcode.minimum_length`.
    pub(crate) name: &'static str,
    /// A short title for people.
    pub(crate) title: &'static str,
    /// The clauses of the written policies that ask for it.
    pub(crate) clauses: &'static [(Document, &'static str)],
    /// What can be done about it, in the order of [`Mode::all`].
    pub(crate) modes: [Status; 6],
    /// What this policy says.
    pub(crate) says: fn(&Policy) -> Says,
    /// What a phone in this mode does when it is asked for.
    pub(crate) effect: fn(&Policy, Mode) -> Effect,
    /// What goes into Apple's payloads when it is asked for; keys a mode cannot take are left out later.
    pub(crate) apple: fn(&Policy) -> Vec<Key>,
    /// How its state is learnt from an Apple device.
    pub(crate) evidence: Evidence,
    /// What it is in Google's policy, and how its state is learnt from an Android phone.
    pub(crate) android: Android,
    /// What is wrong with its value, in plain words.
    pub(crate) problem: fn(&Policy) -> Option<String>,
}

impl Setting {
    /// What can be done about this setting in that mode.
    pub(crate) fn status(&self, mode: Mode) -> Status {
        self.modes.get(mode.position()).copied().unwrap_or(Status::NotPossible)
    }

    /// Whether the policy asks for it.
    pub(crate) fn is_asked(&self, policy: &Policy) -> bool {
        matches!((self.says)(policy), Says::Asked(_))
    }
}

/// Every setting, section by section, in the order people read them.
pub(crate) fn all() -> impl Iterator<Item = &'static Setting> {
    use crate::policy as section;
    [
        section::passcode::SETTINGS,
        section::encryption::SETTINGS,
        section::work_data::SETTINGS,
        section::cloud::SETTINGS,
        section::camera::SETTINGS,
        section::screen::SETTINGS,
        section::accessories::SETTINGS,
        section::apps::SETTINGS,
        section::management::SETTINGS,
        section::updates::SETTINGS,
        section::wifi::SETTINGS,
        section::certificates::SETTINGS,
        section::roaming::SETTINGS,
        section::location::SETTINGS,
        section::diagnostics::SETTINGS,
        section::council::SETTINGS,
    ]
    .into_iter()
    .flatten()
}

/// For settings that put nothing into Apple's payloads by themselves.
pub(crate) fn no_keys(_: &Policy) -> Vec<Key> {
    Vec::new()
}

/// For settings whose every value is acceptable.
pub(crate) fn no_problem(_: &Policy) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::android;
    use crate::apple::keys::{Reach, of_setting};
    use crate::mode::{Ownership, Platform};
    use crate::policy::Preset;
    use crate::policy::certificates::NamedCertificate;

    /// Everything asked for that can be asked for, so that no key goes unseen.
    pub(crate) fn everything() -> Policy {
        let mut policy = Policy::preset(Preset::Germoe);
        for (path, value) in [
            ("passcode.alphanumeric", "true"),
            ("passcode.maximum_age_days", "365"),
            ("passcode.history", "5"),
            ("cloud.whole_phone_backup_allowed", "false"),
            ("camera.allowed", "false"),
            ("screen.screenshots_allowed", "false"),
            ("accessories.computer_pairing_allowed", "false"),
            ("apps.holder_may_install", "false"),
            ("apps.android_required", "org.example.mail"),
            ("apps.android_allowed", "org.example.maps"),
            ("management.other_profiles_allowed", "false"),
            ("management.reset_by_holder_allowed", "false"),
            ("updates.minimum_ios", "17.6"),
            ("updates.minimum_android", "12"),
            ("updates.patch_within_days", "14"),
            ("wifi.networks", r#"[{"ssid":"Hall","security":"wpa2"}]"#),
            ("wifi.only_these_networks", "true"),
            ("certificates.install", "[\"County\"]"),
            ("roaming.data_allowed", "false"),
            ("diagnostics.reports_allowed", "false"),
        ] {
            policy.set(path, value).unwrap();
        }
        policy.validate().unwrap();
        policy
    }

    #[test]
    fn every_setting_is_in_the_policy_under_its_name_and_only_once() {
        let known: BTreeSet<String> = Policy::default().values().into_iter().map(|(path, _)| path).collect();
        let mut seen = BTreeSet::new();
        for setting in all() {
            assert!(known.contains(setting.name), "{} is not in the policy", setting.name);
            assert!(seen.insert(setting.name), "{} is registered twice", setting.name);
        }
    }

    #[test]
    fn every_setting_can_be_asked_for_and_the_default_asks_for_almost_nothing() {
        let policy = everything();
        for setting in all() {
            assert!(setting.is_asked(&policy), "{}", setting.name);
        }
        let asked: Vec<&str> =
            all().filter(|setting| setting.is_asked(&Policy::default())).map(|setting| setting.name).collect();
        assert_eq!(asked, ["location.collected"]);
    }

    /// Where the coverage says an iPhone enforces something, the profile carries it; where it says not possible, it does not.
    #[test]
    fn coverage_and_payload_keys_agree() {
        let policy = everything();
        for setting in all().filter(|setting| !(setting.apple)(&policy).is_empty()) {
            for &mode in Mode::all().iter().filter(|mode| mode.platform() == Platform::Apple) {
                let keys = of_setting(setting, &policy, mode, Ownership::Council);
                match setting.status(mode) {
                    Status::Enforced => assert!(!keys.is_empty(), "{} on {mode}", setting.name),
                    Status::ReportedOnly => {}
                    // Under User Enrollment this key takes "never" from the holder's choices and does no more.
                    Status::NotPossible if setting.name == "passcode.auto_lock_seconds" => {}
                    Status::NotPossible => assert!(keys.is_empty(), "{} on {mode}", setting.name),
                }
            }
        }
    }

    /// Where the coverage says an Android phone enforces something, Google's policy carries its fields; where it says not possible,
    /// it does not. Both follow from the setting's one entry, so a new setting needs no change here.
    #[test]
    fn coverage_and_googles_fields_agree() {
        let policy = everything();
        let passwords = policy.wifi.networks.iter().map(|network| (network.ssid.clone(), "purple candle".to_owned()));
        let passwords = passwords.collect();
        let certificates = [NamedCertificate { name: "County".into(), der: vec![0x30], root: true }];
        for setting in all().filter(|setting| !setting.android.fields.is_empty()) {
            for &mode in Mode::all().iter().filter(|mode| mode.platform() == Platform::Android) {
                let context = android::Context {
                    council_name: "Germoe",
                    mode,
                    ownership: if mode.is_personal() { Ownership::Personal } else { Ownership::Council },
                    posture: android::Posture::Everyday,
                    policy_version: 1,
                    wifi_passwords: &passwords,
                    certificates: &certificates,
                };
                let sent = android::policy(&policy, &context).unwrap();
                let carried = |field: &&str| carries(&sent, &field.split('.').collect::<Vec<_>>());
                match setting.status(mode) {
                    Status::Enforced => {
                        assert!(setting.android.fields.iter().all(carried), "{} on {mode}", setting.name)
                    }
                    Status::ReportedOnly => {}
                    // The rules of every lock have a quality; only the choice between locks is a personal phone's.
                    Status::NotPossible if setting.name == "passcode.personal_android" => {}
                    Status::NotPossible => {
                        assert!(!setting.android.fields.iter().any(carried), "{} on {mode}", setting.name)
                    }
                }
            }
        }
    }

    fn carries(value: &serde_json::Value, path: &[&str]) -> bool {
        match (value, path) {
            (_, []) => true,
            (serde_json::Value::Array(entries), path) => entries.iter().any(|entry| carries(entry, path)),
            (value, [first, rest @ ..]) => value.get(first).is_some_and(|inside| carries(inside, rest)),
        }
    }

    /// Every shortfall is told: not possible always has a gap, unless the setting is for the other platform only.
    #[test]
    fn what_is_not_possible_says_so() {
        let policy = everything();
        for setting in all() {
            for &mode in Mode::all() {
                let one_platform = setting.name.starts_with("updates.minimum_") || setting.name.contains("android");
                if setting.status(mode) == Status::NotPossible
                    && !one_platform
                    && setting.name != "wifi.unsecured_networks_forbidden"
                {
                    assert!((setting.effect)(&policy, mode).gap.is_some(), "{} on {mode}", setting.name);
                }
            }
        }
    }

    #[test]
    fn a_supervised_key_reaches_no_other_mode() {
        assert!(Reach::Supervised.includes(Mode::Supervised));
        for &mode in Mode::all().iter().filter(|&&mode| mode != Mode::Supervised) {
            assert!(!Reach::Supervised.includes(mode), "{mode}");
        }
    }
}
