//! PIN, automatic lock and erasing after failed attempts: what the policies ask of every phone with council data.

use serde::{Deserialize, Serialize};

use super::{
    Document::{Coreley, Germoe},
    Policy,
};
use crate::android::passcode::Quality;
use crate::android::report::{Witness, judge};
use crate::android::{Milliseconds, Seconds};
use crate::apple::keys::{Key, passcode};
use crate::coverage::Status::{Enforced as E, NotPossible as N};
use crate::mode::Mode;
use crate::setting::{Android, Evidence, Says, Setting, does, no_problem};

mod effect;
mod personal_android;

use effect::{auto_lock_effect, auto_lock_minutes, duration, erase_effect, grace_effect, grace_minutes, length_effect};
pub use personal_android::PersonalAndroidLock;

/// PIN, automatic lock and erasing after failed attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Passcode {
    /// A PIN must be set (Germoe 2.1.4, Coreley 2.1.4).
    pub required: bool,
    /// Fewest characters, 4 to 16.
    pub minimum_length: Option<u8>,
    /// Whether 1111 or 1234 will do.
    pub allow_simple: bool,
    /// Letters as well as digits.
    pub alphanumeric: bool,
    /// Days until the PIN must be changed, 1 to 730.
    pub maximum_age_days: Option<u16>,
    /// How many earlier PINs may not come back, 1 to 50.
    pub history: Option<u8>,
    /// Wrong PINs after which a council phone erases itself, 2 to 11 (Germoe 2.1.4, Coreley 2.1.4).
    pub erase_after_failed_attempts: Option<u8>,
    /// The council's tick that it knows what erasing after fewer than ten attempts means.
    pub erase_below_ten_acknowledged: bool,
    /// Seconds without use until the screen locks, 1 to 900 (Germoe 2.2, Coreley 2.2.7).
    pub auto_lock_seconds: Option<u32>,
    /// Seconds after locking during which no PIN is asked; 0 asks at once. At most 14,400.
    pub grace_seconds: Option<u32>,
    /// Which lock of a personal Android phone is held to the PIN's rules: from Android 12 on its own knows bands only.
    pub personal_android: PersonalAndroidLock,
}

impl Default for Passcode {
    fn default() -> Self {
        Self {
            required: false,
            minimum_length: None,
            allow_simple: true,
            alphanumeric: false,
            maximum_age_days: None,
            history: None,
            erase_after_failed_attempts: None,
            erase_below_ten_acknowledged: false,
            auto_lock_seconds: None,
            grace_seconds: None,
            personal_android: PersonalAndroidLock::EitherLock,
        }
    }
}

const NEEDS_PIN: &str = "has no effect without a PIN; also set passcode.required=true, or clear this with \"none\"";

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "passcode.required",
        title: "PIN on every phone with council data",
        clauses: &[(Germoe, "2.1.4"), (Coreley, "2.1.4")],
        modes: [E, E, E, E, E, E],
        says: |policy| {
            if policy.passcode.required {
                Says::Asked("A PIN is required".into())
            } else {
                Says::Open("whether a PIN is required".into())
            }
        },
        effect: |_, mode| match mode {
            Mode::Supervised | Mode::Device => does("The phone makes the holder set a PIN."),
            Mode::User => does("The phone makes the holder set a six-digit PIN that is not simple."),
            Mode::FullyManaged | Mode::CompanyWorkProfile => does("The phone makes the holder set a PIN."),
            Mode::PersonalWorkProfile => does("Work apps stay blocked until a PIN is set."),
        },
        apple: |policy| when(policy.passcode.required, || passcode("forcePIN", true)),
        evidence: Evidence::Report(crate::apple::report::passcode_present),
        android: Android {
            fields: &["passwordPolicies"],
            witness: Witness::Report(judge::lock_set),
            write: |policy, draft| {
                if policy.passcode.required {
                    draft.lock.at_least(Quality::Something);
                }
            },
        },
        problem: no_problem,
    },
    Setting {
        name: "passcode.minimum_length",
        title: "Length of the PIN",
        clauses: &[(Germoe, "2.1.4"), (Coreley, "2.1.4")],
        modes: [E, E, E, E, E, E],
        says: |policy| match policy.passcode.minimum_length {
            Some(length) => Says::Asked(format!("At least {length} characters")),
            None => Says::Open("how long the PIN must be".into()),
        },
        effect: |policy, mode| length_effect(&policy.passcode, mode),
        apple: |policy| optional("minLength", policy.passcode.minimum_length),
        evidence: Evidence::PinComplies,
        android: Android {
            fields: &["passwordPolicies.passwordMinimumLength"],
            witness: Witness::Report(judge::lock_length),
            write: |policy, draft| {
                if let Some(length) = policy.passcode.minimum_length {
                    draft.lock.at_least(Quality::Numeric);
                    draft.lock.password_minimum_length = Some(length);
                }
            },
        },
        problem: |policy| {
            let length = policy.passcode.minimum_length?;
            if !(4..=16).contains(&length) {
                return Some(format!("{length} is out of range; choose 4 to 16 characters"));
            }
            (!policy.passcode.required).then(|| NEEDS_PIN.into())
        },
    },
    Setting {
        name: "passcode.allow_simple",
        title: "No simple PIN",
        clauses: &[(Germoe, "2.2"), (Coreley, "2.2.7")],
        modes: [E, E, E, E, E, E],
        says: |policy| {
            if policy.passcode.allow_simple {
                Says::Allowed("A simple PIN such as 1234 is allowed".into())
            } else {
                Says::Asked("Not simple: neither 1111 nor 1234".into())
            }
        },
        effect: |_, _| does("The phone refuses repeated and ordered digits."),
        apple: |policy| when(!policy.passcode.allow_simple, || passcode("allowSimple", false)),
        evidence: Evidence::PinComplies,
        android: Android {
            fields: &["passwordPolicies.passwordQuality"],
            witness: Witness::LockRule,
            write: |policy, draft| {
                if !policy.passcode.allow_simple {
                    draft.lock.at_least(Quality::NumericComplex);
                }
            },
        },
        problem: |policy| {
            (!policy.passcode.allow_simple && !policy.passcode.required)
                .then(|| "forbidding simple PINs has no effect without a PIN; also set passcode.required=true".into())
        },
    },
    Setting {
        name: "passcode.alphanumeric",
        title: "Letters as well as digits",
        clauses: &[],
        modes: [E, E, N, E, E, E],
        says: |policy| {
            if policy.passcode.alphanumeric { Says::Asked("Letters and digits".into()) } else { Says::Silent }
        },
        effect: |policy, mode| match mode {
            Mode::User => does("The phone takes a six-digit PIN.")
                .but("policy says letters and digits; a personal iPhone ignores that and asks for six digits"),
            Mode::PersonalWorkProfile => personal_android::letters_effect(policy.passcode.personal_android),
            _ => does("The phone asks for letters as well as digits."),
        },
        apple: |policy| when(policy.passcode.alphanumeric, || passcode("requireAlphanumeric", true)),
        evidence: Evidence::PinComplies,
        android: Android {
            fields: &["passwordPolicies.passwordQuality"],
            witness: Witness::Report(judge::lock_letters),
            write: |policy, draft| {
                if policy.passcode.alphanumeric {
                    draft.lock.at_least(Quality::Alphanumeric);
                }
            },
        },
        problem: |policy| (policy.passcode.alphanumeric && !policy.passcode.required).then(|| NEEDS_PIN.into()),
    },
    Setting {
        name: "passcode.maximum_age_days",
        title: "PIN must be changed",
        clauses: &[],
        modes: [E, E, N, E, E, E],
        says: |policy| match policy.passcode.maximum_age_days {
            Some(days) => Says::Asked(format!("Changed every {days} days")),
            None => Says::Silent,
        },
        effect: |_, mode| match mode {
            Mode::User => does("Nothing.").but("a personal iPhone ignores the age of its PIN"),
            Mode::PersonalWorkProfile => does("Asked for the work profile only."),
            _ => does("The phone asks for a new PIN when the time is over."),
        },
        apple: |policy| optional("maxPINAgeInDays", policy.passcode.maximum_age_days),
        evidence: Evidence::PinComplies,
        android: Android {
            fields: &["passwordPolicies.passwordExpirationTimeout"],
            witness: Witness::LockRule,
            write: |policy, draft| {
                draft.lock.password_expiration_timeout =
                    policy.passcode.maximum_age_days.map(|days| Seconds(u64::from(days) * 86_400));
            },
        },
        problem: |policy| {
            let days = policy.passcode.maximum_age_days?;
            if !(1..=730).contains(&days) {
                return Some(format!("{days} is out of range; choose 1 to 730 days, or \"none\""));
            }
            (!policy.passcode.required).then(|| NEEDS_PIN.into())
        },
    },
    Setting {
        name: "passcode.history",
        title: "Earlier PINs may not come back",
        clauses: &[],
        modes: [E, E, N, E, E, E],
        says: |policy| match policy.passcode.history {
            Some(count) => Says::Asked(format!("Not one of the last {count}")),
            None => Says::Silent,
        },
        effect: |_, mode| match mode {
            Mode::User => does("Nothing.").but("a personal iPhone ignores earlier PINs"),
            Mode::PersonalWorkProfile => does("Remembered for the work profile only."),
            _ => does("The phone refuses an earlier PIN."),
        },
        apple: |policy| optional("pinHistory", policy.passcode.history),
        evidence: Evidence::PinComplies,
        android: Android {
            fields: &["passwordPolicies.passwordHistoryLength"],
            witness: Witness::LockRule,
            write: |policy, draft| draft.lock.password_history_length = policy.passcode.history,
        },
        problem: |policy| {
            let count = policy.passcode.history?;
            if !(1..=50).contains(&count) {
                return Some(format!("{count} is out of range; choose 1 to 50 earlier PINs, or \"none\""));
            }
            (!policy.passcode.required).then(|| NEEDS_PIN.into())
        },
    },
    Setting {
        name: "passcode.erase_after_failed_attempts",
        title: "Erase after wrong PINs",
        clauses: &[(Germoe, "2.1.4"), (Coreley, "2.1.4")],
        modes: [E, E, N, E, E, E],
        says: |policy| match policy.passcode.erase_after_failed_attempts {
            Some(attempts) => Says::Asked(format!("Erase after several failed attempts: {attempts}")),
            None => Says::Open("after how many wrong PINs a council phone erases itself".into()),
        },
        effect: |policy, mode| erase_effect(policy.passcode.erase_after_failed_attempts.unwrap_or_default(), mode),
        apple: |policy| optional("maxFailedAttempts", policy.passcode.erase_after_failed_attempts),
        evidence: Evidence::Pin,
        android: Android {
            fields: &["passwordPolicies.maximumFailedPasswordsForWipe"],
            witness: Witness::LockRule,
            write: |policy, draft| {
                draft.lock.maximum_failed_passwords_for_wipe = policy.passcode.erase_after_failed_attempts;
            },
        },
        problem: erase_problem,
    },
    Setting {
        name: "passcode.auto_lock_seconds",
        title: "Lock when not used",
        clauses: &[(Germoe, "1.1.2"), (Germoe, "2.2"), (Coreley, "2.2.7")],
        modes: [E, E, N, E, E, E],
        says: |policy| match policy.passcode.auto_lock_seconds {
            Some(seconds) => Says::Asked(format!("Lock after {}", duration(seconds))),
            None => Says::Open("after how much time without use the screen locks".into()),
        },
        effect: |policy, mode| auto_lock_effect(policy.passcode.auto_lock_seconds.unwrap_or_default(), mode),
        apple: |policy| optional("maxInactivity", policy.passcode.auto_lock_seconds.map(auto_lock_minutes)),
        evidence: Evidence::Pin,
        android: Android {
            fields: &["maximumTimeToLock"],
            witness: Witness::Lock,
            write: |policy, draft| {
                draft.resource.maximum_time_to_lock =
                    policy.passcode.auto_lock_seconds.map(|seconds| Milliseconds(u64::from(seconds) * 1000));
            },
        },
        problem: |policy| {
            let seconds = policy.passcode.auto_lock_seconds?;
            if !(1..=900).contains(&seconds) {
                return Some(format!(
                    "{seconds} is out of range; choose 1 to 900 seconds (15 minutes is an iPhone's longest), or \"none\""
                ));
            }
            (!policy.passcode.required).then(|| NEEDS_PIN.into())
        },
    },
    Setting {
        name: "passcode.grace_seconds",
        title: "PIN asked at once after locking",
        clauses: &[(Germoe, "2.2"), (Coreley, "2.2.7")],
        modes: [E, E, N, N, N, N],
        says: |policy| match policy.passcode.grace_seconds {
            Some(0) => Says::Asked("The PIN is asked for as soon as the screen is locked".into()),
            Some(seconds) => Says::Asked(format!("The PIN is asked for at latest {} after locking", duration(seconds))),
            None => Says::Open("how soon after locking the PIN is asked for".into()),
        },
        effect: |policy, mode| grace_effect(policy.passcode.grace_seconds.unwrap_or_default(), mode),
        apple: |policy| optional("maxGracePeriod", policy.passcode.grace_seconds.map(grace_minutes)),
        evidence: Evidence::Pin,
        android: Android::NOTHING,
        problem: |policy| {
            let seconds = policy.passcode.grace_seconds?;
            if seconds > 14_400 {
                return Some(format!("{seconds} is out of range; choose 0 to 14400 seconds (4 hours), or \"none\""));
            }
            (!policy.passcode.required).then(|| NEEDS_PIN.into())
        },
    },
    personal_android::SETTING,
];

fn when(asked: bool, key: impl Fn() -> Key) -> Vec<Key> {
    if asked { vec![key()] } else { Vec::new() }
}

fn optional(name: &'static str, value: Option<impl Into<i64>>) -> Vec<Key> {
    value.map(|value| passcode(name, value.into())).into_iter().collect()
}

fn erase_problem(policy: &Policy) -> Option<String> {
    let attempts = policy.passcode.erase_after_failed_attempts?;
    if !(2..=11).contains(&attempts) {
        return Some(format!("{attempts} is out of range; choose 2 to 11 attempts (10 is usual), or \"none\""));
    }
    if !policy.passcode.required {
        return Some(NEEDS_PIN.into());
    }
    if attempts < 10 && !policy.passcode.erase_below_ten_acknowledged {
        return Some(format!(
            "{attempts} attempts need an explicit acknowledgement: with six or fewer there is no delay; three wrong PINs erase a \
             councillor's phone. Choose 10, or set passcode.erase_below_ten_acknowledged=true if the council has decided this"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_never_weaker_than_asked_from_one_minute_up() {
        for seconds in 60..=900 {
            assert!(auto_lock_minutes(seconds) * 60 <= seconds);
        }
        for seconds in 0..=14_400 {
            assert!(grace_minutes(seconds) * 60 <= seconds);
        }
        assert_eq!(auto_lock_minutes(30), 1);
    }

    #[test]
    fn erasing_below_ten_needs_the_tick_and_says_why() {
        let mut policy = Policy::preset(super::super::Preset::Coreley);
        policy.passcode.erase_after_failed_attempts = Some(3);
        let problems = policy.validate().unwrap_err();
        assert_eq!(problems.len(), 1);
        assert!(
            problems[0]
                .problem
                .contains("with six or fewer there is no delay; three wrong PINs erase a councillor's phone")
        );
        policy.passcode.erase_below_ten_acknowledged = true;
        assert_eq!(policy.validate(), Ok(()));
    }
}
