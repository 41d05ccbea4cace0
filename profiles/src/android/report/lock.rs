//! The rules of the lock as the phone applies them, against those that were sent: Google may turn what was sent into something else.

use serde_json::Value;

use super::Facts;
use crate::mode::Mode;
use crate::report::{Judgement, State, in_force_because, not_in_force_because, unknown_because};

const POLICIES: &str = "/appliedPasswordPolicies";

/// Whether the rule was sent to this kind of phone at all.
pub(super) fn is_sent(fields: &[&str], facts: &Facts<'_>) -> bool {
    !sent(fields, facts).is_empty()
}

/// The policy is applied, the phone has a lock that complies, and it lists each rule at least as strict as it was sent.
pub(super) fn rule(fields: &[&str], facts: &Facts<'_>) -> Judgement {
    if facts.device.is_locked() == Some(false) {
        return not_in_force_because("the phone reports that it opens without a PIN");
    }
    let applied = facts.applied(fields);
    if applied.state != State::InForce {
        return applied;
    }
    let Some(rules) = facts.device.list(POLICIES) else {
        return unknown_because(
            "the phone applies this version of the policy, but has not said which rules it applies to its lock",
        );
    };
    for (scope, name, wanted) in sent(fields, facts) {
        let here = || rules.iter().filter(|rule| scope_of(rule, facts.mode) == scope);
        if !here().any(|rule| is_met(&name, &wanted, rule, is_banded(&scope, facts.mode))) {
            let found: Vec<String> = here().filter_map(|rule| rule.get(&name)).map(shown).collect();
            let found = if found.is_empty() { "nothing".to_owned() } else { found.join(" and ") };
            return not_in_force_because(format!(
                "for its {} the phone applies {found} as {name} where {} was sent",
                if scope == "SCOPE_DEVICE" { "own lock" } else { "work apps" },
                shown(&wanted)
            ));
        }
    }
    in_force_because("the phone lists the rule among those it applies, and its lock complies")
}

/// The rules under these names, as (scope, field, value). Lengths beside a band are for phones older than Android 12 and left out.
fn sent(fields: &[&str], facts: &Facts<'_>) -> Vec<(String, String, Value)> {
    let mut rules = Vec::new();
    for entry in facts.locks.iter().filter_map(|entry| serde_json::to_value(entry).ok()) {
        let scope = scope_of(&entry, facts.mode);
        for name in fields.iter().filter_map(|field| field.strip_prefix("passwordPolicies.")) {
            if is_banded(&scope, facts.mode) && name != "passwordQuality" {
                continue;
            }
            if let Some(value) = entry.get(name) {
                rules.push((scope.clone(), name.to_owned(), value.clone()));
            }
        }
    }
    rules
}

/// Whether this lock is known by its band only: the own lock of a personal phone.
fn is_banded(scope: &str, mode: Mode) -> bool {
    mode == Mode::PersonalWorkProfile && scope == "SCOPE_DEVICE"
}

/// An entry's scope; left out it is the work profile where there is one (Google, `SCOPE_UNSPECIFIED`).
fn scope_of(entry: &Value, mode: Mode) -> String {
    match entry.get("passwordScope").and_then(Value::as_str) {
        None | Some("SCOPE_UNSPECIFIED") if mode == Mode::FullyManaged => "SCOPE_DEVICE".to_owned(),
        None | Some("SCOPE_UNSPECIFIED") => "SCOPE_PROFILE".to_owned(),
        Some(scope) => scope.to_owned(),
    }
}

fn is_met(name: &str, wanted: &Value, rule: &Value, banded: bool) -> bool {
    let found = rule.get(name).unwrap_or(&Value::Null);
    match name {
        "passwordQuality" => match (word(wanted), word(found)) {
            (Some(wanted), Some(found)) if banded => band(found) >= band(wanted),
            (Some(wanted), Some(found)) => rank(found).is_some_and(|found| Some(found) >= rank(wanted)),
            _ => false,
        },
        "unifiedLockSettings" => word(wanted) != Some("REQUIRE_SEPARATE_WORK_LOCK") || word(found) == word(wanted),
        // Fewer attempts and shorter lives are stricter; 0 is no limit.
        "maximumFailedPasswordsForWipe" | "passwordExpirationTimeout" => {
            let limit = |value| number(value).filter(|&limit| limit > 0);
            limit(found).is_some_and(|found| limit(wanted).is_none_or(|wanted| found <= wanted))
        }
        _ => number(found).is_some_and(|found| number(wanted).is_none_or(|wanted| found >= wanted)),
    }
}

/// The order of qualities; bands and members newer than this program have no place in it.
fn rank(quality: &str) -> Option<usize> {
    ["BIOMETRIC_WEAK", "SOMETHING", "NUMERIC", "NUMERIC_COMPLEX", "ALPHABETIC", "ALPHANUMERIC", "COMPLEX"]
        .iter()
        .position(|known| *known == quality)
}

/// What a quality counts as on the own lock of a personal phone (Google, `PasswordQuality`).
fn band(quality: &str) -> u8 {
    match quality {
        "COMPLEXITY_HIGH" | "ALPHABETIC" | "ALPHANUMERIC" | "COMPLEX" => 3,
        "COMPLEXITY_MEDIUM" | "NUMERIC" | "NUMERIC_COMPLEX" => 2,
        "COMPLEXITY_LOW" | "SOMETHING" | "BIOMETRIC_WEAK" => 1,
        _ => 0,
    }
}

fn word(value: &Value) -> Option<&str> {
    value.as_str()
}

/// A count, or the seconds of a duration.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.strip_suffix('s')?.split('.').next()?.parse().ok())
}

fn shown(value: &Value) -> String {
    super::words::shown(value.as_str().unwrap_or(&value.to_string()))
}
