//! Each setting as a question in plain words, with the answers that it takes.

use beadle_profiles::Policy;

use crate::web::console::form::Field;

/// What an answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Yes or no.
    YesNo,
    /// A whole number; nothing where the policy asks for none.
    Number,
    /// A few letters; nothing where the policy asks for none.
    Text,
    /// Names with commas between them.
    Names,
    /// One of these.
    OneOf(&'static [(&'static str, &'static str)]),
}

/// A setting that is changed on a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) path: &'static str,
    pub(super) words: &'static str,
    pub(super) hint: &'static str,
    pub(super) answer: Answer,
}

const fn asked(path: &'static str, words: &'static str, hint: &'static str, answer: Answer) -> Asked {
    Asked { path, words, hint, answer }
}

const UNDECIDED: Answer = Answer::OneOf(&[("true", "Yes"), ("false", "No"), ("none", "The council has not decided")]);

/// The tick that goes with erasing after fewer than ten wrong PINs.
pub(super) const ACKNOWLEDGED: &str = "passcode.erase_below_ten_acknowledged";
/// The setting that the tick belongs to.
pub(super) const ERASE: &str = "passcode.erase_after_failed_attempts";

/// Every setting that a page changes, in the order people read them.
pub(super) const QUESTIONS: &[Asked] = &[
    asked("passcode.required", "Must every phone with council data have a PIN?", "", Answer::YesNo),
    asked(
        "passcode.minimum_length",
        "How many characters must a PIN have at least?",
        "4 to 16. Leave it empty to ask for no length.",
        Answer::Number,
    ),
    asked("passcode.allow_simple", "May a PIN be simple, such as 1111 or 1234?", "", Answer::YesNo),
    asked("passcode.alphanumeric", "Must a PIN have letters as well as digits?", "", Answer::YesNo),
    asked(
        "passcode.maximum_age_days",
        "After how many days must a PIN be changed?",
        "1 to 730. Leave it empty to let a PIN stay.",
        Answer::Number,
    ),
    asked(
        "passcode.history",
        "How many earlier PINs may not come back?",
        "1 to 50. Leave it empty to let any come back.",
        Answer::Number,
    ),
    asked(
        ERASE,
        "After how many wrong PINs does a council phone erase itself?",
        "2 to 11. Leave it empty for never. A child with the phone in hand can enter ten wrong PINs.",
        Answer::Number,
    ),
    asked(
        "passcode.auto_lock_seconds",
        "After how many seconds without use does the screen lock?",
        "1 to 900. iPhones count whole minutes. Leave it empty to let the holder choose.",
        Answer::Number,
    ),
    asked(
        "passcode.grace_seconds",
        "For how many seconds after locking may a phone open without its PIN?",
        "0 to 14,400; 0 asks for the PIN at once. Leave it empty to let the holder choose.",
        Answer::Number,
    ),
    asked(
        "passcode.personal_android",
        "Which lock protects council data on a holder\u{2019}s own Android phone?",
        "",
        Answer::OneOf(&[
            ("either_lock", "Whichever opens work apps: the phone\u{2019}s own, or a work PIN"),
            ("work_lock", "Always a work PIN of its own"),
            ("phone_medium", "The phone\u{2019}s own, in Android\u{2019}s medium band"),
            ("phone_high", "The phone\u{2019}s own, in Android\u{2019}s high band"),
        ]),
    ),
    asked("encryption.required", "Must phones be encrypted?", "", Answer::YesNo),
    asked(
        "work_data.documents_stay_in_work_apps",
        "Must work documents stay in work apps?",
        "They then cannot be opened in a personal app.",
        Answer::YesNo,
    ),
    asked(
        "work_data.copies_stay_in_work_apps",
        "Must what is copied in a work app stay in work apps?",
        "",
        Answer::YesNo,
    ),
    asked("work_data.airdrop_counts_as_personal", "Does AirDrop count as a personal app?", "", Answer::YesNo),
    asked("work_data.contacts_stay_in_work_apps", "Must work contacts stay out of personal apps?", "", Answer::YesNo),
    asked(
        "cloud.work_apps_may_sync",
        "May work apps keep their data in the holder\u{2019}s own cloud?",
        "",
        Answer::YesNo,
    ),
    asked(
        "cloud.whole_phone_backup_allowed",
        "May a council phone back itself up to the holder\u{2019}s own cloud?",
        "",
        Answer::YesNo,
    ),
    asked("cloud.backups_must_be_encrypted", "Must back-ups on a computer be encrypted?", "", Answer::YesNo),
    asked("camera.allowed", "May the camera be used?", "", Answer::YesNo),
    asked("screen.screenshots_allowed", "May pictures of the screen be taken?", "", Answer::YesNo),
    asked("screen.previews_when_locked", "May the locked screen show messages?", "", Answer::YesNo),
    asked("accessories.usb_drives_allowed", "May USB sticks and other media be read?", "", Answer::YesNo),
    asked("accessories.usb_while_locked", "May a locked phone talk to a new USB accessory?", "", Answer::YesNo),
    asked("accessories.computer_pairing_allowed", "May a phone be paired with a computer?", "", Answer::YesNo),
    asked("apps.purchases_allowed", "May things be bought inside apps?", "", Answer::YesNo),
    asked("apps.holder_may_install", "May the holder install apps?", "", UNDECIDED),
    asked("apps.other_sources_allowed", "May apps come from elsewhere than the official store?", "", Answer::YesNo),
    asked(
        "apps.android_required",
        "Which Android apps does the council install?",
        "Package names with commas between them, such as org.mozilla.firefox. Leave it empty for none.",
        Answer::Names,
    ),
    asked(
        "apps.android_allowed",
        "Which Android apps may the holder install where others may not be?",
        "Package names with commas between them. Leave it empty for none.",
        Answer::Names,
    ),
    asked(
        "management.removal_allowed",
        "May the holder take the council\u{2019}s security off the phone?",
        "",
        Answer::YesNo,
    ),
    asked("management.other_profiles_allowed", "May the holder install profiles of others?", "", Answer::YesNo),
    asked("management.reset_by_holder_allowed", "May the holder erase the phone from its settings?", "", Answer::YesNo),
    asked("updates.kept_current", "Must phones be kept up to date?", "", Answer::YesNo),
    asked(
        "updates.minimum_ios",
        "What is the oldest iOS or iPadOS that will do?",
        "Such as 17.6.1. Leave it empty where the council has not decided.",
        Answer::Text,
    ),
    asked(
        "updates.minimum_android",
        "What is the oldest Android that will do?",
        "Such as 12. Leave it empty where the council has not decided.",
        Answer::Number,
    ),
    asked(
        "updates.patch_within_days",
        "Within how many days should a security patch be on an Android phone?",
        "1 to 365. Leave it empty where the council has not decided.",
        Answer::Number,
    ),
    asked("wifi.unsecured_networks_forbidden", "Are Wi-Fi networks without a password forbidden?", "", Answer::YesNo),
    asked(
        "wifi.only_these_networks",
        "May phones join the council\u{2019}s own Wi-Fi networks only?",
        "",
        Answer::YesNo,
    ),
    asked("roaming.data_allowed", "May mobile data be used abroad?", "", UNDECIDED),
    asked(
        "location.collected",
        "When may the council learn where a phone is?",
        "",
        Answer::OneOf(&[("never", "Never"), ("open_loss_case", "Only while the phone is reported lost")]),
    ),
    asked("diagnostics.reports_allowed", "May phones send diagnostic reports to their maker?", "", Answer::YesNo),
    asked(
        "council.lock_after_failed_logins",
        "After how many failed logins should a phone lock?",
        "No phone has this setting: it is kept as what the policy says. Leave it empty where the policy does not say.",
        Answer::Number,
    ),
    asked(
        "council.leaver",
        "What happens to a leaver\u{2019}s own device?",
        "",
        Answer::OneOf(&[
            ("holder_clears", "The holder clears council data from it"),
            ("access_given", "The clerk or a professional is given access to clear it"),
            ("none", "The policy does not say"),
        ]),
    ),
    asked("council.imei_and_sim_kept", "Does the holder keep IMEI and SIM numbers for the network?", "", Answer::YesNo),
    asked("council.backup_evidence_required", "Does the register ask for evidence of back-ups?", "", Answer::YesNo),
];

/// What is kept in a policy and changed elsewhere, and what it is called.
pub(super) const ELSEWHERE: &[(&str, &str)] = &[
    ("written_policy", "The text that the council adopted"),
    (ACKNOWLEDGED, "Erasing after fewer than ten wrong PINs was agreed to"),
    ("wifi.networks", "The council\u{2019}s Wi-Fi networks"),
    ("certificates.install", "Certificates that phones are given"),
    ("council.liability", "What negligence costs the holder"),
    ("council.liability_first_pence", "What negligence costs the holder at most, in pence"),
    ("council.loss_reported_to", "Who is told of a loss"),
    ("council.council_device_only", "Data handled on council devices only"),
];

pub(super) fn find(path: &str) -> Option<&'static Asked> {
    QUESTIONS.iter().find(|asked| asked.path == path)
}

/// A setting in words, also of one that no page changes.
pub(super) fn words(path: &str) -> String {
    let elsewhere = || {
        let known = ELSEWHERE.iter().find(|(known, _)| path == *known || path.starts_with(&format!("{known}.")));
        known.map(|(_, words)| (*words).to_owned())
    };
    find(path).map(|asked| asked.words.to_owned()).or_else(elsewhere).unwrap_or_else(|| path.to_owned())
}

/// A value as people say it.
pub(super) fn value_words(path: &str, json: Option<&str>) -> String {
    let value: serde_json::Value = json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let plain = plain(&value);
    if let Some(Asked { answer: Answer::OneOf(choices), .. }) = find(path)
        && let Some((_, words)) = choices.iter().find(|(word, _)| *word == plain)
    {
        return (*words).to_owned();
    }
    match plain.as_str() {
        "true" => "Yes".to_owned(),
        "false" => "No".to_owned(),
        "none" => "Not set".to_owned(),
        "" => "None".to_owned(),
        _ => plain,
    }
}

/// A value as a form has it.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "none".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(entries) => entries.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

impl Asked {
    /// What the policy says now, as its form has it.
    pub(super) fn value(&self, policy: &Policy) -> String {
        let values = policy.values();
        let json = values.into_iter().find(|(path, _)| path == self.path).map(|(_, json)| json);
        let value = json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        let text = plain(&value);
        if matches!(self.answer, Answer::OneOf(_)) || text != "none" { text } else { String::new() }
    }

    /// The field for the answer.
    pub(super) fn field(&self, value: &str) -> Field {
        let field = match self.answer {
            Answer::YesNo => Field::choice("value", self.words, &[("true", "Yes"), ("false", "No")]),
            Answer::OneOf(choices) => Field::choice("value", self.words, choices),
            Answer::Number => Field::line("value", self.words).short().most(10),
            Answer::Text => Field::line("value", self.words).short().most(40),
            Answer::Names => Field::lines("value", self.words),
        };
        field.hint(self.hint).value(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_policy_has_its_words() {
        for (path, json) in Policy::default().values() {
            let elsewhere = ELSEWHERE.iter().any(|(known, _)| *known == path);
            assert!(find(&path).is_some() != elsewhere, "{path} is nowhere, or twice");
            assert!(!value_words(&path, Some(&json)).is_empty());
        }
        for asked in QUESTIONS {
            let mut policy = Policy::default();
            let answers: &[&str] = match asked.answer {
                Answer::YesNo => &["true", "false"],
                Answer::Number => &["5", ""],
                Answer::Text => &["17.6.1", ""],
                Answer::Names => &["org.example.one, org.example.two", ""],
                Answer::OneOf(choices) => &choices.iter().map(|(word, _)| *word).collect::<Vec<_>>(),
            };
            for answer in answers {
                policy.set(asked.path, answer).unwrap_or_else(|problem| panic!("{}: {problem}", asked.path));
                assert_eq!(asked.value(&policy), *answer, "{}", asked.path);
            }
        }
    }
}
