//! Ready-made policies, exactly as the written texts have them; what a text leaves open stays open.

use super::council::{Leaver, Liability, Recipient};
use super::{Document, Policy, passcode};
use crate::named::named_enum;

named_enum! {
    /// A ready-made policy to start from.
    Preset, "preset" {
        /// Germoe Parish Council's policy.
        Germoe = "germoe",
        /// Coreley Parish Council's policy.
        Coreley = "coreley",
        /// What both texts share.
        CouncilTemplate = "council-template",
    }
}

impl Preset {
    /// The preset's name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Germoe => "Germoe Parish Council",
            Self::Coreley => "Coreley Parish Council",
            Self::CouncilTemplate => "Council template",
        }
    }

    /// One sentence on what it sets and what it leaves open.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Germoe => {
                "Six-digit PIN, erase after 10 wrong PINs, lock after 30 seconds; losses go to the Clerk or the Chair, \
                 and negligence costs the first £100."
            }
            Self::Coreley => {
                "Six-digit PIN, erase after 10 wrong PINs; the council still has to choose the time until the screen locks \
                 and who is told of a loss. Liability for negligence is not capped."
            }
            Self::CouncilTemplate => {
                "Six-digit PIN, erase after 10 wrong PINs, lock after 5 minutes; what the two texts say differently is left \
                 for the council to decide."
            }
        }
    }
}

pub(super) fn policy(preset: Preset) -> Policy {
    match preset {
        Preset::CouncilTemplate => template(),
        Preset::Germoe => germoe(),
        Preset::Coreley => coreley(),
    }
}

fn template() -> Policy {
    let mut policy = Policy { written_policy: Document::CouncilTemplate, ..Policy::default() };
    policy.passcode = passcode::Passcode {
        required: true,
        minimum_length: Some(6),
        allow_simple: false,
        erase_after_failed_attempts: Some(10),
        auto_lock_seconds: Some(300),
        grace_seconds: Some(0),
        ..passcode::Passcode::default()
    };
    policy.encryption.required = true;
    policy.work_data.documents_stay_in_work_apps = true;
    policy.work_data.copies_stay_in_work_apps = true;
    policy.work_data.airdrop_counts_as_personal = true;
    policy.work_data.contacts_stay_in_work_apps = true;
    policy.cloud.work_apps_may_sync = false;
    policy.cloud.backups_must_be_encrypted = true;
    policy.screen.previews_when_locked = false;
    policy.accessories.usb_drives_allowed = false;
    policy.accessories.usb_while_locked = false;
    policy.apps.purchases_allowed = false;
    policy.apps.other_sources_allowed = false;
    policy.management.removal_allowed = false;
    policy.updates.kept_current = true;
    policy.wifi.unsecured_networks_forbidden = true;
    policy.council.backup_evidence_required = true;
    policy.council.council_device_only = vec!["personal information and sensitive data".to_owned()];
    policy
}

fn germoe() -> Policy {
    let mut policy = template();
    policy.written_policy = Document::Germoe;
    policy.passcode.auto_lock_seconds = Some(30);
    policy.council.lock_after_failed_logins = Some(5);
    policy.council.liability = Liability::First;
    policy.council.liability_first_pence = Some(10_000);
    policy.council.loss_reported_to = vec![Recipient::Clerk, Recipient::Chair];
    policy.council.imei_and_sim_kept = true;
    policy.council.leaver = Some(Leaver::HolderClears);
    policy.council.council_device_only = vec![
        "HR files".to_owned(),
        "commercially sensitive material".to_owned(),
        "documents relating to legal proceedings".to_owned(),
    ];
    policy
}

fn coreley() -> Policy {
    let mut policy = template();
    policy.written_policy = Document::Coreley;
    policy.passcode.auto_lock_seconds = None;
    policy.council.lock_after_failed_logins = Some(3);
    policy.council.liability = Liability::Uncapped;
    policy.council.leaver = Some(Leaver::AccessGiven);
    policy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_valid_and_reads_back() {
        for &preset in Preset::all() {
            let policy = Policy::preset(preset);
            assert_eq!(policy.validate(), Ok(()), "{preset}");
            let text = serde_json::to_string(&policy).unwrap();
            assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
        }
    }

    #[test]
    fn presets_as_json() {
        insta::assert_json_snapshot!("preset_germoe", Policy::preset(Preset::Germoe));
        insta::assert_json_snapshot!("preset_coreley", Policy::preset(Preset::Coreley));
        insta::assert_json_snapshot!("preset_council_template", Policy::preset(Preset::CouncilTemplate));
    }

    #[test]
    fn open_questions_of_each_preset() {
        let mut lines = Vec::new();
        for &preset in Preset::all() {
            for question in Policy::preset(preset).open_questions() {
                lines.push(format!("{preset}: {} ({})", question.question, question.setting));
            }
        }
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_policy_stored_before_a_setting_existed_still_reads() {
        let policy: Policy = serde_json::from_str(r#"{"passcode":{"required":true}}"#).unwrap();
        assert!(policy.passcode.required);
        assert!(serde_json::from_str::<Policy>(r#"{"passcoed":{}}"#).is_err());
    }
}
