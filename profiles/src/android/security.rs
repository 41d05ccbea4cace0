//! `advancedSecurityOverrides`: apps from unknown sources, developer options, Play Protect.

use super::Draft;
use super::message::{members, message};
use crate::mode::Mode;

message! {
    /// `AdvancedSecurityOverrides`.
    AdvancedSecurityOverrides {
        developer_settings: DeveloperSettings,
        google_play_protect_verify_apps: VerifyApps,
        untrusted_apps_policy: UntrustedApps,
    }
}

members! {
    /// Developer options and safe boot.
    DeveloperSettings { Allowed = "DEVELOPER_SETTINGS_ALLOWED", Disabled = "DEVELOPER_SETTINGS_DISABLED" }
}

members! {
    /// Whether Play Protect stays on.
    VerifyApps { UserChoice = "VERIFY_APPS_USER_CHOICE", Enforced = "VERIFY_APPS_ENFORCED" }
}

members! {
    /// Where apps from unknown sources may be installed.
    UntrustedApps { Allowed = "ALLOW_INSTALL_DEVICE_WIDE", PersonalSideOnly = "ALLOW_INSTALL_IN_PERSONAL_PROFILE_ONLY", Disallowed = "DISALLOW_INSTALL" }
}

/// Both switches are always said: left out, Google bans unknown sources and forces Play Protect on the *whole* of a personal phone.
/// There, the least that serves a policy about council data is the ban inside the work profile.
pub(crate) fn other_sources(draft: &mut Draft, allowed: bool) {
    let personal = draft.mode == Mode::PersonalWorkProfile;
    let overrides = draft.resource.advanced_security_overrides.get_or_insert_default();
    let (untrusted, verify) = match (allowed, personal) {
        (true, _) => (UntrustedApps::Allowed, VerifyApps::UserChoice),
        (false, true) => (UntrustedApps::PersonalSideOnly, VerifyApps::UserChoice),
        (false, false) => (UntrustedApps::Disallowed, VerifyApps::Enforced),
    };
    overrides.untrusted_apps_policy = Some(untrusted);
    overrides.google_play_protect_verify_apps = Some(verify);
}

/// Said on council phones only: a personal phone answers it with "not complying", because safe boot stays the holder's.
pub(crate) fn developer_options(draft: &mut Draft, allowed: bool) {
    if draft.is_company_owned() {
        let overrides = draft.resource.advanced_security_overrides.get_or_insert_default();
        overrides.developer_settings =
            Some(if allowed { DeveloperSettings::Allowed } else { DeveloperSettings::Disabled });
    }
}
