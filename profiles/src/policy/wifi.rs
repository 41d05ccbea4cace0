//! Wi-Fi networks a phone is given, so that people need no unsecured ones. Passwords are secrets and never part of the policy.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Document::{Coreley, Germoe},
    Policy, Problem,
};
use crate::android::connectivity::{ConfigureWifi, WifiSecurityLevel};
use crate::android::report::Witness;
use crate::apple::keys::{Reach::Supervised, restriction};
use crate::coverage::Status::{Enforced as E, NotPossible as N};
use crate::mode::{Mode, Platform};
use crate::named::named_enum;
use crate::setting::{Android, Evidence, Says, Setting, does, no_keys, no_problem};

named_enum! {
    /// How a Wi-Fi network is secured; open and WEP networks are not offered, since both policies forbid unsecured ones.
    Security, "Wi-Fi security" {
        /// WPA2 or WPA3 with a password.
        Wpa2 = "wpa2",
        /// WPA3 with a password.
        Wpa3 = "wpa3",
    }
}

/// One network given to the phone; its password is stored elsewhere, sealed, and found by `ssid`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WifiNetwork {
    /// The network's name, 1 to 32 bytes.
    pub ssid: String,
    /// How it is secured.
    pub security: Security,
    /// Whether it does not announce itself.
    #[serde(default)]
    pub hidden: bool,
    /// Whether the phone joins by itself.
    #[serde(default = "yes")]
    pub auto_join: bool,
}

impl WifiNetwork {
    /// Its stored password; one that is not stored, or could not be one, is a problem. `position` is its place in the policy.
    pub(crate) fn password<'a>(
        &self,
        position: usize,
        passwords: &'a BTreeMap<String, String>,
    ) -> Result<&'a str, Problem> {
        let field = || format!("wifi.networks.{position}");
        let ssid = &self.ssid;
        let password = passwords.get(ssid).ok_or_else(|| {
            Problem::new(field(), format!("the password of \"{ssid}\" is not stored; store it, or remove the network"))
        })?;
        if !is_password(password) {
            let problem = format!(
                "the stored password of \"{ssid}\" cannot be right: a Wi-Fi password has 8 to 63 plain characters, or 64 hexadecimal digits; store it again"
            );
            return Err(Problem::new(field(), problem));
        }
        Ok(password)
    }
}

/// A WPA passphrase (IEEE 802.11, annex J.4.1): 8 to 63 printable ASCII characters, or the key itself in hexadecimal.
pub(crate) fn is_password(password: &str) -> bool {
    match password.len() {
        8..=63 => password.bytes().all(|byte| (0x20..=0x7e).contains(&byte)),
        64 => password.bytes().all(|byte| byte.is_ascii_hexdigit()),
        _ => false,
    }
}

fn yes() -> bool {
    true
}

/// Wi-Fi networks given to the phone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wifi {
    /// Secure Wi-Fi only (Germoe 2.2 and 2.2.3, Coreley 2.2.7).
    pub unsecured_networks_forbidden: bool,
    /// The council's networks, at most 20.
    pub networks: Vec<WifiNetwork>,
    /// Nothing but the council's networks may be joined.
    pub only_these_networks: bool,
}

fn networks_problem(policy: &Policy) -> Option<String> {
    let networks = &policy.wifi.networks;
    if networks.len() > 20 {
        return Some(format!("{} networks are too many; keep at most 20", networks.len()));
    }
    let mut seen = BTreeSet::new();
    for network in networks {
        let ssid = &network.ssid;
        if ssid.is_empty() || ssid.len() > 32 {
            return Some(format!("\"{ssid}\" cannot be a network's name; it takes 1 to 32 bytes"));
        }
        if !super::is_printable(ssid) {
            return Some(format!("{ssid:?} holds invisible characters; type the network's name again"));
        }
        if !seen.insert(ssid) {
            return Some(format!("\"{ssid}\" is there twice; remove one"));
        }
    }
    None
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "wifi.unsecured_networks_forbidden",
        title: "Secure Wi-Fi only",
        clauses: &[(Germoe, "2.2"), (Germoe, "2.2.3"), (Coreley, "2.2.7")],
        modes: [N, N, N, E, E, N],
        says: |policy| {
            if policy.wifi.unsecured_networks_forbidden {
                Says::Asked("Secure Wi-Fi networks are used, unsecured ones are not".into())
            } else {
                Says::Open("whether unsecured Wi-Fi may be used".into())
            }
        },
        effect: |policy, mode| {
            if policy.wifi.only_these_networks && mode == Mode::Supervised {
                does("Only the council's networks, all of them secured, can be joined.")
            } else if matches!(mode, Mode::FullyManaged | Mode::CompanyWorkProfile) {
                does("The phone joins no unsecured network.")
                    .but("needs Android 13; on an older phone the rule stays with the holder")
            } else {
                does("Council networks can be given to the phone, secured.")
                    .but("a phone does not refuse an unsecured network that the holder chooses; the rule stays with the holder")
            }
        },
        apple: no_keys,
        evidence: Evidence::Nothing,
        android: Android {
            fields: &["deviceRadioState.minimumWifiSecurityLevel"],
            witness: Witness::Applied,
            write: |policy, draft| {
                if policy.wifi.unsecured_networks_forbidden && draft.is_company_owned() {
                    draft.resource.device_radio_state.get_or_insert_default().minimum_wifi_security_level =
                        Some(WifiSecurityLevel::Personal);
                }
            },
        },
        problem: no_problem,
    },
    Setting {
        name: "wifi.networks",
        title: "Council Wi-Fi",
        clauses: &[(Germoe, "2.2"), (Coreley, "2.2.7")],
        modes: [E, E, E, E, E, E],
        says: |policy| {
            if policy.wifi.networks.is_empty() {
                return Says::Open("which Wi-Fi networks the council gives its phones".into());
            }
            let names: Vec<String> =
                policy.wifi.networks.iter().map(|network| format!("\"{}\"", network.ssid)).collect();
            Says::Asked(format!("Council Wi-Fi: {}", names.join(", ")))
        },
        effect: |policy, mode| {
            let effect = match mode {
                Mode::PersonalWorkProfile => does("The networks are known to the phone, through the work profile."),
                _ => does("The networks and their passwords are on the phone."),
            };
            let wpa3 = policy.wifi.networks.iter().any(|network| network.security == Security::Wpa3);
            if wpa3 && mode.platform() == Platform::Android {
                effect.but("Google has no form for WPA3 with a password: the network is given as WPA2, and a phone that does not move up by itself cannot join one that takes nothing but WPA3")
            } else {
                effect
            }
        },
        apple: no_keys,
        evidence: Evidence::Profile,
        // Written with the council's stored passwords by `android/network.rs`.
        android: Android { fields: &["openNetworkConfiguration"], witness: Witness::Applied, write: |_, _| {} },
        problem: networks_problem,
    },
    Setting {
        name: "wifi.only_these_networks",
        title: "Only council Wi-Fi",
        clauses: &[],
        modes: [E, N, N, E, N, N],
        says: |policy| {
            if policy.wifi.only_these_networks {
                Says::Asked("Only the council's Wi-Fi networks are joined".into())
            } else {
                Says::Silent
            }
        },
        effect: |_, mode| match mode {
            Mode::Supervised => does("Only the council's networks can be joined."),
            Mode::Device | Mode::User => does("Nothing.").but("an iPhone takes this only when it is supervised"),
            Mode::FullyManaged => does("The holder cannot add Wi-Fi networks, and those already there are removed."),
            _ => does("Nothing.").but("the holder of a phone with a work profile chooses networks freely"),
        },
        apple: |policy| {
            policy
                .wifi
                .only_these_networks
                .then(|| restriction("forceWiFiToAllowedNetworksOnly", true, Supervised))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["deviceConnectivityManagement.configureWifi"],
            witness: Witness::Applied,
            write: |policy, draft| {
                if draft.mode == Mode::FullyManaged {
                    let connectivity = draft.resource.device_connectivity_management.get_or_insert_default();
                    connectivity.configure_wifi = Some(if policy.wifi.only_these_networks {
                        ConfigureWifi::Disallowed
                    } else {
                        ConfigureWifi::Allowed
                    });
                }
            },
        },
        problem: |policy| {
            (policy.wifi.only_these_networks && policy.wifi.networks.is_empty())
                .then(|| "would leave the phone without any Wi-Fi; add a network to wifi.networks first".into())
        },
    },
];
