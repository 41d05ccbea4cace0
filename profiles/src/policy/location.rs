//! Where the phone is: nothing asks for it yet; a council's policy may allow that it is asked while a loss case is open.

use serde::{Deserialize, Serialize};

use super::Document::{Coreley, Germoe};
use crate::coverage::Status::NotPossible as N;
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
    modes: [N, N, N, N, N, N],
    says: |policy| match policy.location.collected {
        LocationUse::OpenLossCase => Says::Asked("Location only while a loss case is open".into()),
        LocationUse::Never => Says::Asked("Location is never asked for".into()),
    },
    effect: |policy, mode| match (policy.location.collected, mode) {
        (LocationUse::Never, _) => does("Not asked for."),
        (LocationUse::OpenLossCase, Mode::Supervised | Mode::Device) => {
            does("Not asked for.").but("Beadle locates no phone; the holder can use Find My")
        }
        (LocationUse::OpenLossCase, Mode::FullyManaged | Mode::CompanyWorkProfile) => {
            does("Not asked for.").but("Beadle locates no phone; the holder can use Find Hub")
        }
        (LocationUse::OpenLossCase, Mode::User | Mode::PersonalWorkProfile) => does("Not asked for.")
            .but("the council can never locate a personal phone; the holder can use Find My or Find Hub"),
    },
    apple: no_keys,
    evidence: Evidence::Nothing,
    android: Android::NOTHING,
    problem: no_problem,
}];
