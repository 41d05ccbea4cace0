//! Devices at the command line.

use clap::Subcommand;
use serde_json::{Value, json};

use super::api::{Api, text_of};
use super::output::{record, say, table, warnings, word};
use super::{Answer, Refusal, asset, endpoints as to};

/// Devices under management.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the devices.
    List,
    /// Shows a device: what it reports, setting by setting, and what was asked of it.
    Show {
        /// The tag of its item on the register, or its id.
        device: String,
        /// Also the apps that a council device reports.
        #[arg(long)]
        apps: bool,
    },
    /// Confirms that a phone is the item's although it reports another serial number.
    Confirm {
        /// The tag of its item on the register, or its id.
        device: String,
    },
    /// Locks a device's screen, which opens with its PIN. If it is lost, use `beadle loss report`: a supervised device then
    /// goes into Lost Mode.
    Lock {
        /// The tag of its item on the register, or its id.
        device: String,
        /// What the locked screen says; the council's name unless given.
        #[arg(long)]
        message: Option<String>,
        /// The number that the locked screen offers to call.
        #[arg(long)]
        phone_number: Option<String>,
    },
    /// Clears a forgotten PIN, which opens the phone. Not while it is reported lost.
    ClearPasscode {
        /// The tag of its item on the register, or its id.
        device: String,
        /// How you made sure that the caller is the holder: "came to the office in person".
        #[arg(long)]
        recognised_by: String,
    },
    /// Shows the code that opens a phone's Activation Lock, so that it can be set up anew although its holder turned Find My
    /// on. Goes on record.
    BypassCode {
        /// The tag of its item on the register, or its id.
        device: String,
    },
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::List => list(api).await,
            Self::Show { device, apps } => show(api, &device, apps).await,
            Self::Confirm { device } => {
                let id = id(api, &device).await?;
                let answer = api.get(&to::DEVICE_CONFIRM, &[&id]).await?;
                api.print(&answer, |_| say("Confirmed: it now gets the policy like any other."))
            }
            Self::Lock { device, message, phone_number } => {
                api.needs_server()?;
                let id = id(api, &device).await?;
                let body = json!({ "message": message, "phone_number": phone_number });
                let answer = api.call(&to::DEVICE_LOCK, &[&id], body).await?;
                api.print(&answer, |answer| {
                    say(format!("The lock waits for the phone to fetch it ({}).", word(answer, "command.id")));
                    say("It is locked only once the phone reports so: see `beadle device show`.");
                    warnings(answer);
                })
            }
            Self::ClearPasscode { device, recognised_by } => {
                api.needs_server()?;
                let id = id(api, &device).await?;
                let answer =
                    api.call(&to::DEVICE_CLEAR_PASSCODE, &[&id], json!({ "recognised_by": recognised_by })).await?;
                api.print(&answer, |answer| {
                    say(format!("Clearing the PIN waits for the phone to fetch it ({}).", word(answer, "command.id")));
                    say("It is done only once the phone reports so: see `beadle device show`.");
                })
            }
            Self::BypassCode { device } => {
                api.needs_server()?;
                let id = id(api, &device).await?;
                let answer = api.get(&to::DEVICE_BYPASS_CODE, &[&id]).await?;
                api.print(&answer, |answer| {
                    say(format!(
                        "The code is {}; the phone gave it on {}.",
                        word(answer, "code"),
                        word(answer, "given_at")
                    ));
                    say("On the locked phone, leave the Apple Account empty and enter the code as its password.");
                })
            }
        }
    }
}

/// The list with the tags that people know the devices by.
async fn list(api: &Api) -> Answer {
    if api.common.json {
        return api.list(&to::DEVICES, &[], &[]).await;
    }
    let mut devices = api.all(&to::DEVICES, &[], &[]).await?;
    let assets = api.all(&to::ASSETS, &[], &[("disposed", "true")]).await?;
    for device in &mut devices {
        let asset = device.get("asset").and_then(Value::as_str);
        let tag = assets
            .iter()
            .find(|item| item.get("id").and_then(Value::as_str) == asset)
            .and_then(|item| item.get("tag"))
            .cloned();
        if let (Some(tag), Some(fields)) = (tag, device.as_object_mut()) {
            fields.insert("tag".to_owned(), tag);
        }
    }
    let columns: Vec<&str> = std::iter::once("tag").chain(to::DEVICES.columns()).collect();
    table(&devices, &columns);
    Ok(())
}

async fn show(api: &Api, device: &str, apps: bool) -> Answer {
    let id = id(api, device).await?;
    let mut shown = api.get(&to::DEVICE_SHOW, &[&id]).await?;
    if apps {
        let apps = api.get(&to::DEVICE_APPS, &[&id]).await?;
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("apps".to_owned(), apps);
        }
    }
    api.print(&shown, |shown| {
        let mut rest = shown.clone();
        let lists = ["settings", "commands"].map(|name| {
            let list = rest.as_object_mut().and_then(|fields| fields.remove(name));
            list.as_ref().and_then(Value::as_array).cloned().unwrap_or_default()
        });
        let android = rest.as_object_mut().and_then(|fields| fields.remove("android")).filter(Value::is_object);
        record(&rest);
        if let Some(android) = android {
            say("\nWhat the phone reports by way of Google:");
            record(&android);
        }
        let [settings, commands] = lists;
        say("\nWhat the phone reports of the policy:");
        table(&settings, &["setting", "state", "since", "reason"]);
        say("\nWhat was asked of it; only what is acknowledged was done:");
        table(&commands, &to::DEVICE_COMMANDS.columns());
    })
}

/// The id of a device, by the tag of its item.
pub(super) async fn id(api: &Api, device: &str) -> Answer<String> {
    if uuid::Uuid::try_parse(device).is_ok() {
        return Ok(device.to_owned());
    }
    let item = asset::detail(api, device).await?;
    match item.get("device").filter(|found| !found.is_null()) {
        Some(found) => text_of(found, "id"),
        None => Err(Refusal::Said(format!("no device was ever enrolled as {device}"))),
    }
}
