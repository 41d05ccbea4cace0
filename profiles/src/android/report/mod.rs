//! What an Android phone's `Device` resource reports → per setting: in force, not in force, unknown. Only what the phone says counts,
//! never what was sent; and nothing is in force before the phone says it applies this very version of the policy.

use chrono::NaiveDate;
use serde_json::Value;

use super::{Context, draw_up};
use crate::coverage::Status;
use crate::mode::{Mode, Platform};
use crate::named::named_enum;
use crate::policy::Policy;
use crate::report::{Judgement, in_force_because, not_in_force_because, unknown_because};
use crate::setting;

mod applied_lock;
mod device;
pub(crate) mod judge;
mod lock;
mod summary;
mod words;

pub use crate::report::{Setting, State};
pub use applied_lock::AppliedLock;
pub use summary::{NonCompliance, Summary, summary};

use super::passcode::PasswordRequirements;
use device::Device;

/// What is known of a phone and its policy at Google.
#[derive(Debug, Clone, Copy)]
pub struct Reported<'a> {
    /// The raw `Device` resource, as Google gave it last. Unknown members and missing fields never fail.
    pub device: &'a Value,
    /// The full name of the policy this phone should have: `enterprises/…/policies/…`.
    pub policy_name: &'a str,
    /// The `version` that `policies.patch` answered with for the council's present policy; `None` while Google has not taken it, or
    /// has refused it.
    pub policy_version_at_google: Option<i64>,
}

named_enum! {
    /// Where the policy stands on a phone.
    PolicyState, "state of a policy" {
        /// The phone applies this very version.
        Applied = "applied",
        /// Google has not taken this version of the policy: not sent yet, or refused.
        NotAccepted = "not_accepted",
        /// The phone applies another version of it.
        OtherVersion = "other_version",
        /// The phone applies another policy.
        OtherPolicy = "other_policy",
        /// The phone is no longer managed.
        Removed = "removed",
        /// The phone has not said what it applies.
        Unknown = "unknown",
    }
}

/// How one learns from an Android phone whether a setting is in force.
pub(crate) enum Witness {
    /// The phone obeys the policy it applies, unless it names the setting among those it does not comply with.
    Applied,
    /// The same, but without a lock it changes nothing.
    Lock,
    /// Part of the rules of the lock, which the phone lists as it applies them.
    LockRule,
    /// The phone reports the matter itself.
    Report(fn(&Policy, &Facts<'_>) -> Judgement),
    /// No Android phone reports it.
    Nothing,
}

/// What a setting is judged by.
pub(crate) struct Facts<'a> {
    device: Device<'a>,
    mode: Mode,
    today: NaiveDate,
    /// Whether the policy as a whole is on the phone.
    whole: Judgement,
    /// The rules of the lock as they were sent.
    locks: Vec<PasswordRequirements>,
}

/// Every setting the policy asks for and this kind of phone can keep or report, with its state; `profile` is the policy as a whole.
/// Settings that are not possible in this mode are the coverage's matter and left out here; on a personal phone so is erasing all of
/// it. `today` is the date by which the age of security patches is judged. The context's secrets are not used.
pub fn in_force(policy: &Policy, context: &Context<'_>, reported: &Reported<'_>, today: NaiveDate) -> Vec<Setting> {
    if context.mode.platform() != Platform::Android {
        return Vec::new();
    }
    let facts = Facts {
        device: Device(reported.device),
        mode: context.mode,
        today,
        whole: judge_policy(reported),
        locks: draw_up(policy, context).password_policies.unwrap_or_default(),
    };
    let mut settings = vec![facts.whole.clone().of("profile")];
    for setting in setting::all() {
        if !setting.is_asked(policy) || setting.status(context.mode) == Status::NotPossible {
            continue;
        }
        let fields = setting.android.fields;
        let judgement = match setting.android.witness {
            Witness::Nothing => continue,
            Witness::LockRule if !lock::is_sent(fields, &facts) => continue,
            Witness::Applied => facts.applied(fields),
            Witness::Lock => facts.behind_lock(fields),
            Witness::LockRule => lock::rule(fields, &facts),
            Witness::Report(judge) => judge(policy, &facts),
        };
        settings.push(facts.only_if_applied(judgement).of(setting.name));
    }
    settings
}

/// Where the policy stands on the phone.
pub fn policy_state(reported: &Reported<'_>) -> PolicyState {
    let device = Device(reported.device);
    if device.is_removed() {
        return PolicyState::Removed;
    }
    let Some(expected) = reported.policy_version_at_google else {
        return PolicyState::NotAccepted;
    };
    match (device.text("/appliedPolicyName"), device.number("/appliedPolicyVersion")) {
        (Some(name), _) if name != reported.policy_name => PolicyState::OtherPolicy,
        (Some(_), Some(version)) if version == expected => PolicyState::Applied,
        (Some(_), Some(_)) => PolicyState::OtherVersion,
        _ => PolicyState::Unknown,
    }
}

fn judge_policy(reported: &Reported<'_>) -> Judgement {
    match policy_state(reported) {
        PolicyState::Applied => in_force_because("the phone applies this version of the policy"),
        PolicyState::NotAccepted => {
            not_in_force_because("Google has not taken this version of the policy: it was refused, or not sent yet")
        }
        PolicyState::OtherVersion => not_in_force_because("the phone still applies another version of the policy"),
        PolicyState::OtherPolicy => not_in_force_because("the phone applies another policy"),
        PolicyState::Removed => not_in_force_because("the phone is no longer managed"),
        PolicyState::Unknown => unknown_because("the phone has not said yet which policy it applies"),
    }
}

impl Facts<'_> {
    /// The policy is applied and the phone complies with these fields.
    fn applied(&self, fields: &[&str]) -> Judgement {
        if self.whole.state != State::InForce {
            return self.whole.clone();
        }
        match self.failing(fields) {
            Some(reason) => not_in_force_because(reason),
            None if self.fails_silently() => unknown_because(
                "the phone applies this version of the policy, but says that it does not comply, and not with what",
            ),
            None => self.whole.clone(),
        }
    }

    /// Locking means nothing on a phone that opens without a PIN.
    fn behind_lock(&self, fields: &[&str]) -> Judgement {
        if self.device.is_locked() == Some(false) {
            return not_in_force_because("the phone reports that it opens without a PIN, and so this has no effect");
        }
        self.applied(fields)
    }

    /// Why the phone does not comply with one of these fields.
    fn failing(&self, fields: &[&str]) -> Option<String> {
        self.device
            .non_compliance()
            .into_iter()
            .find(|detail| detail.concerns(fields))
            .map(|detail| words::told(&detail))
    }

    fn fails_silently(&self) -> bool {
        self.device.flag("/policyCompliant") == Some(false)
            && self.device.non_compliance().iter().all(|detail| detail.setting.is_empty())
    }

    /// A fact that happens to be as asked is not this policy in force: W8.
    fn only_if_applied(&self, judgement: Judgement) -> Judgement {
        if judgement.state != State::InForce || self.whole.state == State::InForce {
            return judgement;
        }
        Judgement { state: self.whole.state, reason: format!("{}; but {}", judgement.reason, self.whole.reason) }
    }
}
