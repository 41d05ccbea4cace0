//! Policy × platform × mode: what is enforced, only reported or not possible, and the gap in words, so that nothing is promised that no phone keeps.

use serde::Serialize;

use crate::mode::{Mode, Platform};
use crate::named::named_enum;
use crate::policy::{Document, Policy};
use crate::setting::{self, Says};

named_enum! {
    /// What can be done about a setting on one kind of phone.
    Status, "coverage status" {
        /// The phone enforces it.
        Enforced = "enforced",
        /// The phone only reports it; a person has to act.
        ReportedOnly = "reported_only",
        /// The phone neither enforces nor reports it.
        NotPossible = "not_possible",
    }
}

/// One clause of a written policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Clause {
    /// The document's name, as people say it.
    pub document: &'static str,
    /// The clause's number in that document.
    pub number: &'static str,
}

/// What the policy makes of this row's setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The policy asks for it.
    Asked,
    /// The written policy leaves it open: the council should decide.
    Open,
    /// The policy restricts nothing here.
    Allowed,
}

/// One setting on one kind of phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The setting's path in the policy.
    pub setting: &'static str,
    /// Its title for people.
    pub title: &'static str,
    /// The clauses of the council's written policy that it serves.
    pub clauses: Vec<Clause>,
    /// The phone's platform.
    pub platform: Platform,
    /// The phone's management mode.
    pub mode: Mode,
    /// Whether the policy asks for it at all; `status` is what *could* be done where it does not.
    pub choice: Choice,
    /// What can be done about it.
    pub status: Status,
    /// "Policy says", in words.
    pub policy_says: String,
    /// "Phone does", in words.
    pub phone_does: String,
    /// "Gap", in words; absent when the phone does exactly what the policy says.
    pub gap: Option<String>,
}

/// Every setting the policy mentions or leaves open, on every kind of phone.
pub fn coverage(policy: &Policy) -> Vec<Row> {
    let mut rows = Vec::new();
    for setting in setting::all() {
        let (choice, policy_says) = match (setting.says)(policy) {
            Says::Asked(words) => (Choice::Asked, words),
            Says::Open(words) => (Choice::Open, format!("Left open: {words}")),
            Says::Allowed(words) => (Choice::Allowed, words),
            Says::Silent => continue,
        };
        let clauses = clauses_of(setting.clauses, policy.written_policy);
        for &mode in Mode::all() {
            let (phone_does, gap) = match choice {
                Choice::Asked => {
                    let effect = (setting.effect)(policy, mode);
                    (effect.does, effect.gap)
                }
                Choice::Open => (
                    not_set(setting.status(mode)).to_owned(),
                    Some("the written policy leaves this open; the council must decide".to_owned()),
                ),
                Choice::Allowed => (not_set(setting.status(mode)).to_owned(), None),
            };
            rows.push(Row {
                setting: setting.name,
                title: setting.title,
                clauses: clauses.clone(),
                platform: mode.platform(),
                mode,
                choice,
                status: setting.status(mode),
                policy_says: policy_says.clone(),
                phone_does,
                gap,
            });
        }
    }
    rows
}

/// What a phone does about a setting that nothing asks for, and what it could do.
fn not_set(status: Status) -> &'static str {
    match status {
        Status::Enforced => "Nothing is set; it could be enforced.",
        Status::ReportedOnly => "Nothing is set; it could be reported only.",
        Status::NotPossible => "Nothing is set; this kind of phone offers no setting for it.",
    }
}

/// A council sees the clauses of its own text; the template stands for both texts, and so shows both.
fn clauses_of(clauses: &[(Document, &'static str)], written: Document) -> Vec<Clause> {
    clauses
        .iter()
        .filter(|(document, _)| match written {
            Document::Germoe | Document::Coreley => *document == written,
            Document::CouncilTemplate | Document::Other => true,
        })
        .map(|(document, number)| Clause { document: document.title(), number })
        .collect()
}
