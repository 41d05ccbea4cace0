//! Which of a policy's password requirements a phone applies, and whether its locks meet them.

use serde_json::{Value, json};

use super::options::{Lock, LockKind};
use super::state::Mode;

/// A requirement as the phone applies it.
pub(crate) struct Applied {
    /// Its place in the policy.
    pub(crate) place: usize,
    /// As `appliedPasswordPolicies` shows it.
    pub(crate) shown: Value,
    /// Whether it concerns the work profile.
    pub(crate) profile: bool,
    /// Why it cannot be applied at all: a `nonComplianceReason`.
    pub(crate) refused: Option<&'static str>,
}

fn text<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The requirements of a policy, as a phone in this mode applies them.
pub(crate) fn applied(policy: &Value, mode: Mode, api_level: u32) -> Vec<Applied> {
    let entries = policy.get("passwordPolicies").and_then(Value::as_array).into_iter().flatten();
    entries.enumerate().map(|(place, entry)| apply(place, entry, mode, api_level)).collect()
}

fn apply(place: usize, entry: &Value, mode: Mode, api_level: u32) -> Applied {
    let profile = match text(entry, "passwordScope") {
        "SCOPE_PROFILE" => true,
        "SCOPE_DEVICE" => false,
        _ => mode.has_work_profile(),
    };
    let mut shown = entry.clone();
    shown["passwordScope"] = if profile { "SCOPE_PROFILE" } else { "SCOPE_DEVICE" }.into();
    let quality = text(entry, "passwordQuality").to_owned();
    let mut refused = None;
    if profile && !mode.has_work_profile() {
        refused = Some("MANAGEMENT_MODE");
    } else if quality.starts_with("COMPLEXITY_") && api_level < 31 {
        // Bands are new in Android 12; the entry beside it holds instead.
        shown["passwordQuality"] = "PASSWORD_QUALITY_UNSPECIFIED".into();
    } else if mode == Mode::PersonalWorkProfile && !profile && api_level >= 31 {
        // A personal phone knows bands only for the device: what the council wrote is rounded, and lengths are lost.
        let band = match quality.as_str() {
            "BIOMETRIC_WEAK" | "SOMETHING" => "COMPLEXITY_LOW",
            "NUMERIC" | "NUMERIC_COMPLEX" => "COMPLEXITY_MEDIUM",
            "ALPHABETIC" | "ALPHANUMERIC" | "COMPLEX" => "COMPLEXITY_HIGH",
            other => other,
        };
        let mut kept = json!({ "passwordScope": "SCOPE_DEVICE" });
        if !band.is_empty() {
            kept["passwordQuality"] = band.into();
        }
        for name in ["requirePasswordUnlock", "maximumFailedPasswordsForWipe"] {
            if let Some(value) = entry.get(name) {
                kept[name] = value.clone();
            }
        }
        shown = kept;
    }
    Applied { place, shown, profile, refused }
}

/// Whether a lock meets a requirement as applied.
pub(crate) fn sufficient(lock: Lock, entry: &Value) -> bool {
    let quality = text(entry, "passwordQuality");
    let length = entry.get("passwordMinimumLength").and_then(Value::as_u64).unwrap_or(0);
    let long = u64::from(lock.length) >= length;
    let letters = matches!(lock.kind, LockKind::Letters | LockKind::Mixed);
    match quality {
        "BIOMETRIC_WEAK" | "SOMETHING" => lock.secure(),
        "NUMERIC" => (lock.kind == LockKind::Pin || letters) && long,
        "NUMERIC_COMPLEX" => ((lock.kind == LockKind::Pin && !lock.simple) || letters) && long,
        "ALPHABETIC" => letters && long,
        "ALPHANUMERIC" | "COMPLEX" => lock.kind == LockKind::Mixed && long,
        "COMPLEXITY_LOW" => lock.band() >= 1,
        "COMPLEXITY_MEDIUM" => lock.band() >= 2,
        "COMPLEXITY_HIGH" => lock.band() >= 3,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_personal_phone_rounds_what_the_device_asks_to_a_band() {
        let policy = json!({ "passwordPolicies": [
            { "passwordScope": "SCOPE_DEVICE", "passwordQuality": "NUMERIC", "passwordMinimumLength": 6 },
            { "passwordScope": "SCOPE_PROFILE", "passwordQuality": "NUMERIC", "passwordMinimumLength": 6 },
        ]});
        let personal = applied(&policy, Mode::PersonalWorkProfile, 35);
        assert_eq!(
            personal[0].shown,
            json!({ "passwordScope": "SCOPE_DEVICE", "passwordQuality": "COMPLEXITY_MEDIUM" })
        );
        assert_eq!(personal[1].shown["passwordMinimumLength"], 6);
        assert!(sufficient(Lock::pin(4), &personal[0].shown), "six digits cannot be asked for");
        assert!(!sufficient(Lock::pin(4), &personal[1].shown));
        let managed = applied(&policy, Mode::FullyManaged, 35);
        assert_eq!(managed[0].shown["passwordMinimumLength"], 6);
        assert_eq!(managed[1].refused, Some("MANAGEMENT_MODE"));
        assert!(!sufficient(Lock::pin(4), &managed[0].shown));
    }

    #[test]
    fn locks_fall_into_bands() {
        for (lock, band) in [
            (Lock::NONE, 0),
            (Lock::simple_pin(8), 1),
            (Lock::pin(4), 2),
            (Lock::pin(6), 2),
            (Lock::pin(8), 3),
            (Lock::password(4), 2),
            (Lock::password(6), 3),
        ] {
            assert_eq!(lock.band(), band, "{lock:?}");
        }
    }
}
