//! What the phone tells its maker: diagnostic reports can carry scraps of council data.

use serde::{Deserialize, Serialize};

use crate::apple::keys::{Reach::EveryMode, restriction};
use crate::coverage::Status::{Enforced as E, NotPossible as N};
use crate::mode::Platform;
use crate::setting::{Android, Evidence, Says, Setting, does, no_problem};

/// What the phone tells its maker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Diagnostics {
    /// Whether diagnostic reports may be sent.
    pub reports_allowed: bool,
}

impl Default for Diagnostics {
    fn default() -> Self {
        Self { reports_allowed: true }
    }
}

pub(crate) const SETTINGS: &[Setting] = &[Setting {
    name: "diagnostics.reports_allowed",
    title: "No diagnostic reports",
    clauses: &[],
    modes: [E, E, E, N, N, N],
    says: |policy| {
        if policy.diagnostics.reports_allowed {
            Says::Silent
        } else {
            Says::Asked("The phone sends no diagnostic reports".into())
        }
    },
    effect: |_, mode| match mode.platform() {
        Platform::Apple => does("The phone sends Apple no diagnostic reports."),
        Platform::Android => does("Nothing.").but("Android offers the council no setting for it"),
    },
    apple: |policy| {
        (!policy.diagnostics.reports_allowed)
            .then(|| restriction("allowDiagnosticSubmission", false, EveryMode))
            .into_iter()
            .collect()
    },
    evidence: Evidence::Profile,
    android: Android::NOTHING,
    problem: no_problem,
}];
