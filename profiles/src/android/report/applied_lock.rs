//! The rules of the lock that a phone says it applies, in words: what was sent may have become something else.

use serde::Serialize;
use serde_json::Value;

use super::device::Device;
use super::words::shown;

/// The rules of one lock, as the phone applies them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppliedLock {
    /// Which lock.
    pub lock: &'static str,
    /// Its rules, one a line.
    pub rules: Vec<String>,
}

/// Every lock of `appliedPasswordPolicies`.
pub(super) fn applied_locks(device: Device<'_>) -> Vec<AppliedLock> {
    let entries = device.list("/appliedPasswordPolicies").into_iter().flatten().filter_map(Value::as_object);
    entries
        .map(|entry| AppliedLock {
            lock: match entry.get("passwordScope").and_then(Value::as_str) {
                Some("SCOPE_DEVICE") => "the phone's own lock",
                Some("SCOPE_PROFILE") => "the lock of the work apps",
                _ => "the lock",
            },
            rules: entry
                .iter()
                .filter(|(name, _)| *name != "passwordScope")
                .filter_map(|(name, value)| rule(name, value))
                .collect(),
        })
        .collect()
}

/// One rule in words; `None` where it asks for nothing.
fn rule(name: &str, value: &Value) -> Option<String> {
    let text = value.as_str().unwrap_or_default();
    let count = value.as_i64();
    if count == Some(0) || text == "0s" || text.ends_with("_UNSPECIFIED") {
        return None;
    }
    Some(match (name, count) {
        ("passwordQuality", _) => quality(text),
        ("passwordMinimumLength", Some(count)) => format!("at least {count} characters"),
        ("passwordMinimumLetters", Some(count)) => format!("at least {count} letters"),
        ("passwordMinimumLowerCase", Some(count)) => format!("at least {count} small letters"),
        ("passwordMinimumUpperCase", Some(count)) => format!("at least {count} capital letters"),
        ("passwordMinimumNumeric", Some(count)) => format!("at least {count} digits"),
        ("passwordMinimumNonLetter", Some(count)) => format!("at least {count} digits or signs"),
        ("passwordMinimumSymbols", Some(count)) => format!("at least {count} signs"),
        ("passwordHistoryLength", Some(count)) => format!("none of the last {count}"),
        ("maximumFailedPasswordsForWipe", Some(count)) => format!("erased after {count} wrong tries"),
        ("passwordExpirationTimeout", _) => format!("to be changed every {}", days(text)),
        ("unifiedLockSettings", _) if text == "REQUIRE_SEPARATE_WORK_LOCK" => "another than the phone's own".to_owned(),
        ("unifiedLockSettings", _) if text == "ALLOW_UNIFIED_WORK_AND_PERSONAL_LOCK" => {
            "may be the phone's own".to_owned()
        }
        ("requirePasswordUnlock", _) if text == "REQUIRE_EVERY_DAY" => "typed once a day".to_owned(),
        ("requirePasswordUnlock", _) => return None,
        _ => format!("{} {}", shown(name), shown(value.as_str().unwrap_or(&value.to_string()))),
    })
}

fn quality(name: &str) -> String {
    match name {
        "SOMETHING" => "any lock",
        "NUMERIC" => "digits",
        "NUMERIC_COMPLEX" => "digits, not repeated or in order",
        "ALPHABETIC" => "letters",
        "ALPHANUMERIC" => "letters and digits",
        "COMPLEX" => "letters, digits and signs",
        "BIOMETRIC_WEAK" => "a face or fingerprint",
        "COMPLEXITY_LOW" => "any lock (Google's lowest band)",
        "COMPLEXITY_MEDIUM" => "four digits not in order, or four letters (Google's middle band)",
        "COMPLEXITY_HIGH" => "eight digits not in order, or six letters (Google's highest band)",
        other => return format!("Google calls it {}", shown(other)),
    }
    .to_owned()
}

fn days(duration: &str) -> String {
    match duration.strip_suffix('s').and_then(|seconds| seconds.split('.').next()?.parse::<i64>().ok()) {
        Some(seconds) if seconds > 0 && seconds % 86_400 == 0 => format!("{} days", seconds / 86_400),
        _ => shown(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_are_told_as_the_phone_applies_them() {
        let device = json!({ "appliedPasswordPolicies": [
            { "passwordScope": "SCOPE_DEVICE", "passwordQuality": "COMPLEXITY_MEDIUM" },
            {
                "passwordScope": "SCOPE_PROFILE", "passwordQuality": "NUMERIC_COMPLEX", "passwordMinimumLength": 6,
                "passwordHistoryLength": 0, "maximumFailedPasswordsForWipe": 10, "passwordExpirationTimeout": "7776000s",
                "unifiedLockSettings": "REQUIRE_SEPARATE_WORK_LOCK", "fieldOfTheFuture": 3,
            },
            "no message",
        ] });
        let mut told = applied_locks(Device(&device));
        told[1].rules.sort();
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].lock, "the phone's own lock");
        assert_eq!(told[0].rules, ["four digits not in order, or four letters (Google's middle band)"]);
        assert_eq!(
            told[1].rules,
            [
                "another than the phone's own",
                "at least 6 characters",
                "digits, not repeated or in order",
                "erased after 10 wrong tries",
                "fieldOfTheFuture 3",
                "to be changed every 90 days",
            ]
        );
        assert_eq!(applied_locks(Device(&json!({}))), []);
    }
}
