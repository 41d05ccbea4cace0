//! What each command does to the phone, and what the phone answers.

use std::time::Duration;

use plist::{Dictionary, Value};

use super::poll::Done;
use super::profile::text;
use super::{ErrorItem, LostMode, Phone};

/// Access rights (Apple, `com.apple.mdm`), by what needs them.
const INSPECT_PROFILES: u64 = 1;
const CHANGE_PROFILES: u64 = 2;
const LOCK_AND_CLEAR: u64 = 4;
const ERASE: u64 = 8;
const INSPECT_APPLICATIONS: u64 = 256;
const SECURITY: u64 = 1024;
const SETTINGS: u64 = 2048;

/// How long after it was supervised a phone gives its code.
const BYPASS_CODE_FOR: Duration = Duration::from_secs(15 * 24 * 60 * 60);

impl Phone {
    /// Carries a command out.
    pub(crate) async fn carry_out(&mut self, request_type: &str, command: &Dictionary) -> Done {
        let (right, supervised_only) = match request_type {
            "ProfileList" | "CertificateList" => (INSPECT_PROFILES, false),
            "InstallProfile" | "RemoveProfile" => (CHANGE_PROFILES, false),
            "DeviceLock" | "ClearPasscode" => (LOCK_AND_CLEAR, false),
            "EraseDevice" => (ERASE, false),
            "DeviceInformation" => (0, false),
            "InstalledApplicationList" => (INSPECT_APPLICATIONS, false),
            "SecurityInfo" => (SECURITY, false),
            "Settings" => (SETTINGS, false),
            "EnableLostMode" | "DisableLostMode" | "DeviceLocation" | "PlayLostModeSound" => (0, true),
            "ActivationLockBypassCode" | "DeviceConfigured" => (0, true),
            "RestartDevice" | "ShutDownDevice" => (LOCK_AND_CLEAR, true),
            _ => return Done::Answer(self.unknown(request_type)),
        };
        let rights = self.management.as_ref().map_or(0, |management| u64::from(management.access_rights));
        if right & !rights != 0 {
            let item = ErrorItem::mdm(12007, &format!("Not authorized for the request {request_type}."));
            return Done::Answer(self.error_message(&[item]));
        }
        if supervised_only && !self.options.supervised {
            // iOS offers these to supervised devices alone, and calls them unknown on others.
            return Done::Answer(self.unknown(request_type));
        }
        match request_type {
            "EraseDevice" => Done::Wipe(self.status_message("Acknowledged")),
            "InstallProfile" => Done::Answer(self.install_profile(command).await),
            "RemoveProfile" => self.remove_profile(command),
            _ => Done::Answer(self.answer(request_type, command, rights)),
        }
    }

    fn unknown(&self, request_type: &str) -> Dictionary {
        self.error_message(&[ErrorItem::mdm(12021, &format!("“{request_type}” is not a valid request type."))])
    }

    fn answer(&mut self, request_type: &str, command: &Dictionary, rights: u64) -> Dictionary {
        let mut answer = self.status_message("Acknowledged");
        match request_type {
            "DeviceInformation" => {
                answer.insert("QueryResponses".into(), Value::Dictionary(self.device_information(command, rights)));
            }
            "SecurityInfo" => {
                answer.insert("SecurityInfo".into(), Value::Dictionary(self.security_info()));
            }
            "ProfileList" => {
                answer.insert("ProfileList".into(), self.profile_list(command));
            }
            "InstalledApplicationList" => {
                answer.insert("InstalledApplicationList".into(), self.application_list(command));
            }
            "CertificateList" => {
                answer.insert("CertificateList".into(), self.certificate_list());
            }
            "DeviceLock" => self.lock(command, &mut answer),
            "ClearPasscode" => return self.clear_passcode(command, answer),
            "EnableLostMode" => return self.enable_lost_mode(command, answer),
            "DisableLostMode" | "DeviceLocation" | "PlayLostModeSound" => {
                return self.while_lost(request_type, answer);
            }
            "ActivationLockBypassCode" => return self.bypass_code(answer),
            "DeviceConfigured" => self.shared.change(|state| state.awaiting_configuration = false),
            "RestartDevice" => self.shared.change(|state| state.restarts += 1),
            "Settings" => {
                let items = command.get("Settings").and_then(Value::as_array).map_or(0, Vec::len);
                let done = |_| Value::Dictionary([("Status", "Acknowledged")].into_iter().map(pair).collect());
                answer.insert("Settings".into(), Value::Array((0..items).map(done).collect()));
            }
            _ => {}
        }
        answer
    }

    fn bypass_code(&self, mut answer: Dictionary) -> Dictionary {
        if self.options.supervised_for >= BYPASS_CODE_FOR {
            return self.error_message(&[ErrorItem::mdm(12026, "The Activation Lock bypass code is not available.")]);
        }
        answer.insert("ActivationLockBypassCode".into(), self.options.bypass_code.clone().into());
        answer
    }

    fn lock(&mut self, command: &Dictionary, answer: &mut Dictionary) {
        let shows = ["Message", "PhoneNumber"].iter().any(|key| command.contains_key(key));
        let passcode = self.passcode_length.is_some();
        let lost = self.shared.change(|state| {
            // Without a passcode the screen goes dark and anybody opens it again.
            state.locked = passcode;
            if passcode {
                state.lock_message = text(command, "Message").map(str::to_owned);
            }
            state.lost_mode.is_some()
        });
        if shows {
            let result = match (lost, passcode) {
                (true, _) => "DeviceInLostMode",
                (_, false) => "NoPasscodeSet",
                _ => "Success",
            };
            answer.insert("MessageResult".into(), result.into());
        }
    }

    fn clear_passcode(&mut self, command: &Dictionary, answer: Dictionary) -> Dictionary {
        let given = command.get("UnlockToken").and_then(Value::as_data);
        if self.unlock_token.is_empty() || given != Some(self.unlock_token.as_slice()) {
            return self
                .error_message(&[ErrorItem::mdm(12010, "The passcode could not be cleared: the token is wrong.")]);
        }
        self.set_passcode(None);
        self.unlock();
        answer
    }

    fn enable_lost_mode(&mut self, command: &Dictionary, answer: Dictionary) -> Dictionary {
        let field = |key: &str| text(command, key).map(str::to_owned);
        let lost =
            LostMode { message: field("Message"), phone_number: field("PhoneNumber"), footnote: field("Footnote") };
        if lost.message.is_none() && lost.phone_number.is_none() {
            return self.error_message(&[ErrorItem::mdm(12065, "Lost Mode needs a message or a telephone number.")]);
        }
        self.shared.change(|state| {
            state.lost_mode = Some(lost);
            state.locked = true;
        });
        answer
    }

    fn while_lost(&mut self, request_type: &str, mut answer: Dictionary) -> Dictionary {
        if self.shared.read(|state| state.lost_mode.is_none()) {
            return self.error_message(&[ErrorItem::mdm(12067, "The device is not in Managed Lost Mode.")]);
        }
        match request_type {
            "DisableLostMode" => self.shared.change(|state| {
                state.lost_mode = None;
                state.locked = false;
            }),
            "PlayLostModeSound" => self.shared.change(|state| state.sounds_played += 1),
            _ => {
                let place = [
                    ("Latitude", 50.1059),
                    ("Longitude", -5.4349),
                    ("HorizontalAccuracy", 12.0),
                    ("VerticalAccuracy", 8.0),
                    ("Altitude", 31.0),
                    ("Speed", 0.0),
                    ("Course", -1.0),
                ];
                for (key, value) in place {
                    answer.insert(key.into(), value.into());
                }
                let now = plist::Date::from(self.options.clock.now()).to_xml_format();
                answer.insert("Timestamp".into(), now.into());
            }
        }
        answer
    }
}

pub(crate) fn pair((key, value): (&str, &str)) -> (String, Value) {
    (key.to_owned(), value.into())
}
