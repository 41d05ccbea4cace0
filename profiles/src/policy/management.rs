//! Whether the holder may take security off the phone: it "must not be disabled or removed".

use serde::{Deserialize, Serialize};

use super::Document::{Coreley, Germoe};
use crate::android::report::{Witness, judge};
use crate::android::security;
use crate::apple::keys::{Reach::Supervised, restriction};
use crate::coverage::Status::{Enforced as E, NotPossible as N, ReportedOnly as R};
use crate::mode::Mode;
use crate::setting::{Android, Evidence, Says, Setting, does, no_keys, no_problem};

/// Whether the holder may take security off the phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Management {
    /// Whether the council's profile may be removed (Germoe 2.1.4, Coreley 2.1.4).
    pub removal_allowed: bool,
    /// Whether the holder may install profiles of others.
    pub other_profiles_allowed: bool,
    /// Whether the holder may erase the phone from its settings.
    pub reset_by_holder_allowed: bool,
}

impl Default for Management {
    fn default() -> Self {
        Self { removal_allowed: true, other_profiles_allowed: true, reset_by_holder_allowed: true }
    }
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "management.removal_allowed",
        title: "Security is not removed",
        clauses: &[(Germoe, "2.1.4"), (Coreley, "2.1.4")],
        modes: [E, R, R, E, R, R],
        says: |policy| {
            if policy.management.removal_allowed {
                Says::Allowed("The holder may remove the council's settings".into())
            } else {
                Says::Asked("Security on the phone must not be disabled or removed".into())
            }
        },
        effect: |_, mode| {
            match mode {
            Mode::Supervised => does("The council's settings cannot be removed by themselves.").but(
                "management as a whole stays only where the phone was enrolled so that it cannot be removed; its removal raises an alert",
            ),
            Mode::Device => does("The council's settings go only together with management as a whole; a missing profile raises an alert.")
                .but("the holder of an iPhone that is not supervised can remove management"),
            Mode::User => does("A missing profile raises an alert.").but("the holder of a personal iPhone may end management, and the council's data goes with it"),
            Mode::FullyManaged => does("Management cannot be removed without a factory reset, which can be blocked; developer options and safe boot are off."),
            Mode::CompanyWorkProfile => does("Developer options and safe boot are off.").but("the holder can reset the phone, and Google does not report it: the phone is only not heard from any more"),
            Mode::PersonalWorkProfile => does("A removed work profile is noticed if Google reports it, else the phone is only not heard from any more.").but("the holder may remove the work profile without a word"),
        }
        },
        // `PayloadRemovalDisallowed` is a key of the profile itself, not of a payload.
        apple: no_keys,
        evidence: Evidence::Profile,
        android: Android {
            fields: &["advancedSecurityOverrides.developerSettings"],
            witness: Witness::Report(judge::not_removed),
            write: |policy, draft| security::developer_options(draft, policy.management.removal_allowed),
        },
        problem: no_problem,
    },
    Setting {
        name: "management.other_profiles_allowed",
        title: "No profiles of others",
        clauses: &[],
        modes: [E, N, N, N, N, N],
        says: |policy| {
            if policy.management.other_profiles_allowed {
                Says::Silent
            } else {
                Says::Asked("The holder installs no configuration profiles".into())
            }
        },
        effect: |_, mode| match mode {
            Mode::Supervised => does("The holder cannot install configuration profiles or certificates by hand."),
            Mode::Device | Mode::User => does("Nothing.").but("an iPhone takes this only when it is supervised"),
            _ => does("Nothing.").but("Android knows no configuration profiles"),
        },
        apple: |policy| {
            (!policy.management.other_profiles_allowed)
                .then(|| restriction("allowUIConfigurationProfileInstallation", false, Supervised))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android::NOTHING,
        problem: no_problem,
    },
    Setting {
        name: "management.reset_by_holder_allowed",
        title: "Holder cannot erase the phone",
        clauses: &[],
        modes: [E, N, N, E, N, N],
        says: |policy| {
            if policy.management.reset_by_holder_allowed {
                Says::Silent
            } else {
                Says::Asked("The holder does not reset the phone".into())
            }
        },
        effect: |_, mode| match mode {
            Mode::Supervised => does("\"Erase All Content and Settings\" is gone from the phone's settings."),
            Mode::FullyManaged => does(
                "Factory reset from the settings is blocked, where Google lets the installation's project use this.",
            ),
            Mode::Device => does("Nothing.").but("an iPhone takes this only when it is supervised"),
            Mode::CompanyWorkProfile => {
                does("Nothing.").but("a phone with a work profile can always be reset by its holder")
            }
            Mode::User | Mode::PersonalWorkProfile => does("Nothing.").but("a personal phone is its holder's to reset"),
        },
        apple: |policy| {
            (!policy.management.reset_by_holder_allowed)
                .then(|| restriction("allowEraseContentAndSettings", false, Supervised))
                .into_iter()
                .collect()
        },
        evidence: Evidence::Profile,
        android: Android {
            fields: &["factoryResetDisabled"],
            witness: Witness::Applied,
            write: |policy, draft| {
                if draft.mode == Mode::FullyManaged {
                    draft.resource.factory_reset_disabled = Some(!policy.management.reset_by_holder_allowed);
                }
            },
        },
        problem: no_problem,
    },
];
