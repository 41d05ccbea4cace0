//! How Beadle speaks to devices: property lists to Apple's, JSON to Google. The one `match Platform` of the server.

pub mod android;
pub mod apple;
mod outgoing;

use serde_json::Value;

use crate::model::{CommandId, CommandKind, Mode, Ownership, Platform, Release};

/// A message for a device, in its platform's own form.
#[derive(Debug, PartialEq, Eq)]
pub enum Wire {
    /// A property list in XML, the answer to a device's poll.
    Apple(Vec<u8>),
    /// A command for Google, to be issued to a device.
    Android(android::command::Message),
}

/// Why there is no message, in words for the clerk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsupported(pub String);

impl From<&str> for Unsupported {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// What a command's message is made of; secrets are open here, so it lives no longer than the answer.
#[derive(Debug)]
pub struct Command<'a> {
    /// Its id, the same at every offer.
    pub id: &'a CommandId,
    /// What is asked.
    pub kind: CommandKind,
    /// Its parameters, by kind.
    pub payload: &'a Value,
    /// The profile that InstallProfile carries; the token that ClearPasscode needs.
    pub data: Option<&'a [u8]>,
}

/// Writes a command for a device of this platform, mode and ownership. No command destroys: see [`encode_order`].
///
/// # Errors
/// [`Unsupported`] where this kind of device does not know the command.
pub fn encode(
    platform: Platform,
    mode: Mode,
    ownership: Ownership,
    command: &Command<'_>,
) -> Result<Wire, Unsupported> {
    if let Some(problem) = command.kind.refusal(mode, ownership) {
        return Err(problem.into());
    }
    match platform {
        Platform::Apple => apple::command::encode(command).map(Wire::Apple),
        Platform::Android => android::command::encode(mode, ownership, command).map(Wire::Android),
    }
}

/// Writes the message that destroys, which needs the proof of its order.
///
/// # Errors
/// [`Unsupported`] where this platform does not know the scope, or the scope does not fit the device.
pub fn encode_order(platform: Platform, release: &Release) -> Result<Wire, Unsupported> {
    match platform {
        Platform::Apple => apple::command::encode_erase(release).map(Wire::Apple),
        Platform::Android => {
            android::command::encode_wipe(release.mode(), release.ownership(), release).map(Wire::Android)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Command × platform and mode × ownership: a change here is a change of what Beadle promises.
    #[test]
    fn what_each_kind_of_device_can_be_asked() {
        let id = CommandId::from("01890000-0000-7000-8000-000000000001");
        let payload = serde_json::json!({ "identifier": "beadle.policy.c", "message": "m" });
        let mut table = String::new();
        for kind in CommandKind::ALL {
            for mode in Mode::ALL {
                for ownership in Ownership::ALL {
                    let platform = match mode {
                        Mode::Supervised | Mode::Device | Mode::User => Platform::Apple,
                        Mode::FullyManaged | Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => Platform::Android,
                    };
                    let command = Command { id: &id, kind: *kind, payload: &payload, data: Some(b"data") };
                    let can = match encode(platform, *mode, *ownership, &command) {
                        Ok(_) => "yes".to_owned(),
                        Err(Unsupported(problem)) => format!("no: {problem}"),
                    };
                    table += &format!("{kind} | {platform} {mode} | {ownership} | {can}\n");
                }
            }
        }
        insta::assert_snapshot!(table);
    }
}
