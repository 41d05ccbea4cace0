//! Commands as Google takes them for a device, each only where the device's mode knows it.
//!
//! Google answers "done" for some commands that a mode does not know, so nothing is sent on trust. Source: discovery
//! document, schemas `Command`, `StartLostModeParams` and `WipeParams`.

use serde_json::{Map, Value, json};

use crate::model::{CommandKind, Mode, Ownership, Release, Scope};
use crate::platform::{Command, Unsupported};

/// How long a lock, lost mode and a wipe stand: a lost phone is usually off, and Google's own ten minutes would lose them.
/// Ninety days.
pub const STANDS: &str = "7776000s";
/// How long clearing a PIN stands: the caller is on the telephone, and an open phone is not left for another day. One hour.
const CLEARING_STANDS: &str = "3600s";
/// The most of a text on a lost phone, in characters, of the 4096 that Google takes.
const TEXT_LIMIT: usize = 1000;
/// What the holder of a personal phone is told when its work profile goes; Google takes 200 characters.
const PROFILE_GOES: &str =
    "The council's work profile is being removed from this phone. Your own apps, photos and messages are not touched.";

/// A command for a device, ready to be sent. Only the encoders make one, so that nothing else can be.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    body: Value,
    destroys: bool,
}

impl Message {
    /// The `Command` as JSON.
    #[must_use]
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// Whether it destroys data.
    #[must_use]
    pub fn destroys(&self) -> bool {
        self.destroys
    }
}

/// Writes a command that destroys nothing, where a device of this mode and ownership knows it.
///
/// The payload's `message` and `phone_number` are shown in lost mode, `organisation` (or `footnote`) above them.
///
/// # Errors
/// [`Unsupported`], in words for the clerk.
pub fn encode(mode: Mode, ownership: Ownership, command: &Command<'_>) -> Result<Message, Unsupported> {
    let reach = Reach::of(mode)?;
    let personal = reach == Reach::PersonalProfile || ownership == Ownership::Personal;
    let body = match command.kind {
        CommandKind::DeviceLock => json!({ "type": "LOCK", "duration": STANDS }),
        CommandKind::EnableLostMode if personal => {
            return Err("lost mode exists on the council's own phones only; this one can be locked".into());
        }
        CommandKind::EnableLostMode => json!({
            "type": "START_LOST_MODE", "duration": STANDS, "startLostModeParams": lost_mode(command.payload)?,
        }),
        CommandKind::DisableLostMode if reach == Reach::PersonalProfile => {
            return Err("lost mode exists on the council's own phones only".into());
        }
        CommandKind::DisableLostMode => {
            json!({ "type": "STOP_LOST_MODE", "duration": STANDS, "stopLostModeParams": {} })
        }
        CommandKind::ClearPasscode => clear_passcode(reach, personal)?,
        CommandKind::DeviceInformation
        | CommandKind::SecurityInfo
        | CommandKind::ProfileList
        | CommandKind::InstalledApplicationList => {
            return Err("an Android phone reports this of itself; there is nothing to ask it".into());
        }
        CommandKind::InstallProfile => {
            return Err("an Android phone gets the council's policy through Google, not by a command".into());
        }
        CommandKind::RenewIdentity => {
            return Err("an Android phone has no certificate of the council's to renew".into());
        }
        CommandKind::DeviceConfigured | CommandKind::ActivationLockBypassCode => {
            return Err("this exists on iPhones and iPads only".into());
        }
    };
    Ok(Message { body, destroys: false })
}

/// Writes WIPE: the only place that does, and only for a verified order whose scope fits the device.
///
/// On a company-owned phone it is a factory reset, on a personal one the work profile goes.
///
/// # Errors
/// [`Unsupported`] where scope, mode and ownership disagree (W3), whatever the release says.
pub fn encode_wipe(mode: Mode, ownership: Ownership, release: &Release) -> Result<Message, Unsupported> {
    may_be_wiped(release.scope(), mode, ownership)?;
    let body = json!({
        "type": "WIPE",
        "duration": STANDS,
        "wipeParams": wipe_params(release.scope(), release.preserve_data_plan()),
    });
    Ok(Message { body, destroys: true })
}

/// How far management reaches on an Android device.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Device,
    CompanyProfile,
    PersonalProfile,
}

impl Reach {
    fn of(mode: Mode) -> Result<Self, Unsupported> {
        match mode {
            Mode::FullyManaged => Ok(Self::Device),
            Mode::CompanyWorkProfile => Ok(Self::CompanyProfile),
            Mode::PersonalWorkProfile => Ok(Self::PersonalProfile),
            Mode::Supervised | Mode::Device | Mode::User => {
                Err("this is an iPhone or iPad, not an Android phone".into())
            }
        }
    }
}

/// The text of lost mode. Google wants more than the organisation's name.
fn lost_mode(payload: &Value) -> Result<Value, Unsupported> {
    let text = |key: &str| {
        let text = payload.get(key)?.as_str()?.trim();
        (!text.is_empty()).then(|| text.chars().take(TEXT_LIMIT).collect::<String>())
    };
    let mut params = Map::new();
    for (field, shown) in [("lostMessage", text("message")), ("lostPhoneNumber", text("phone_number"))] {
        if let Some(shown) = shown {
            params.insert(field.to_owned(), json!({ "defaultMessage": shown }));
        }
    }
    if params.is_empty() {
        return Err("lost mode needs a message or a telephone number".into());
    }
    if let Some(organisation) = text("organisation").or_else(|| text("footnote")) {
        params.insert("lostOrganization".to_owned(), json!({ "defaultMessage": organisation }));
    }
    Ok(Value::Object(params))
}

/// RESET_PASSWORD with an empty password. In a work profile it reaches the profile's own lock only (Android,
/// `DevicePolicyManager.resetPasswordWithToken`): Google would say "done" and the phone's PIN would still be there.
fn clear_passcode(reach: Reach, personal: bool) -> Result<Value, Unsupported> {
    match reach {
        _ if personal => Err("this is not done on a holder's own phone".into()),
        Reach::CompanyProfile | Reach::PersonalProfile => {
            Err("on a phone with a work profile Google can reset the work profile's lock only, not the phone's PIN"
                .into())
        }
        Reach::Device => Ok(json!({ "type": "RESET_PASSWORD", "duration": CLEARING_STANDS, "newPassword": "" })),
    }
}

/// Whether scope, mode and ownership agree. Looked at here once more, although the release was checked: W3 has no exception.
fn may_be_wiped(scope: Scope, mode: Mode, ownership: Ownership) -> Result<(), Unsupported> {
    let reach = Reach::of(mode)?;
    match (scope, reach, ownership) {
        (Scope::EraseDevice, Reach::Device | Reach::CompanyProfile, Ownership::Council) => Ok(()),
        (Scope::EraseDevice, _, Ownership::Personal) => {
            Err("this is a personal device: Beadle never erases the whole of one".into())
        }
        (Scope::EraseDevice, Reach::PersonalProfile, Ownership::Council) => {
            Err("this device is managed in its work part only: Beadle never erases the whole of it".into())
        }
        (Scope::EraseWorkProfile, Reach::PersonalProfile, Ownership::Council | Ownership::Personal) => Ok(()),
        (Scope::EraseWorkProfile, Reach::Device | Reach::CompanyProfile, _) => {
            Err("on a phone that was set up as company-owned a wipe takes everything, not the work profile alone"
                .into())
        }
        (Scope::ForgetRecord, _, _) => Err("forgetting a record is no command to the phone".into()),
    }
}

/// What goes with the data, and what the holder reads. A loss keeps what helps against a thief; a leaver's phone is given
/// on empty, free and without eSIMs.
fn wipe_params(scope: Scope, loss: bool) -> Value {
    let second = if loss { "PRESERVE_RESET_PROTECTION_DATA" } else { "WIPE_ESIMS" };
    let mut params = Map::new();
    params.insert("wipeDataFlags".to_owned(), json!(["WIPE_EXTERNAL_STORAGE", second]));
    if scope == Scope::EraseWorkProfile {
        params.insert("wipeReason".to_owned(), json!({ "defaultMessage": PROFILE_GOES }));
    }
    Value::Object(params)
}

#[cfg(test)]
#[path = "command_tests.rs"]
pub(super) mod tests;
