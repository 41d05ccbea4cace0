//! Policy → Google's Android Management API `Policy`, and what a `Device` resource reports back about it.
//!
//! One resource per council, mode and posture, not one per phone. Fields are those of the API's discovery document, revision
//! 20261104; what it says only in words is kept where it belongs, section by section. Google's defaults are seldom what a council
//! wants of a holder's own phone, so what matters is said even where the policy asks for nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::mode::{Mode, Ownership, Platform};
use crate::named::named_enum;
use crate::policy::certificates::NamedCertificate;
use crate::policy::passcode::PersonalAndroidLock;
use crate::policy::{Policy, Problem};
use crate::setting;

pub(crate) mod applications;
pub(crate) mod connectivity;
mod enforcement;
pub(crate) mod keyguard;
mod message;
mod network;
pub(crate) mod passcode;
pub mod report;
mod reporting;
pub(crate) mod resource;
pub(crate) mod security;
pub(crate) mod updates;
pub(crate) mod work_profile;

pub(crate) use message::{Milliseconds, Seconds};

use message::UserFacingMessage;
use resource::{LocationMode, Resource};

named_enum! {
    /// What a phone is going through, which decides how much its lock screen gives away.
    Posture, "posture" {
        /// In its holder's hands.
        Everyday = "everyday",
        /// Reported lost. Nothing in it is irreversible.
        Lost = "lost",
    }
}

/// The last part of the policy's name at Google: `personal_work_profile-everyday`.
///
/// Google may delete a policy that no phone has had for seven days (its guide "Create a policy"), so the one for lost phones is to be
/// patched before a phone is given it, and the one of an enrolment token before the token is used.
pub fn policy_id(mode: Mode, posture: Posture) -> String {
    format!("{mode}-{posture}")
}

/// The council and the kind of phone a policy is for.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The council's name, shown to the holder.
    pub council_name: &'a str,
    /// The mode; one of Android's.
    pub mode: Mode,
    /// Who owns the phones.
    pub ownership: Ownership,
    /// Whether the phones are lost.
    pub posture: Posture,
    /// The version of the council's policy. The holder reads it under "more information", so that each version gives its own text
    /// and with it a version of its own at Google.
    pub policy_version: i64,
    /// Passwords of the policy's Wi-Fi networks, by SSID.
    pub wifi_passwords: &'a BTreeMap<String, String>,
    /// The council's stored certificates; only those the policy names are used.
    pub certificates: &'a [NamedCertificate],
}

/// The body of `enterprises.policies.patch` that puts this policy onto these phones; the same policy and context always give the same
/// JSON. An invalid policy gives its first problem, as does a Wi-Fi password or certificate that is named but not in the context.
pub fn policy(policy: &Policy, context: &Context<'_>) -> Result<Value, Problem> {
    if context.mode.platform() != Platform::Android {
        return Err(Problem::new("mode", format!("{} is not a mode of Android phones", context.mode)));
    }
    if let Err(problems) = policy.validate() {
        return Err(problems.into_iter().next().unwrap_or_else(|| Problem::new("policy", "is not valid")));
    }
    let mut resource = draw_up(policy, context);
    resource.open_network_configuration = network::configuration(policy, context)?;
    serde_json::to_value(resource)
        .map_err(|error| Problem::new("policy", format!("cannot be written as JSON: {error}")))
}

/// A policy being drawn up, setting by setting.
pub(crate) struct Draft {
    pub(crate) mode: Mode,
    pub(crate) ownership: Ownership,
    pub(crate) posture: Posture,
    /// What the council asks of a lock, before it is spread over the scopes of this kind of phone.
    pub(crate) lock: passcode::PasswordRequirements,
    /// How the lock of a personal phone is held to it.
    pub(crate) personal_lock: PersonalAndroidLock,
    /// What Google is sent.
    pub(crate) resource: Resource,
}

impl Draft {
    /// Whether Google counts these phones as company-owned: it is the mode that says so, whoever paid for them.
    pub(crate) fn is_company_owned(&self) -> bool {
        matches!(self.mode, Mode::FullyManaged | Mode::CompanyWorkProfile)
    }

    /// Whether these phones have a personal side.
    pub(crate) fn has_work_profile(&self) -> bool {
        matches!(self.mode, Mode::CompanyWorkProfile | Mode::PersonalWorkProfile)
    }
}

/// Everything but what needs the council's secrets.
fn draw_up(policy: &Policy, context: &Context<'_>) -> Resource {
    let mut draft = Draft {
        mode: context.mode,
        ownership: context.ownership,
        posture: context.posture,
        lock: passcode::PasswordRequirements::default(),
        personal_lock: policy.passcode.personal_android,
        resource: Resource::default(),
    };
    for setting in setting::all() {
        (setting.android.write)(policy, &mut draft);
    }
    keyguard::when_lost(&mut draft);
    connectivity::when_lost(&mut draft);
    let locks = passcode::spread(&draft);
    let company_owned = draft.is_company_owned();
    let council: String = crate::policy::printable(context.council_name).chars().take(100).collect();
    Resource {
        password_policies: locks,
        personal_usage_policies: work_profile::personal_side(context.mode),
        location_mode: company_owned.then_some(LocationMode::UserChoice),
        policy_enforcement_rules: Some(enforcement::rules(context.mode)),
        status_reporting_settings: Some(reporting::settings(context.mode)),
        short_support_message: Some(UserFacingMessage {
            default_message: Some(format!("{council}'s IT policy asks for this.")),
        }),
        long_support_message: Some(UserFacingMessage {
            default_message: Some(format!(
                "This is what {council}'s IT policy asks of this phone (version {}).",
                context.policy_version
            )),
        }),
        ..draft.resource
    }
}
