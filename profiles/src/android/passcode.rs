//! `passwordPolicies`: what the council asks of a lock, spread over the scopes that each kind of phone knows.
//!
//! Never `passwordRequirements`, which is deprecated. Rules that Google's document tells only in words, and that are kept here:
//! a complexity band needs a quality in the same scope; a length counts only from `NUMERIC` upwards, never under `SOMETHING` or a
//! band; `unifiedLockSettings` stands only under `SCOPE_PROFILE`; durations are seconds.

use super::Draft;
use super::message::{Seconds, members, message};
use crate::mode::{Mode, Ownership};
use crate::policy::passcode::PersonalAndroidLock;

message! {
    /// `PasswordRequirements`, with every count it knows, so that a new passcode setting finds its field here.
    PasswordRequirements {
        password_scope: Scope,
        password_quality: Quality,
        password_minimum_length: u8,
        password_minimum_letters: u8,
        password_minimum_lower_case: u8,
        password_minimum_non_letter: u8,
        password_minimum_numeric: u8,
        password_minimum_symbols: u8,
        password_minimum_upper_case: u8,
        password_history_length: u8,
        password_expiration_timeout: Seconds,
        maximum_failed_passwords_for_wipe: u8,
        unified_lock_settings: UnifiedLock,
    }
}

members! {
    /// What a lock protects.
    Scope { Device = "SCOPE_DEVICE", Profile = "SCOPE_PROFILE" }
}

members! {
    /// How good a lock must be, weakest first within qualities and within bands.
    Quality {
        /// Any lock.
        Something = "SOMETHING",
        /// Digits at least.
        Numeric = "NUMERIC",
        /// Digits, neither repeated nor ordered.
        NumericComplex = "NUMERIC_COMPLEX",
        /// Letters and digits.
        Alphanumeric = "ALPHANUMERIC",
        /// Band: a pattern or any PIN.
        LowBand = "COMPLEXITY_LOW",
        /// Band: a PIN of 4 or more that is not simple, or 4 characters.
        MediumBand = "COMPLEXITY_MEDIUM",
        /// Band: a PIN of 8 or more that is not simple, or 6 characters.
        HighBand = "COMPLEXITY_HIGH",
    }
}

members! {
    /// Whether the phone's lock may serve for work apps too.
    UnifiedLock { Allowed = "ALLOW_UNIFIED_WORK_AND_PERSONAL_LOCK", Forbidden = "REQUIRE_SEPARATE_WORK_LOCK" }
}

impl PasswordRequirements {
    /// Asks for at least this quality; what another setting asked for already is never weakened.
    pub(crate) fn at_least(&mut self, quality: Quality) {
        self.password_quality = self.password_quality.max(Some(quality));
    }

    /// The same without what only a quality can carry: Google ignores lengths under `SOMETHING`.
    fn any_lock(self) -> Self {
        Self {
            password_quality: Some(Quality::Something),
            password_minimum_length: None,
            password_minimum_letters: None,
            password_minimum_lower_case: None,
            password_minimum_non_letter: None,
            password_minimum_numeric: None,
            password_minimum_symbols: None,
            password_minimum_upper_case: None,
            ..self
        }
    }

    fn in_scope(self, scope: Scope) -> Self {
        Self { password_scope: Some(scope), ..self }
    }
}

/// The entries for this phone; none where the council asks for no lock.
pub(super) fn spread(draft: &Draft) -> Option<Vec<PasswordRequirements>> {
    let asked = draft.lock.clone();
    let quality = asked.password_quality?;
    // W3: erasing the whole phone is for the council's own phones, whatever mode a personal one ended up in.
    let may_erase_device = draft.ownership == Ownership::Council && !draft.mode.is_personal();
    let device = PasswordRequirements {
        maximum_failed_passwords_for_wipe: asked.maximum_failed_passwords_for_wipe.filter(|_| may_erase_device),
        ..asked.clone().in_scope(Scope::Device)
    };
    let profile = |lock: PasswordRequirements, unified| PasswordRequirements {
        unified_lock_settings: Some(unified),
        ..lock.in_scope(Scope::Profile)
    };
    let either = UnifiedLock::Allowed;
    match draft.mode {
        Mode::CompanyWorkProfile => Some(vec![device, profile(asked, either)]),
        Mode::PersonalWorkProfile => {
            let simple_will_do = quality < Quality::NumericComplex;
            let usual = if simple_will_do { Quality::LowBand } else { Quality::MediumBand };
            let (band, work) = match draft.personal_lock {
                PersonalAndroidLock::EitherLock => (usual, profile(asked, either)),
                PersonalAndroidLock::WorkLock => (usual, profile(asked, UnifiedLock::Forbidden)),
                PersonalAndroidLock::PhoneMedium => (Quality::MediumBand, profile(asked.any_lock(), either)),
                PersonalAndroidLock::PhoneHigh => (Quality::HighBand, profile(asked.any_lock(), either)),
            };
            let [older, newer] = banded(band);
            Some(vec![older, newer, work])
        }
        _ => Some(vec![device]),
    }
}

/// A band for the lock of a personal phone, with the quality that phones older than Android 12 go by; both ask for the same. Nothing
/// else is asked of the holder's own lock, least of all erasing.
fn banded(band: Quality) -> [PasswordRequirements; 2] {
    let (quality, length) = match band {
        Quality::HighBand => (Quality::NumericComplex, Some(8)),
        Quality::MediumBand => (Quality::NumericComplex, Some(4)),
        _ => (Quality::Something, None),
    };
    let entry = |quality, length| PasswordRequirements {
        password_scope: Some(Scope::Device),
        password_quality: Some(quality),
        password_minimum_length: length,
        ..PasswordRequirements::default()
    };
    [entry(quality, length), entry(band, None)]
}
