//! The equipment register at the command line.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::api::{Api, text_of};
use super::output::{record, say, word};
use super::{Answer, endpoints as to, person};

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OwnershipOption {
    /// The council's.
    Council,
    /// The holder's own.
    Personal,
}

impl OwnershipOption {
    fn word(self) -> &'static str {
        match self {
            Self::Council => "council",
            Self::Personal => "personal",
        }
    }
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindOption {
    /// A telephone.
    Phone,
    /// A tablet.
    Tablet,
    /// A key or modem that plugs in; never managed.
    Dongle,
    /// Anything else; never managed.
    Other,
}

impl KindOption {
    fn word(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Tablet => "tablet",
            Self::Dongle => "dongle",
            Self::Other => "other",
        }
    }
}

/// What can be managed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlatformOption {
    /// iPhone and iPad.
    Apple,
    /// Android.
    Android,
}

impl PlatformOption {
    fn word(self) -> &'static str {
        match self {
            Self::Apple => "apple",
            Self::Android => "android",
        }
    }
}

/// The equipment register.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Registers an item.
    Add {
        /// The tag number on the item.
        #[arg(long)]
        tag: String,
        /// What it is.
        #[arg(long, value_enum, default_value = "phone")]
        kind: KindOption,
        /// The maker.
        #[arg(long)]
        make: String,
        /// The model.
        #[arg(long)]
        model: Option<String>,
        /// What can manage it; left out for what is not managed.
        #[arg(long, value_enum)]
        platform: Option<PlatformOption>,
        /// Whose it is.
        #[arg(long, value_enum, default_value = "council")]
        ownership: OwnershipOption,
        /// The serial number: a phone that reports another one waits for the clerk.
        #[arg(long)]
        serial: Option<String>,
        /// The IMEI (*#06#), which the network needs to bar a stolen phone.
        #[arg(long)]
        imei: Option<String>,
        /// The number of the SIM.
        #[arg(long)]
        sim: Option<String>,
        /// The phone number.
        #[arg(long)]
        phone_number: Option<String>,
        /// Anything else.
        #[arg(long)]
        note: Option<String>,
        /// The name or id of a person who holds it from now on; may be given several times.
        #[arg(long = "holder", value_name = "PERSON")]
        holders: Vec<String>,
    },
    /// Lists the register.
    List {
        /// The start of a tag, the last three or more digits of a telephone number, a whole IMEI or serial number.
        #[arg(long)]
        search: Option<String>,
        /// Also what was disposed of.
        #[arg(long)]
        disposed: bool,
    },
    /// Shows an item, with its holders now and before, its device and its open cases.
    Show {
        /// The tag or id.
        asset: String,
    },
    /// Hands an item over. Former holders give it up, unless it is shared with them.
    HandOver {
        /// The tag or id.
        asset: String,
        /// The names or ids of the people who hold it from now on; nobody means that the office has it back.
        holders: Vec<String>,
        /// Former holders keep it together with them.
        #[arg(long)]
        shared: bool,
    },
    /// Notes that an item was disposed of. Refused while a device is enrolled as it or a case is open.
    Dispose {
        /// The tag or id.
        asset: String,
    },
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::Add {
                tag,
                kind,
                make,
                model,
                platform,
                ownership,
                serial,
                imei,
                sim,
                phone_number,
                note,
                holders,
            } => {
                let body = json!({
                    "tag": tag, "kind": kind.word(), "make": make, "model": model,
                    "platform": platform.map(PlatformOption::word), "ownership": ownership.word(),
                    "serial": serial, "imei": imei, "sim": sim, "phone_number": phone_number, "note": note,
                    "holders": people(api, &holders).await?,
                });
                let asset = api.call(&to::ASSET_ADD, &[], body).await?;
                api.print(&asset, |asset| {
                    say(format!("Registered {}. Next: `beadle invite --asset {0} --person NAME`.", word(asset, "tag")));
                })
            }
            Self::List { search, disposed } => {
                let mut query: Vec<(&str, &str)> = search.iter().map(|search| ("search", search.as_str())).collect();
                if disposed {
                    query.push(("disposed", "true"));
                }
                api.list(&to::ASSETS, &[], &query).await
            }
            Self::Show { asset } => {
                let shown = detail(api, &asset).await?;
                api.print(&shown, record)
            }
            Self::HandOver { asset, holders, shared } => {
                let id = id(api, &asset).await?;
                let body = json!({ "holders": people(api, &holders).await?, "shared": shared });
                let handed = api.call(&to::ASSET_HOLDERS, &[&id], body).await?;
                api.print(&handed, |handed| {
                    let names: Vec<String> = handed
                        .get("holders")
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten()
                        .map(|holder| word(holder, "name"))
                        .collect();
                    let held = if names.is_empty() { "the office".to_owned() } else { names.join(", ") };
                    say(format!("{} is now with {held}.", word(handed, "tag")));
                })
            }
            Self::Dispose { asset } => {
                let id = id(api, &asset).await?;
                let disposed = api.get(&to::ASSET_DISPOSE, &[&id]).await?;
                api.print(&disposed, |asset| say(format!("{} is off the register.", word(asset, "tag"))))
            }
        }
    }
}

/// An item with all that belongs to it, by tag or id.
pub(super) async fn detail(api: &Api, asset: &str) -> Answer<Value> {
    match uuid::Uuid::try_parse(asset) {
        Ok(_) => api.get(&to::ASSET_SHOW, &[asset]).await,
        Err(_) => api.get(&to::ASSET_NAMED, &[asset]).await,
    }
}

/// The id of an item.
pub(super) async fn id(api: &Api, asset: &str) -> Answer<String> {
    match uuid::Uuid::try_parse(asset) {
        Ok(_) => Ok(asset.to_owned()),
        Err(_) => text_of(&detail(api, asset).await?, "id"),
    }
}

async fn people(api: &Api, names: &[String]) -> Answer<Vec<String>> {
    let mut ids = Vec::new();
    for name in names {
        ids.push(person::id(api, name).await?);
    }
    Ok(ids)
}
