//! USB sticks, accessories and computers: personal media may not be used with council equipment.

use serde::{Deserialize, Serialize};

use super::Document::{Coreley, Germoe};
use crate::android::connectivity::{UsbDataAccess, usb_at_most};
use crate::android::report::Witness;
use crate::apple::keys::{Reach::Supervised, restriction};
use crate::coverage::Status::{Enforced as E, NotPossible as N};
use crate::mode::Mode;
use crate::setting::{Android, Effect, Evidence, Says, Setting, does, no_problem};

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
        effect: |_, mode| {
            supervised_only(
                mode,
                "The Files app reads no USB drives.",
                "USB sticks and memory cards cannot be read, and files do not pass over USB.",
            )
        },
        apple: |policy| {
            (!policy.accessories.usb_drives_allowed)
                .then(|| restriction("allowFilesUSBDriveAccess", false, Supervised))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["deviceConnectivityManagement.usbDataAccess", "mountPhysicalMediaDisabled"],
            witness: Witness::Applied,
            write: |policy, draft| {
                let allowed = policy.accessories.usb_drives_allowed;
                // Said even where everything is allowed: left out, Google forbids file transfer.
                usb_at_most(draft, if allowed { UsbDataAccess::Everything } else { UsbDataAccess::NoFiles });
                if draft.is_company_owned() {
                    draft.resource.mount_physical_media_disabled = Some(!allowed);
                }
            },
        },
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
            let effect = supervised_only(
                mode,
                "A locked phone ignores a USB accessory it does not know.",
                "The USB port only charges, locked or not; before Android 12 only file transfer is blocked.",
            );
            match mode {
                Mode::FullyManaged | Mode::CompanyWorkProfile => effect.but(
                    "policy says while locked; Android knows only always, which is stricter: wired headphones and car displays stop working too",
                ),
                _ => effect,
            }
        },
        apple: |policy| {
            (!policy.accessories.usb_while_locked)
                .then(|| restriction("allowUSBRestrictedMode", true, Supervised))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["deviceConnectivityManagement.usbDataAccess"],
            witness: Witness::Applied,
            write: |policy, draft| {
                if !policy.accessories.usb_while_locked {
                    usb_at_most(draft, UsbDataAccess::Nothing);
                }
            },
        },
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
                "Files do not pass over USB.",
            )
        },
        apple: |policy| {
            (!policy.accessories.computer_pairing_allowed)
                .then(|| restriction("allowHostPairing", false, Supervised))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["deviceConnectivityManagement.usbDataAccess"],
            witness: Witness::Applied,
            write: |policy, draft| {
                if !policy.accessories.computer_pairing_allowed {
                    usb_at_most(draft, UsbDataAccess::NoFiles);
                }
            },
        },
        problem: no_problem,
    },
];
