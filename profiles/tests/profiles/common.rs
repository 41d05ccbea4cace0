//! Contexts and policies the tests of this crate share.

use std::collections::BTreeMap;

use beadle_profiles::android::{self, Posture};
use beadle_profiles::{Context, Mode, NamedCertificate, Ownership, Policy, Preset};

/// What a context borrows from.
pub(crate) struct Stored {
    /// Wi-Fi passwords by SSID.
    pub(crate) passwords: BTreeMap<String, String>,
    /// Stored certificates.
    pub(crate) certificates: Vec<NamedCertificate>,
}

impl Stored {
    /// Passwords for every network of the policy, and its certificates.
    pub(crate) fn for_policy(policy: &Policy) -> Self {
        Self {
            passwords: policy
                .wifi
                .networks
                .iter()
                .map(|network| (network.ssid.clone(), "purple candle river".to_owned()))
                .collect(),
            certificates: policy
                .certificates
                .install
                .iter()
                .enumerate()
                .map(|(position, name)| NamedCertificate {
                    name: name.clone(),
                    der: vec![0x30, 0x03, 0x02, 0x01, 0x07],
                    root: position % 2 == 0,
                })
                .collect(),
        }
    }

    /// A context of version 3 of a council's policy.
    pub(crate) fn context(&self, mode: Mode, ownership: Ownership) -> Context<'_> {
        Context {
            council_id: "0193f2a0-0000-7000-8000-00000000c0de",
            council_name: "Germoe Parish Council",
            mode,
            ownership,
            policy_version: 3,
            wifi_passwords: &self.passwords,
            certificates: &self.certificates,
        }
    }
}

impl Stored {
    /// A context of version 3 of a council's policy for Android phones.
    pub(crate) fn android(&self, mode: Mode, ownership: Ownership, posture: Posture) -> android::Context<'_> {
        android::Context {
            council_name: "Germoe Parish Council",
            mode,
            ownership,
            posture,
            policy_version: 3,
            wifi_passwords: &self.passwords,
            certificates: &self.certificates,
        }
    }
}

/// Android's modes with the ownership that goes with each.
pub(crate) const ANDROID: [(Mode, Ownership); 3] = [
    (Mode::FullyManaged, Ownership::Council),
    (Mode::CompanyWorkProfile, Ownership::Council),
    (Mode::PersonalWorkProfile, Ownership::Personal),
];

/// Apple's modes with the ownership that goes with each.
pub(crate) const APPLE: [(Mode, Ownership); 3] =
    [(Mode::Supervised, Ownership::Council), (Mode::Device, Ownership::Council), (Mode::User, Ownership::Personal)];

/// A policy that asks for everything that can be asked for.
pub(crate) fn strictest() -> Policy {
    let mut policy = Policy::preset(Preset::Germoe);
    for (path, value) in [
        ("passcode.alphanumeric", "yes"),
        ("passcode.maximum_age_days", "365"),
        ("passcode.history", "5"),
        ("cloud.whole_phone_backup_allowed", "no"),
        ("camera.allowed", "no"),
        ("screen.screenshots_allowed", "no"),
        ("accessories.computer_pairing_allowed", "no"),
        ("apps.holder_may_install", "no"),
        ("apps.android_required", "org.example.mail, org.example.browser"),
        ("apps.android_allowed", "org.example.maps"),
        ("management.other_profiles_allowed", "no"),
        ("management.reset_by_holder_allowed", "no"),
        ("updates.minimum_ios", "17.6"),
        ("updates.minimum_android", "12"),
        ("updates.patch_within_days", "30"),
        (
            "wifi.networks",
            r#"[{"ssid":"Germoe hall","security":"wpa2"},{"ssid":"Büro","security":"wpa3","hidden":true}]"#,
        ),
        ("wifi.only_these_networks", "yes"),
        ("certificates.install", "County authority, Mail server"),
        ("roaming.data_allowed", "no"),
        ("diagnostics.reports_allowed", "no"),
    ] {
        policy.set(path, value).expect("a setting of the policy");
    }
    policy
}
