//! The rules that Google's descriptions state in words: what one field demands of another, limits, and what is refused outright.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check::{Finding, seconds};
use super::table::TABLE;

/// So many applications fit into a policy.
const APPLICATIONS: usize = 3000;
/// So many characters fit into the message shown before a work profile goes.
pub(crate) const WIPE_REASON: usize = 200;

struct Rules(Vec<Finding>);

impl Rules {
    fn refuse_if(&mut self, wrong: bool, path: &str, problem: &str) {
        if wrong {
            self.0.push(Finding::refused(path, problem));
        }
    }
}

fn items<'a>(body: &'a Value, name: &str) -> &'a [Value] {
    body.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(body: &Value, name: &str) -> i64 {
    body.get(name).and_then(Value::as_i64).unwrap_or_default()
}

/// What Google demands of a policy as a whole.
pub fn policy_rules(policy: &Value) -> Vec<Finding> {
    let mut rules = Rules(Vec::new());
    enforcement(policy, &mut rules);
    passwords(policy, &mut rules);
    applications(policy, &mut rules);
    let lock = text(policy, "maximumTimeToLock").parse::<i64>().unwrap_or_default();
    rules.refuse_if(lock < 0, "policy.maximumTimeToLock", "Milliseconds cannot be negative.");
    rules.refuse_if(number(policy, "minimumApiLevel") < 0, "policy.minimumApiLevel", "Cannot be negative.");
    let work_off = policy.get("personalUsagePolicies").map_or(0, |usage| number(usage, "maxDaysWithWorkOff"));
    rules.refuse_if(
        work_off != 0 && work_off < 3,
        "policy.personalUsagePolicies.maxDaysWithWorkOff",
        "The minimum is 3 days; 0 turns it off.",
    );
    let update = policy.get("systemUpdate").unwrap_or(&Value::Null);
    for name in ["startMinutes", "endMinutes"] {
        let path = format!("policy.systemUpdate.{name}");
        rules.refuse_if(!(0..=1439).contains(&number(update, name)), &path, "Must be between 0 and 1439.");
    }
    rules.refuse_if(items(policy, "setupActions").len() > 1, "policy.setupActions", "At most one action.");
    let flags = items(policy, "wipeDataFlags");
    let distinct: BTreeSet<&str> = flags.iter().filter_map(Value::as_str).collect();
    rules.refuse_if(distinct.len() != flags.len(), "policy.wipeDataFlags", "Must not have duplicates.");
    rules.0
}

fn enforcement(policy: &Value, rules: &mut Rules) {
    for (place, rule) in items(policy, "policyEnforcementRules").iter().enumerate() {
        let at = |field: &str| format!("policy.policyEnforcementRules[{place}].{field}");
        let setting = text(rule, "settingName");
        rules.refuse_if(setting.is_empty(), &at("settingName"), "The setting to enforce must be named.");
        let known = TABLE.messages.get("Policy").is_some_and(|policy| policy.contains_key(setting));
        rules.refuse_if(!setting.is_empty() && !known, &at("settingName"), "Not a top-level setting of a policy.");
        let (block, wipe) = (rule.get("blockAction"), rule.get("wipeAction"));
        rules.refuse_if(block.is_none(), &at("blockAction"), "blockAction must be specified with wipeAction.");
        rules.refuse_if(wipe.is_none(), &at("wipeAction"), "wipeAction must be specified with blockAction.");
        let (Some(block), Some(wipe)) = (block, wipe) else { continue };
        let (block, wipe) = (number(block, "blockAfterDays"), number(wipe, "wipeAfterDays"));
        rules.refuse_if(block < 0, &at("blockAction.blockAfterDays"), "Cannot be negative.");
        rules.refuse_if(wipe <= block, &at("wipeAction.wipeAfterDays"), "Must be greater than blockAfterDays.");
    }
}

fn passwords(policy: &Value, rules: &mut Rules) {
    let entries = items(policy, "passwordPolicies");
    let mut seen = BTreeSet::new();
    for (place, entry) in entries.iter().enumerate() {
        let at = |field: &str| format!("policy.passwordPolicies[{place}].{field}");
        let (scope, quality) = (text(entry, "passwordScope"), text(entry, "passwordQuality"));
        let complexity = quality.starts_with("COMPLEXITY_");
        let paired = entries.iter().any(|other| {
            let quality = text(other, "passwordQuality");
            text(other, "passwordScope") == scope
                && !matches!(quality, "" | "PASSWORD_QUALITY_UNSPECIFIED")
                && !quality.starts_with("COMPLEXITY_")
        });
        rules.refuse_if(
            complexity && !paired,
            &at("passwordQuality"),
            "A complexity band needs another entry in the same scope with a quality that is no band.",
        );
        rules.refuse_if(!seen.insert((scope, complexity)), &at("passwordScope"), "Two such entries for one scope.");
        rules.refuse_if(
            entry.get("unifiedLockSettings").is_some() && scope != "SCOPE_PROFILE",
            &at("unifiedLockSettings"),
            "Can be set only if passwordScope is SCOPE_PROFILE.",
        );
        for (field, value) in entry.as_object().into_iter().flatten() {
            rules.refuse_if(value.as_i64().is_some_and(|number| number < 0), &at(field), "Cannot be negative.");
        }
        let expiry = seconds(text(entry, "passwordExpirationTimeout"));
        rules.refuse_if(expiry.is_some_and(|seconds| seconds < 0), &at("passwordExpirationTimeout"), "Negative.");
    }
}

fn applications(policy: &Value, rules: &mut Rules) {
    let list = items(policy, "applications");
    rules.refuse_if(list.len() > APPLICATIONS, "policy.applications", "At most 3000 applications.");
    let mut names = BTreeSet::new();
    let mut pinned = 0;
    for (place, application) in list.iter().enumerate() {
        let at = |field: &str| format!("policy.applications[{place}].{field}");
        let name = text(application, "packageName");
        rules.refuse_if(!is_package(name), &at("packageName"), "Not the name of a package.");
        rules.refuse_if(!names.insert(name), &at("packageName"), "Named twice.");
        let custom = text(application, "installType") == "CUSTOM";
        rules.refuse_if(
            custom && items(application, "signingKeyCerts").is_empty(),
            &at("signingKeyCerts"),
            "Required for a custom app.",
        );
        rules.refuse_if(
            application.get("customAppConfig").is_some() && !custom,
            &at("customAppConfig"),
            "installType must be CUSTOM.",
        );
        rules.refuse_if(items(application, "installConstraint").len() > 1, &at("installConstraint"), "At most one.");
        let priority = number(application, "installPriority");
        rules.refuse_if(!(0..=10_000).contains(&priority), &at("installPriority"), "Must be from 0 to 10,000.");
        pinned += usize::from(number(application, "minimumVersionCode") != 0);
    }
    rules.refuse_if(pinned > 20, "policy.applications", "At most 20 apps may specify a minimum version code.");
}

/// Letters, digits and underscores between at least one dot.
fn is_package(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    name.contains('.') && name.split('.').all(part)
}

/// What Google demands of an enterprise as a whole.
pub fn enterprise_rules(enterprise: &Value) -> Vec<Finding> {
    let mut rules = Rules(Vec::new());
    rules.refuse_if(
        text(enterprise, "enterpriseDisplayName").chars().count() > 100,
        "enterprise.enterpriseDisplayName",
        "At most 100 characters.",
    );
    let topic = text(enterprise, "pubsubTopic");
    let parts: Vec<&str> = topic.split('/').collect();
    let named =
        matches!(parts.as_slice(), ["projects", project, "topics", name] if !project.is_empty() && !name.is_empty());
    rules.refuse_if(
        !topic.is_empty() && !named,
        "enterprise.pubsubTopic",
        "Must be projects/{project}/topics/{topic}.",
    );
    let wanted = items(enterprise, "enabledNotificationTypes");
    rules.refuse_if(
        !wanted.is_empty() && topic.is_empty(),
        "enterprise.pubsubTopic",
        "Required when notifications are enabled.",
    );
    rules.0
}

/// What Google demands of a new enrolment token.
pub fn enrolment_token_rules(token: &Value) -> Vec<Finding> {
    let mut rules = Rules(Vec::new());
    rules.refuse_if(
        text(token, "additionalData").chars().count() > 1024,
        "enrollmentToken.additionalData",
        "At most 1024 characters.",
    );
    let duration = token.get("duration").and_then(Value::as_str).and_then(seconds);
    rules.refuse_if(duration.is_some_and(|seconds| seconds < 60), "enrollmentToken.duration", "At least one minute.");
    rules.0
}

/// What Google demands of a command. `type` and the parameters must agree; Google would infer the type, but a server that leaves it
/// out cannot be told from one that forgot it, so both are wanted for WIPE and lost mode.
pub fn command_rules(command: &Value) -> Vec<Finding> {
    let mut rules = Rules(Vec::new());
    let kind = text(command, "type");
    rules.refuse_if(matches!(kind, "" | "COMMAND_TYPE_UNSPECIFIED"), "command.type", "The type must be given.");
    for (params, owner, required) in [
        ("wipeParams", "WIPE", true),
        ("startLostModeParams", "START_LOST_MODE", true),
        ("stopLostModeParams", "STOP_LOST_MODE", false),
        ("clearAppsDataParams", "CLEAR_APP_DATA", true),
        ("addEsimParams", "ADD_ESIM", true),
        ("removeEsimParams", "REMOVE_ESIM", true),
        ("requestDeviceInfoParams", "REQUEST_DEVICE_INFO", true),
        ("newPassword", "RESET_PASSWORD", false),
        ("resetPasswordFlags", "RESET_PASSWORD", false),
    ] {
        let path = format!("command.{params}");
        let present = command.get(params).is_some();
        rules.refuse_if(present && kind != owner, &path, "Does not belong to this type of command.");
        rules.refuse_if(!present && required && kind == owner, &path, "Required for this type of command.");
    }
    for name in ["errorCode", "createTime", "userName"] {
        rules.refuse_if(command.get(name).is_some(), &format!("command.{name}"), "Written by Google.");
    }
    if let Some(wipe) = command.get("wipeParams") {
        let reason = wipe.get("wipeReason").unwrap_or(&Value::Null);
        let localized = reason.get("localizedMessages").and_then(Value::as_object);
        let lengths = localized.into_iter().flatten().filter_map(|(_, message)| message.as_str());
        let longest = lengths.chain([text(reason, "defaultMessage")]).map(|message| message.chars().count()).max();
        rules.refuse_if(
            longest.unwrap_or(0) > WIPE_REASON,
            "command.wipeParams.wipeReason",
            "The maximum message length is 200 characters.",
        );
    }
    if let Some(lost) = command.get("startLostModeParams") {
        let shown = |name: &str| !text(lost.get(name).unwrap_or(&Value::Null), "defaultMessage").is_empty();
        let contact = ["lostMessage", "lostPhoneNumber", "lostStreetAddress"].into_iter().any(shown);
        rules.refuse_if(
            !contact && text(lost, "lostEmailAddress").is_empty(),
            "command.startLostModeParams",
            "At least one parameter beside the organization must be provided.",
        );
    }
    if let Some(clear) = command.get("clearAppsDataParams") {
        rules.refuse_if(
            items(clear, "packageNames").is_empty(),
            "command.clearAppsDataParams.packageNames",
            "At least one package.",
        );
    }
    let duration = seconds(text(command, "duration"));
    rules.refuse_if(duration.is_some_and(|seconds| seconds <= 0), "command.duration", "Must be positive.");
    rules.0
}
