//! `policyEnforcementRules`: a phone that does not comply is blocked, and never wiped (W5).
//!
//! Left to itself, Google blocks a phone at once and wipes it, or its work profile, after ten days. Rules of our own replace that;
//! each must name both a block and a wipe, so the wipe is put where no phone ever gets to.

use super::message::{members, message};
use crate::mode::Mode;

message! {
    /// `PolicyEnforcementRule`, for one top-level setting.
    PolicyEnforcementRule {
        setting_name: &'static str,
        block_action: BlockAction,
        wipe_action: WipeAction,
    }
}

message! {
    /// `BlockAction`.
    BlockAction {
        block_after_days: u32,
        block_scope: BlockScope,
    }
}

message! {
    /// `WipeAction`.
    WipeAction {
        wipe_after_days: u32,
        preserve_frp: bool,
    }
}

members! {
    /// What is blocked on a company-owned phone.
    BlockScope { WorkProfile = "BLOCK_SCOPE_WORK_PROFILE", Device = "BLOCK_SCOPE_DEVICE" }
}

/// Days of not complying after which Google would wipe: 54 years, longer than any phone lives.
///
/// Google's document names no largest number, only that it must exceed `blockAfterDays`; the field is an `int32`. The very largest
/// is not taken on purpose: whoever turns days into seconds in 32 bits, or into nanoseconds in 64, on a phone or in Google's
/// cloud, gets a wrapped and perhaps small number from it, and a small number is a wipe. Twenty thousand days still fit both.
pub(crate) const NEVER_DAYS: u32 = 20_000;

/// Whatever Google itself enforces where no rule is given; a setting without a rule of ours would fall back to the ten days.
const ENFORCED: [&str; 5] = [
    "passwordPolicies",
    "encryptionPolicy",
    "keyguardDisabled",
    "permittedInputMethods",
    "permittedAccessibilityServices",
];

/// The rules: blocked at once, until the holder has put it right, and nothing else. On a company-owned phone with a work profile
/// only work apps are blocked. On a personal phone Google's block reaches no further than the work profile, so no scope is said;
/// nor does factory reset protection apply there.
pub(super) fn rules(mode: Mode) -> Vec<PolicyEnforcementRule> {
    let (scope, preserve_frp) = match mode {
        Mode::FullyManaged => (Some(BlockScope::Device), Some(true)),
        Mode::CompanyWorkProfile => (Some(BlockScope::WorkProfile), Some(true)),
        _ => (None, None),
    };
    ENFORCED
        .into_iter()
        .map(|setting_name| PolicyEnforcementRule {
            setting_name: Some(setting_name),
            block_action: Some(BlockAction { block_after_days: Some(0), block_scope: scope }),
            wipe_action: Some(WipeAction { wipe_after_days: Some(NEVER_DAYS), preserve_frp }),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::NEVER_DAYS;

    #[test]
    fn never_is_far_away_and_wraps_nowhere() {
        let days = i64::from(NEVER_DAYS);
        assert!(days > 365 * 50);
        assert!(i32::try_from(days * 86_400).is_ok(), "seconds in 32 bits");
        assert!(days.checked_mul(86_400 * 1_000_000_000).is_some(), "nanoseconds in 64 bits");
    }
}
