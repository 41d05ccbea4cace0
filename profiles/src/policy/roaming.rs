//! Mobile data abroad: access away from home can cost the council dearly.

use serde::{Deserialize, Serialize};

use super::Document::Germoe;
use crate::android::report::Witness;
use crate::apple::keys::{Reach::CouncilDevices, restriction};
use crate::apple::report;
use crate::coverage::Status::{Enforced as E, NotPossible as N, ReportedOnly as R};
use crate::mode::Mode;
use crate::setting::{Android, Evidence, Says, Setting, does, no_problem};

/// Mobile data abroad.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Roaming {
    /// Whether data roaming may be on; unset where the council has not decided (Germoe 6.1.2).
    pub data_allowed: Option<bool>,
}

pub(crate) const SETTINGS: &[Setting] = &[Setting {
    name: "roaming.data_allowed",
    title: "Data roaming",
    clauses: &[(Germoe, "6.1.2")],
    modes: [R, R, N, E, E, N],
    says: |policy| match policy.roaming.data_allowed {
        Some(false) => Says::Asked("No data roaming".into()),
        Some(true) => Says::Allowed("Data roaming is allowed".into()),
        None if policy.written_policy == super::Document::Coreley => Says::Silent,
        None => Says::Open("whether council phones may use data abroad".into()),
    },
    effect: |_, mode| match mode {
        Mode::Supervised | Mode::Device => {
            does("Apps fetch nothing in the background abroad; the phone reports whether roaming is on.")
                .but("policy says no data roaming; the holder can still turn roaming on")
        }
        Mode::User | Mode::PersonalWorkProfile => {
            does("Nothing.").but("roaming on a personal phone is the holder's own")
        }
        Mode::FullyManaged | Mode::CompanyWorkProfile => does("Data roaming is off."),
    },
    apple: |policy| {
        (policy.roaming.data_allowed == Some(false))
            .then(|| restriction("allowGlobalBackgroundFetchWhenRoaming", false, CouncilDevices))
            .into_iter()
            .collect()
    },
    evidence: Evidence::Report(report::roaming_off),
    android: Android {
        fields: &["dataRoamingDisabled"],
        witness: Witness::Applied,
        write: |policy, draft| {
            if draft.is_company_owned() {
                draft.resource.data_roaming_disabled = Some(policy.roaming.data_allowed == Some(false));
            }
        },
    },
    problem: no_problem,
}];
