//! The lock of a personal Android phone: from Android 12 on the council can hold the phone's own lock to complexity bands only, so
//! that a six-digit PIN is one of a choice of nearest things.

use super::Passcode;
use crate::android::report::{Witness, judge};
use crate::coverage::Status::{Enforced as E, NotPossible as N};
use crate::mode::Mode;
use crate::named::named_enum;
use crate::setting::{Android, Effect, Evidence, Says, Setting, does, no_keys, no_problem};

named_enum! {
    /// Which lock of a personal Android phone is held to the PIN's rules.
    PersonalAndroidLock, "lock of a personal Android phone" {
        /// Whichever opens work apps: the phone's own where it is good enough, else a work PIN. The holder chooses.
        EitherLock = "either_lock",
        /// Work apps always have a PIN of their own.
        WorkLock = "work_lock",
        /// The phone's own, in Android's MEDIUM band: at least 4 digits that are not simple.
        PhoneMedium = "phone_medium",
        /// The phone's own, in Android's HIGH band: at least 8 digits that are not simple, or 6 characters.
        PhoneHigh = "phone_high",
    }
}

/// The digits or characters that Android's HIGH band is never below.
const HIGH_LENGTH: u8 = 6;
/// The digits or characters that Android's MEDIUM band is never below.
const MEDIUM_LENGTH: u8 = 4;

impl PersonalAndroidLock {
    /// The length that the phone's own lock is sure to have, where that lock is the one held to the rules.
    pub(crate) const fn sure_length(self) -> Option<u8> {
        match self {
            Self::EitherLock | Self::WorkLock => None,
            Self::PhoneMedium => Some(MEDIUM_LENGTH),
            Self::PhoneHigh => Some(HIGH_LENGTH),
        }
    }
}

pub(super) const SETTING: Setting = Setting {
    name: "passcode.personal_android",
    title: "Lock of a personal Android phone",
    clauses: &[],
    modes: [N, N, N, N, N, E],
    says: |policy| match policy.passcode {
        Passcode { required: false, .. } => Says::Silent,
        Passcode { personal_android, .. } => Says::Asked(
            match personal_android {
                PersonalAndroidLock::EitherLock => {
                    "On a personal Android phone, whichever lock opens work apps is as the policy says"
                }
                PersonalAndroidLock::WorkLock => "On a personal Android phone, work apps have a PIN of their own",
                PersonalAndroidLock::PhoneMedium => {
                    "On a personal Android phone, the phone's own lock meets Android's MEDIUM band"
                }
                PersonalAndroidLock::PhoneHigh => {
                    "On a personal Android phone, the phone's own lock meets Android's HIGH band"
                }
            }
            .into(),
        ),
    },
    effect: |policy, mode| match (mode, policy.passcode.personal_android) {
        (Mode::PersonalWorkProfile, PersonalAndroidLock::EitherLock) => {
            does("Work apps open with the phone's own PIN if it is good enough; otherwise the holder sets a work PIN.")
        }
        (Mode::PersonalWorkProfile, PersonalAndroidLock::WorkLock) => does(
            "Work apps stay blocked until they have a PIN of their own; locking from afar locks them, not the phone.",
        ),
        (Mode::PersonalWorkProfile, _) => does("Work apps open with the phone's own lock."),
        _ => does("Nothing: this is for personal Android phones."),
    },
    apple: no_keys,
    evidence: Evidence::Nothing,
    android: Android {
        fields: &["passwordPolicies.unifiedLockSettings", "passwordPolicies.passwordQuality"],
        witness: Witness::Report(judge::personal_lock),
        // `android/passcode.rs` reads the choice when it spreads the lock over the scopes.
        write: |_, _| {},
    },
    problem: no_problem,
};

const CHOICES: &str = "nearest choices, as passcode.personal_android: either_lock (the phone's own PIN or a work PIN), work_lock (a work PIN \
                       always), phone_medium (4 digits, not simple), phone_high (8 digits, or 6 characters)";

/// What becomes of a length.
pub(super) fn length_effect(lock: PersonalAndroidLock, length: u8) -> Effect {
    let gap = |what: &str| format!("policy says {length} characters; {what}; {CHOICES}");
    match lock {
        PersonalAndroidLock::EitherLock => does(format!(
            "Work apps open only behind a PIN of at least {length}: the phone's own, or a work PIN."
        ))
        .but(gap("the phone's own PIN, where a work PIN is used, is held to one of Android's bands, never to an exact length")),
        PersonalAndroidLock::WorkLock => does(format!("Work apps open only behind a work PIN of at least {length}."))
            .but(gap("the phone's own PIN is held to one of Android's bands, never to an exact length")),
        PersonalAndroidLock::PhoneMedium if length <= MEDIUM_LENGTH => {
            does("The phone's own lock meets Android's MEDIUM band: at least 4 digits, not simple, or 4 characters.")
        }
        PersonalAndroidLock::PhoneMedium => {
            does("The phone's own lock meets Android's MEDIUM band: at least 4 digits, not simple, or 4 characters.")
                .but(gap("MEDIUM is weaker than that"))
        }
        PersonalAndroidLock::PhoneHigh if length <= HIGH_LENGTH => {
            does("The phone's own lock meets Android's HIGH band: at least 8 digits, not simple, or 6 characters.")
                .but(gap("HIGH asks for more digits than that"))
        }
        PersonalAndroidLock::PhoneHigh => {
            does("The phone's own lock meets Android's HIGH band: at least 8 digits, not simple, or 6 characters.")
                .but(gap("HIGH lets a shorter one pass"))
        }
    }
}

/// What becomes of letters.
pub(super) fn letters_effect(lock: PersonalAndroidLock) -> Effect {
    match lock.sure_length() {
        None => does("The lock that opens work apps has letters as well as digits.")
            .but("the phone's own lock, where work apps have another, knows bands only, and digits will do for those"),
        Some(_) => does("Nothing: the phone's own lock knows bands only, and digits will do for those.")
            .but("policy says letters and digits; set passcode.personal_android to either_lock or work_lock to have them for work apps"),
    }
}
