//! Loss cases at the command line.

use clap::Subcommand;
use serde_json::{Value, json};

use super::api::{Api, text_of};
use super::output::{record, say, warnings};
use super::{Answer, Refusal, asset, endpoints as to};

/// Lost and stolen devices.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reports a loss, which locks the device at once. A second report locks again.
    Report {
        /// The tag or id of the item.
        #[arg(long)]
        asset: String,
        /// Who told of the loss.
        #[arg(long)]
        reporter: String,
        /// When it happened: 2026-11-20T18:30:00Z.
        #[arg(long, value_name = "TIME")]
        happened_at: Option<String>,
        /// Where.
        #[arg(long)]
        place: Option<String>,
        /// How.
        #[arg(long)]
        circumstances: Option<String>,
        /// When the council became aware, if not just now; the 72 hours of a data breach run from then.
        #[arg(long, value_name = "TIME")]
        aware_at: Option<String>,
        /// What the locked screen says; the council's name unless given.
        #[arg(long)]
        contact_message: Option<String>,
        /// The number on the locked screen.
        #[arg(long)]
        contact_number: Option<String>,
        /// The police's reference.
        #[arg(long)]
        police_reference: Option<String>,
    },
    /// Sends the lock of an open loss again.
    Lock {
        /// The case's id, or the item's tag.
        case: String,
    },
    /// The device was found: takes back what it has not fetched yet, and ends Lost Mode.
    Found {
        /// The case's id, or the item's tag.
        case: String,
    },
    /// Adds to a case what became known later.
    Note {
        /// The case's id, or the item's tag.
        case: String,
        /// The police's reference.
        #[arg(long)]
        police_reference: Option<String>,
        /// Where it happened.
        #[arg(long)]
        place: Option<String>,
        /// How it happened.
        #[arg(long)]
        circumstances: Option<String>,
    },
    /// Closes a case.
    Close {
        /// The case's id, or the item's tag.
        case: String,
        /// How it ended.
        #[arg(long)]
        outcome: String,
    },
    /// Lists the loss cases.
    List,
    /// Shows a case with its timeline.
    Show {
        /// The case's id, or the item's tag.
        case: String,
    },
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::Report {
                asset,
                reporter,
                happened_at,
                place,
                circumstances,
                aware_at,
                contact_message,
                contact_number,
                police_reference,
            } => {
                api.needs_server()?;
                let body = json!({
                    "asset": asset::id(api, &asset).await?, "reporter": reporter, "happened_at": happened_at,
                    "place": place, "circumstances": circumstances, "aware_at": aware_at,
                    "contact_message": contact_message, "contact_number": contact_number,
                    "police_reference": police_reference,
                });
                let reported = api.call(&to::LOSS_REPORT, &[], body).await?;
                api.print(&reported, tell_report)
            }
            Self::Lock { case } => {
                api.needs_server()?;
                let id = id(api, &case).await?;
                let reported = api.get(&to::LOSS_LOCK, &[&id]).await?;
                api.print(&reported, tell_report)
            }
            Self::Found { case } => {
                api.needs_server()?;
                let id = id(api, &case).await?;
                let found = api.get(&to::LOSS_FOUND, &[&id]).await?;
                api.print(&found, |found| {
                    record(found.get("case").unwrap_or(found));
                    warnings(found);
                    say("It counts as back in use once the phone itself answers.");
                })
            }
            Self::Note { case, police_reference, place, circumstances } => {
                let id = id(api, &case).await?;
                let body =
                    json!({ "police_reference": police_reference, "place": place, "circumstances": circumstances });
                let noted = api.call(&to::LOSS_NOTE, &[&id], body).await?;
                api.print(&noted, record)
            }
            Self::Close { case, outcome } => {
                let id = id(api, &case).await?;
                let closed = api.call(&to::LOSS_CLOSE, &[&id], json!({ "outcome": outcome })).await?;
                api.print(&closed, record)
            }
            Self::List => api.list(&to::LOSSES, &[], &[]).await,
            Self::Show { case } => {
                let id = id(api, &case).await?;
                api.show(&to::LOSS_SHOW, &[&id]).await
            }
        }
    }
}

fn tell_report(reported: &Value) {
    let opened = reported.get("opened").and_then(Value::as_bool).unwrap_or(true);
    say(if opened { "The loss is reported." } else { "The loss was reported already; this adds to its case." });
    if reported.get("lock").is_some_and(|lock| !lock.is_null()) {
        say("The lock waits for the phone to fetch it; it is locked only once the phone reports so.");
    }
    warnings(reported);
    record(reported.get("case").unwrap_or(reported));
    say("To have it erased: `beadle order request`; a second person approves.");
}

/// The id of a loss case, which may be named by the tag of its item.
pub(super) async fn id(api: &Api, case: &str) -> Answer<String> {
    open_case(api, case, "loss").await
}

/// The id of the open case of this kind of an item.
pub(super) async fn open_case(api: &Api, name: &str, kind: &str) -> Answer<String> {
    if uuid::Uuid::try_parse(name).is_ok() {
        return Ok(name.to_owned());
    }
    let item = asset::detail(api, name).await?;
    let cases = item.get("open_cases").and_then(Value::as_array);
    let of_kind = |case: &&Value| case.get("kind").and_then(Value::as_str) == Some(kind);
    match cases.into_iter().flatten().rfind(of_kind) {
        Some(case) => text_of(case, "id"),
        None => Err(Refusal::Said(format!(
            "{name} has no {kind} case that is open; give the id of a closed one (`beadle {kind} list`)"
        ))),
    }
}
