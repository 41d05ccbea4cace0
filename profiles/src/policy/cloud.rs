//! Cloud storage and backups: no council data in personal accounts, and backups that are encrypted.

use serde::{Deserialize, Serialize};

use super::Document::{Coreley, Germoe};
use crate::android::report::{Witness, judge};
use crate::android::resource::BackupService;
use crate::apple::keys::{
    Reach::{CouncilDevices, EveryMode},
    restriction,
};
use crate::coverage::Status::{Enforced as E, NotPossible as N, ReportedOnly as R};
use crate::mode::{Mode, Platform};
use crate::setting::{Android, Evidence, Says, Setting, does, no_problem};

/// Cloud storage and backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cloud {
    /// Whether work apps may keep their data in the holder's iCloud (Germoe 2.2, Coreley 2.2.8).
    pub work_apps_may_sync: bool,
    /// Whether a council phone may back itself up to the holder's own cloud, iCloud or Google.
    pub whole_phone_backup_allowed: bool,
    /// Backups made on a computer are encrypted (Germoe 2.1.2, 2.2.2; Coreley 2.1.2, 2.2.12).
    pub backups_must_be_encrypted: bool,
}

impl Default for Cloud {
    fn default() -> Self {
        Self { work_apps_may_sync: true, whole_phone_backup_allowed: true, backups_must_be_encrypted: false }
    }
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "cloud.work_apps_may_sync",
        title: "No work data in personal cloud storage",
        clauses: &[(Germoe, "2.2"), (Coreley, "2.2.8")],
        modes: [E, E, E, N, E, E],
        says: |policy| {
            if policy.cloud.work_apps_may_sync {
                Says::Allowed("Work apps may use the holder's cloud storage".into())
            } else {
                Says::Asked("No council data in personal cloud storage".into())
            }
        },
        effect: |_, mode| match mode {
            Mode::Supervised | Mode::Device | Mode::User => does("Work apps cannot keep data in iCloud.").but(
                "what a person copies to a cloud by hand, or in an app the council does not manage, no phone can see",
            ),
            Mode::FullyManaged => {
                does("Nothing by itself.").but("which cloud apps may be installed is a matter of the app list")
            }
            Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
                does("Personal cloud apps cannot see the work profile.")
            }
        },
        apple: |policy| {
            (!policy.cloud.work_apps_may_sync)
                .then(|| restriction("allowManagedAppsCloudSync", false, EveryMode))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        // The work profile itself is the border; Google has no field for it.
        android: Android { fields: &[], witness: Witness::Report(judge::work_profile), write: |_, _| {} },
        problem: no_problem,
    },
    Setting {
        name: "cloud.whole_phone_backup_allowed",
        title: "No cloud backup of the whole phone",
        clauses: &[],
        modes: [E, E, N, E, N, N],
        says: |policy| {
            if policy.cloud.whole_phone_backup_allowed {
                Says::Silent
            } else {
                Says::Asked("Council phones are not backed up to the holder's own cloud".into())
            }
        },
        effect: |_, mode| match mode {
            Mode::Supervised | Mode::Device => does("iCloud backup is off."),
            Mode::User => does("Nothing: a personal phone's own backup is the holder's.")
                .but("work data kept apart by User Enrollment is not part of it"),
            Mode::FullyManaged => does("Android's backup to the holder's Google account is off."),
            Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
                does("Nothing: the personal side's backup is the holder's.").but("Android has no such setting here")
            }
        },
        apple: |policy| {
            (!policy.cloud.whole_phone_backup_allowed)
                .then(|| restriction("allowCloudBackup", false, CouncilDevices))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["backupService"],
            witness: Witness::Applied,
            write: |policy, draft| {
                if draft.mode == Mode::FullyManaged {
                    draft.resource.backup_service = Some(if policy.cloud.whole_phone_backup_allowed {
                        BackupService::UserChoice
                    } else {
                        BackupService::Disabled
                    });
                }
            },
        },
        problem: no_problem,
    },
    Setting {
        name: "cloud.backups_must_be_encrypted",
        title: "Encrypted backups",
        clauses: &[(Germoe, "2.1.2"), (Germoe, "2.2.2"), (Coreley, "2.1.2"), (Coreley, "2.2.12")],
        modes: [E, E, E, R, R, R],
        says: |policy| {
            if policy.cloud.backups_must_be_encrypted {
                Says::Asked("Backups are encrypted".into())
            } else {
                Says::Open("whether backups must be encrypted".into())
            }
        },
        effect: |_, mode| match mode.platform() {
            Platform::Apple => does("A backup made on a computer is always encrypted.")
                .but("no phone shows that a backup was made; the register keeps the evidence"),
            Platform::Android => {
                does("The register keeps the evidence of backups.").but("Android offers no setting for it")
            }
        },
        apple: |policy| {
            policy
                .cloud
                .backups_must_be_encrypted
                .then(|| restriction("forceEncryptedBackup", true, EveryMode))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android::NOTHING,
        problem: no_problem,
    },
];
