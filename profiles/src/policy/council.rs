//! What the written policy says about people rather than phones: who is told of a loss, who pays, what must never be on an own device.

use serde::{Deserialize, Serialize};

use super::{
    Document::{Coreley, Germoe},
    OpenQuestion, Policy, Problem,
};
use crate::coverage::Status::NotPossible as N;
use crate::mode::Platform;
use crate::named::named_enum;
use crate::setting::{Android, Evidence, Says, Setting, does, no_keys};

named_enum! {
    /// Who is told that a phone is lost or damaged.
    Recipient, "recipient of a loss report" {
        /// The clerk.
        Clerk = "clerk",
        /// The chair.
        Chair = "chair",
    }
}

named_enum! {
    /// What negligence costs the holder.
    Liability, "liability" {
        /// The text does not say, or the council has not decided.
        NotStated = "not_stated",
        /// Up to a first amount.
        First = "first",
        /// The whole loss or damage.
        Uncapped = "uncapped",
    }
}

named_enum! {
    /// What happens to a leaver's device.
    Leaver, "leaver's rule" {
        /// The holder clears it (Germoe 2.2.4).
        HolderClears = "holder_clears",
        /// The clerk or a professional is given access to clear it (Coreley 2.2.13).
        AccessGiven = "access_given",
    }
}

/// What the text says about people rather than phones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Council {
    /// "Lock the device after N failed login attempts": 5 in Germoe 2.2, 3 in Coreley 2.2.7. Never turned into erasing.
    pub lock_after_failed_logins: Option<u8>,
    /// What negligence costs the holder (Germoe 2.1.6, Coreley 2.1.5).
    pub liability: Liability,
    /// The first amount, in pence, when `liability` is `first`.
    pub liability_first_pence: Option<u64>,
    /// Who is told of a loss; empty where the text does not say (Germoe 2.1.6 and 2.2, Coreley 2.1.5).
    pub loss_reported_to: Vec<Recipient>,
    /// The holder keeps IMEI and SIM numbers for the network operator (Germoe 2.2).
    pub imei_and_sim_kept: bool,
    /// The register asks for evidence of backups (Germoe 2.1.2 and 2.2.2, Coreley 2.1.2 and 2.2.12).
    pub backup_evidence_required: bool,
    /// Kinds of data that are handled on council devices only (Germoe 2.2, Coreley 2.2.9).
    pub council_device_only: Vec<String>,
    /// What happens to a leaver's device (Germoe 2.2.4, Coreley 2.2.13).
    pub leaver: Option<Leaver>,
}

impl Default for Council {
    fn default() -> Self {
        Self {
            lock_after_failed_logins: None,
            liability: Liability::NotStated,
            liability_first_pence: None,
            loss_reported_to: Vec::new(),
            imei_and_sim_kept: false,
            backup_evidence_required: false,
            council_device_only: Vec::new(),
            leaver: None,
        }
    }
}

pub(crate) const SETTINGS: &[Setting] = &[Setting {
    name: "council.lock_after_failed_logins",
    title: "Lock after failed logins",
    clauses: &[(Germoe, "2.2"), (Coreley, "2.2.7")],
    modes: [N, N, N, N, N, N],
    says: |policy| match policy.council.lock_after_failed_logins {
        Some(attempts) => Says::Asked(format!("Lock after {attempts} failed login attempts")),
        None => Says::Open("after how many failed logins a phone should lock".into()),
    },
    effect: |policy, mode| {
        let attempts = policy.council.lock_after_failed_logins.unwrap_or_default();
        let does = does("The phone stays locked and by itself makes the guesser wait longer and longer.");
        match mode.platform() {
            Platform::Apple => does.but(format!(
                "policy says lock after {attempts}; an iPhone has no such setting, only erasing, which is a setting of its own and never stands in for locking"
            )),
            Platform::Android => does.but(format!("policy says lock after {attempts}; Android has no such setting, only wiping, which is a setting of its own")),
        }
    },
    apple: no_keys,
    evidence: Evidence::Nothing,
    android: Android::NOTHING,
    problem: |policy| {
        (policy.council.lock_after_failed_logins == Some(0))
            .then(|| "0 makes no sense; choose 1 or more, or \"none\"".into())
    },
}];

/// What is wrong in the parts that no phone knows.
pub(super) fn problems(policy: &Policy) -> Vec<Problem> {
    let council = &policy.council;
    let mut problems = Vec::new();
    match (council.liability, council.liability_first_pence) {
        (Liability::First, None | Some(0)) => problems.push(Problem::new(
            "council.liability_first_pence",
            "is missing: liability is for a first amount; give it in pence (10000 is £100), or set council.liability to \"uncapped\" or \"not_stated\"",
        )),
        (Liability::NotStated | Liability::Uncapped, Some(_)) => problems.push(Problem::new(
            "council.liability_first_pence",
            "has no effect unless council.liability is \"first\"; set that, or clear this with \"none\"",
        )),
        _ => {}
    }
    if council.council_device_only.iter().any(|kind| kind.trim().is_empty()) {
        problems.push(Problem::new(
            "council.council_device_only",
            "holds an empty entry; name the kind of data or remove the entry",
        ));
    }
    problems
}

/// What the text leaves to the council in the parts that no phone knows.
pub(super) fn open_questions(policy: &Policy) -> Vec<OpenQuestion> {
    let council = &policy.council;
    let mut open = Vec::new();
    let mut ask =
        |setting, title, question: &str| open.push(OpenQuestion { setting, title, question: question.to_owned() });
    if council.liability == Liability::NotStated {
        ask("council.liability", "Liability", "what negligence costs the holder");
    }
    if council.loss_reported_to.is_empty() {
        ask("council.loss_reported_to", "Who is told of a loss", "who is told when a phone is lost or damaged");
    }
    if council.leaver.is_none() {
        ask("council.leaver", "Leavers", "whether a leaver clears the device or gives access to it");
    }
    open
}
