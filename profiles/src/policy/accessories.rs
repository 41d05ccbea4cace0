//! USB sticks, accessories and computers: personal media may not be used with council equipment.

use serde::{Deserialize, Serialize};

use super::Document::{Coreley, Germoe};
use crate::apple::keys::{Reach::Supervised, restriction};
use crate::coverage::Status::{Enforced as E, NotPossible as N};
use crate::mode::Mode;
use crate::setting::{Effect, Evidence, Says, Setting, does, no_problem};

/// USB accessories, sticks and computers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accessories {
    /// Whether USB sticks and other media may be read (Germoe 1.1.8, Coreley 1.1.7).
    pub usb_drives_allowed: bool,
    /// Whether a locked phone talks to a new USB accessory.
    pub usb_while_locked: bool,
    /// Whether the phone may be paired with a computer.
    pub computer_pairing_allowed: bool,
}

impl Default for Accessories {
    fn default() -> Self {
        Self { usb_drives_allowed: true, usb_while_locked: true, computer_pairing_allowed: true }
    }
}

fn supervised_only(mode: Mode, apple: &'static str, android: &'static str) -> Effect {
    match mode {
        Mode::Supervised => does(apple),
        Mode::Device => {
            does("Nothing.").but("an iPhone takes this only when it is supervised; the rule stays with the holder")
        }
        Mode::User | Mode::PersonalWorkProfile => {
            does("Nothing.").but("the council has no say over the USB port of a personal phone")
        }
        Mode::FullyManaged | Mode::CompanyWorkProfile => does(android),
    }
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "accessories.usb_drives_allowed",
        title: "No USB sticks or other media",
        clauses: &[(Germoe, "1.1.8"), (Coreley, "1.1.7")],
        modes: [E, N, N, E, E, N],
        says: |policy| {
            if policy.accessories.usb_drives_allowed {
                Says::Allowed("USB sticks may be used".into())
            } else {
                Says::Asked("Personal USB sticks and media are not used without approval".into())
            }
        },
        effect: |_, mode| supervised_only(mode, "The Files app reads no USB drives.", "USB data transfer is blocked."),
        apple: |policy| {
            (!policy.accessories.usb_drives_allowed)
                .then(|| restriction("allowFilesUSBDriveAccess", false, Supervised))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        problem: no_problem,
    },
    Setting {
        name: "accessories.usb_while_locked",
        title: "No new USB accessory while locked",
        clauses: &[(Germoe, "1.1.8"), (Coreley, "1.1.7")],
        modes: [E, N, N, E, E, N],
        says: |policy| {
            if policy.accessories.usb_while_locked {
                Says::Allowed("A locked phone may talk to USB accessories".into())
            } else {
                Says::Asked("A locked phone does not talk to a new USB accessory".into())
            }
        },
        effect: |_, mode| {
            supervised_only(
                mode,
                "A locked phone ignores a USB accessory it does not know.",
                "USB data transfer is blocked, locked or not.",
            )
        },
        apple: |policy| {
            (!policy.accessories.usb_while_locked)
                .then(|| restriction("allowUSBRestrictedMode", true, Supervised))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        problem: no_problem,
    },
    Setting {
        name: "accessories.computer_pairing_allowed",
        title: "No pairing with computers",
        clauses: &[],
        modes: [E, N, N, E, E, N],
        says: |policy| {
            if policy.accessories.computer_pairing_allowed {
                Says::Silent
            } else {
                Says::Asked("The phone is not paired with computers".into())
            }
        },
        effect: |_, mode| {
            supervised_only(
                mode,
                "Only the computer that supervised the phone can pair with it.",
                "USB data transfer is blocked.",
            )
        },
        apple: |policy| {
            (!policy.accessories.computer_pairing_allowed)
                .then(|| restriction("allowHostPairing", false, Supervised))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        problem: no_problem,
    },
];
