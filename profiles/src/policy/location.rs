//! Where the phone is: never asked, except inside an open loss case.

use serde::{Deserialize, Serialize};

use super::Document::{Coreley, Germoe};
use crate::coverage::Status::{Enforced as E, NotPossible as N};
use crate::mode::Mode;
use crate::named::named_enum;
use crate::setting::{Android, Evidence, Says, Setting, does, no_keys, no_problem};

named_enum! {
    /// When the council may learn where a phone is. There is deliberately no "always".
    LocationUse, "use of location" {
        /// Never.
        Never = "never",
        /// Only while a loss case is open.
        OpenLossCase = "open_loss_case",
    }
}

/// Where the phone is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Location {
    /// When the council may learn where a phone is (monitoring must be proportionate: Germoe 5.1.6, Coreley 4.1.3).
    pub collected: LocationUse,
}

impl Default for Location {
    fn default() -> Self {
        Self { collected: LocationUse::OpenLossCase }
    }
}

pub(crate) const SETTINGS: &[Setting] = &[Setting {
    name: "location.collected",
    title: "Location",
    clauses: &[(Germoe, "5.1.6"), (Coreley, "4.1.3")],
    modes: [E, N, N, E, E, N],
    says: |policy| match policy.location.collected {
        LocationUse::OpenLossCase => Says::Asked("Location only while a loss case is open".into()),
        LocationUse::Never => Says::Asked("Location is never asked for".into()),
    },
    effect: |policy, mode| match (policy.location.collected, mode) {
        (LocationUse::Never, _) => does("Not asked for."),
        (LocationUse::OpenLossCase, Mode::Supervised) => {
            does("Located in Lost Mode only, which tells the holder so afterwards.")
        }
        (LocationUse::OpenLossCase, Mode::Device) => {
            does("Not asked for.").but("only a supervised iPhone has Lost Mode; the holder can use Find My")
        }
        (LocationUse::OpenLossCase, Mode::User | Mode::PersonalWorkProfile) => does("Not asked for.")
            .but("the council can never locate a personal phone; the holder can use Find My or Find Hub"),
        (LocationUse::OpenLossCase, Mode::FullyManaged) => does("Located in lost mode only."),
        (LocationUse::OpenLossCase, Mode::CompanyWorkProfile) => {
            does("Located in lost mode only.").but("needs Android 13, and the holder decides whether location is on")
        }
    },
    apple: no_keys,
    evidence: Evidence::Nothing,
    android: Android::NOTHING,
    problem: no_problem,
}];
