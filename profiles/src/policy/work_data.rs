//! Keeping the council's data apart from the holder's own: "the work profile must always be used where supported".

use serde::{Deserialize, Serialize};

use super::{
    Document::{Coreley, Germoe},
    Policy,
};
use crate::android::connectivity::BluetoothSharing;
use crate::android::report::Witness;
use crate::android::work_profile::{self, CopyPaste, DataSharing, WorkContacts};
use crate::apple::keys::{Reach::EveryMode, restriction};
use crate::coverage::Status::{Enforced as E, NotPossible as N};
use crate::mode::Mode;
use crate::setting::{Android, Effect, Evidence, Says, Setting, does, no_problem};

/// Keeping work and personal data apart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkData {
    /// Documents do not pass between work apps and personal apps (Germoe 2.2, Coreley 2.2.6).
    pub documents_stay_in_work_apps: bool,
    /// Copy and paste obeys the same border.
    pub copies_stay_in_work_apps: bool,
    /// AirDrop counts as a personal app.
    pub airdrop_counts_as_personal: bool,
    /// Personal apps cannot read work contacts.
    pub contacts_stay_in_work_apps: bool,
}

const UNMANAGED: &str = "an iPhone tells work from personal only for apps and accounts that the council's management installed; what the holder set up by hand counts as personal";
const NOTHING_APART: &str = "The whole phone is for work: there is no personal side to keep apart.";

fn border(asked: &'static str, mode: Mode, apple: &'static str, android: &'static str) -> Effect {
    match mode {
        Mode::Supervised | Mode::Device | Mode::User => does(apple).but(UNMANAGED),
        Mode::FullyManaged => {
            does(NOTHING_APART).but(format!("policy says {asked}; nothing on this phone is personal"))
        }
        Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => does(android),
    }
}

fn says(asked: bool, words: &str, open: &str) -> Says {
    if asked { Says::Asked(words.into()) } else { Says::Open(open.into()) }
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "work_data.documents_stay_in_work_apps",
        title: "Work documents stay in work apps",
        clauses: &[(Germoe, "2.2"), (Coreley, "2.2.6")],
        modes: [E, E, E, N, E, E],
        says: |policy| {
            says(
                policy.work_data.documents_stay_in_work_apps,
                "Work and personal data are kept apart",
                "whether work documents must stay in work apps",
            )
        },
        effect: |_, mode| {
            border(
                "work and personal data are kept apart",
                mode,
                "Documents do not open across the border between work apps and personal apps.",
                "Sharing between the work profile and the personal side is blocked.",
            )
        },
        apple: |policy: &Policy| {
            if !policy.work_data.documents_stay_in_work_apps {
                return Vec::new();
            }
            vec![
                restriction("allowOpenFromManagedToUnmanaged", false, EveryMode),
                restriction("allowOpenFromUnmanagedToManaged", false, EveryMode),
            ]
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["crossProfilePolicies.crossProfileDataSharing"],
            witness: Witness::Applied,
            write: |policy, draft| {
                if let Some(border) = work_profile::border(draft) {
                    border.cross_profile_data_sharing = Some(if policy.work_data.documents_stay_in_work_apps {
                        DataSharing::Disallowed
                    } else {
                        DataSharing::Allowed
                    });
                }
            },
        },
        problem: no_problem,
    },
    Setting {
        name: "work_data.copies_stay_in_work_apps",
        title: "Copy and paste stay in work apps",
        clauses: &[(Germoe, "2.2"), (Coreley, "2.2.6")],
        modes: [E, E, E, N, E, E],
        says: |policy| {
            says(
                policy.work_data.copies_stay_in_work_apps,
                "Copied work text stays in work apps",
                "whether copied work text must stay in work apps",
            )
        },
        effect: |_, mode| {
            border(
                "copied text stays in work apps",
                mode,
                "Copy and paste obey the same border as documents.",
                "What is copied in the work profile cannot be pasted on the personal side.",
            )
        },
        apple: |policy| {
            policy
                .work_data
                .copies_stay_in_work_apps
                .then(|| restriction("requireManagedPasteboard", true, EveryMode))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["crossProfilePolicies.crossProfileCopyPaste"],
            witness: Witness::Applied,
            write: |policy, draft| {
                if let Some(border) = work_profile::border(draft) {
                    border.cross_profile_copy_paste = Some(if policy.work_data.copies_stay_in_work_apps {
                        CopyPaste::NotOutOfWork
                    } else {
                        CopyPaste::Allowed
                    });
                }
            },
        },
        problem: |policy| {
            (policy.work_data.copies_stay_in_work_apps && !policy.work_data.documents_stay_in_work_apps)
                .then(|| "has no effect without the border for documents; also set work_data.documents_stay_in_work_apps=true".into())
        },
    },
    Setting {
        name: "work_data.airdrop_counts_as_personal",
        title: "No work documents over AirDrop",
        clauses: &[(Germoe, "2.2"), (Coreley, "2.2.6")],
        modes: [E, E, E, N, E, E],
        says: |policy| {
            says(
                policy.work_data.airdrop_counts_as_personal,
                "Work documents are not handed to phones nearby",
                "whether work documents may be handed to phones nearby",
            )
        },
        effect: |_, mode| {
            let effect = border(
                "work documents are not handed to phones nearby",
                mode,
                "AirDrop counts as a personal app.",
                "Sharing from the work profile over Bluetooth is blocked.",
            );
            match mode {
                Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
                    effect.but("Google offers the council no setting for Quick Share")
                }
                _ => effect,
            }
        },
        apple: |policy| {
            policy
                .work_data
                .airdrop_counts_as_personal
                .then(|| restriction("forceAirDropUnmanaged", true, EveryMode))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["deviceConnectivityManagement.bluetoothSharing"],
            witness: Witness::Applied,
            write: |policy, draft| {
                if draft.has_work_profile() {
                    let connectivity = draft.resource.device_connectivity_management.get_or_insert_default();
                    connectivity.bluetooth_sharing = Some(if policy.work_data.airdrop_counts_as_personal {
                        BluetoothSharing::Disallowed
                    } else {
                        BluetoothSharing::Allowed
                    });
                }
            },
        },
        problem: |policy| {
            (policy.work_data.airdrop_counts_as_personal && !policy.work_data.documents_stay_in_work_apps)
                .then(|| "has no effect without the border for documents; also set work_data.documents_stay_in_work_apps=true".into())
        },
    },
    Setting {
        name: "work_data.contacts_stay_in_work_apps",
        title: "Work contacts stay in work apps",
        clauses: &[(Germoe, "2.2"), (Coreley, "2.2.6")],
        modes: [E, E, E, N, E, E],
        says: |policy| {
            says(
                policy.work_data.contacts_stay_in_work_apps,
                "Personal apps cannot read work contacts",
                "whether personal apps may read work contacts",
            )
        },
        effect: |_, mode| {
            border(
                "personal apps cannot read work contacts",
                mode,
                "Personal apps cannot read work contacts.",
                "The personal side cannot look up work contacts.",
            )
        },
        apple: |policy| {
            policy
                .work_data
                .contacts_stay_in_work_apps
                .then(|| restriction("allowUnmanagedToReadManagedContacts", false, EveryMode))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["crossProfilePolicies.showWorkContactsInPersonalProfile"],
            witness: Witness::Applied,
            write: |policy, draft| {
                if let Some(border) = work_profile::border(draft) {
                    border.show_work_contacts_in_personal_profile =
                        Some(if policy.work_data.contacts_stay_in_work_apps {
                            WorkContacts::Hidden
                        } else {
                            WorkContacts::Shown
                        });
                }
            },
        },
        problem: |policy| {
            (policy.work_data.contacts_stay_in_work_apps && !policy.work_data.documents_stay_in_work_apps)
                .then(|| "has no effect without the border for documents; also set work_data.documents_stay_in_work_apps=true".into())
        },
    },
];
