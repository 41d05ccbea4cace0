//! What a phone does by itself when it does not comply: it blocks work, and in the end it destroys it. Nobody is asked.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Phone;
use super::comply::{Judged, non_compliance};
use super::state::{Because, Happening};

const DAY: i64 = 24 * 3600 * 1000;

/// After how many days of non-compliance a setting blocks and wipes.
struct Rule {
    setting: String,
    block: i64,
    wipe: i64,
}

/// The policy's rules. Without any, Android blocks at once for a weak password and wipes after ten days.
fn rules(policy: &Value) -> Vec<Rule> {
    let days = |rule: &Value, action: &str, field: &str| {
        rule.pointer(&format!("/{action}/{field}")).and_then(Value::as_i64).unwrap_or(0)
    };
    let written: Vec<Rule> = policy
        .get("policyEnforcementRules")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|rule| Rule {
            setting: rule["settingName"].as_str().unwrap_or_default().to_owned(),
            block: days(rule, "blockAction", "blockAfterDays"),
            wipe: days(rule, "wipeAction", "wipeAfterDays"),
        })
        .collect();
    if !written.is_empty() {
        return written;
    }
    ["passwordPolicies", "encryptionPolicy"].map(|setting| Rule { setting: setting.into(), block: 0, wipe: 10 }).into()
}

impl Phone {
    /// Judges itself by the policy it has, online or not, and acts on what it finds.
    pub(super) fn enforce(&mut self) {
        let (Some(mode), Some(policy)) = (self.state.mode, self.state.policy.clone()) else { return };
        let judged = Judged {
            options: &self.options,
            mode,
            screen_lock: self.state.screen_lock,
            work_lock: self.state.work_lock,
            work_apps: &self.state.work_apps,
        };
        let found = non_compliance(&policy.body, &judged);
        let now = self.now();
        let mut since = BTreeMap::new();
        for setting in found.iter().filter_map(|detail| detail["settingName"].as_str()) {
            let first = self.non_compliant_since.get(setting).copied().unwrap_or(now);
            since.insert(setting.to_owned(), first);
        }
        self.non_compliant_since = since;
        self.state.non_compliance = found;
        let mut blocked = None;
        let mut wiped = None;
        for rule in rules(&policy.body) {
            let Some(first) = self.non_compliant_since.get(&rule.setting) else { continue };
            let days = (now - first) / DAY;
            if days >= rule.block {
                blocked.get_or_insert(rule.setting.clone());
            }
            if days >= rule.wipe {
                wiped.get_or_insert(rule.setting);
            }
        }
        if let Some(setting) = wiped {
            return self.wipe(Because::Enforcement(setting));
        }
        match blocked {
            Some(setting) if !self.state.blocked => {
                self.state.blocked = true;
                self.happened(Happening::Blocked(setting));
            }
            None if self.state.blocked => {
                self.state.blocked = false;
                self.happened(Happening::Unblocked);
            }
            _ => {}
        }
    }
}
