//! Orders at the command line: asked for by one person, approved by another.

use clap::Subcommand;
use serde_json::{Value, json};

use super::api::Api;
use super::endpoints as to;
use super::output::{record, say, word};
use super::{Answer, leaver, loss, prompt};

/// Orders to erase a device. They need people who are signed in, whichever way they come.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Asks for the erasure of the device of an open case. Another person approves it, or it lapses after 72 hours.
    Request {
        /// The loss case: its id, or the item's tag.
        #[arg(long, required_unless_present = "leaver")]
        loss: Option<String>,
        /// The leaver case: its id, or the item's tag.
        #[arg(long, conflicts_with = "loss")]
        leaver: Option<String>,
        /// Why.
        #[arg(long)]
        reason: String,
        /// The tag on the item, typed in by hand; asked for unless given.
        #[arg(long)]
        asset_tag: Option<String>,
    },
    /// Approves an order of somebody else. It can be cancelled until the device has fetched it.
    Approve {
        /// Its id.
        order: String,
    },
    /// Refuses an order that waits for approval.
    Refuse {
        /// Its id.
        order: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Takes back an order that the device has not fetched.
    Cancel {
        /// Its id.
        order: String,
    },
    /// Lets a held order go on once its cause has ended; in quarantine: says that it still stands.
    Resume {
        /// Its id.
        order: String,
    },
    /// Lists the orders.
    List {
        /// Only those in this state, such as requested or held.
        #[arg(long)]
        state: Option<String>,
    },
    /// Shows an order.
    Show {
        /// Its id.
        order: String,
    },
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        if !matches!(self, Self::List { .. } | Self::Show { .. }) {
            api.needs_server()?;
        }
        match self {
            Self::Request { loss: lost, leaver: left, reason, asset_tag } => {
                let (endpoint, case) = match (lost, left) {
                    (_, Some(case)) => (&to::ORDER_LEAVER, leaver::id(api, &case).await?),
                    (case, None) => (&to::ORDER_LOSS, loss::id(api, &case.unwrap_or_default()).await?),
                };
                let tag = match asset_tag {
                    Some(tag) => tag,
                    None => prompt::line("Type the tag of the item that shall be erased")?,
                };
                let body = json!({ "reason": reason, "asset_tag": tag });
                let order = api.call(endpoint, &[&case], body).await?;
                api.print(&order, |order| {
                    tell(order);
                    say(format!("Another person must approve it: beadle order approve {}", word(order, "id")));
                })
            }
            Self::Approve { order } => {
                let order = api.get(&to::ORDER_APPROVE, &[&order]).await?;
                api.print(&order, |order| {
                    tell(order);
                    say("It is done only once the phone confirms it: see `beadle order show`.");
                })
            }
            Self::Refuse { order, reason } => {
                let order = api.call(&to::ORDER_REFUSE, &[&order], json!({ "reason": reason })).await?;
                api.print(&order, tell)
            }
            Self::Cancel { order } => {
                let order = api.get(&to::ORDER_CANCEL, &[&order]).await?;
                api.print(&order, tell)
            }
            Self::Resume { order } => {
                let order = api.get(&to::ORDER_RESUME, &[&order]).await?;
                api.print(&order, tell)
            }
            Self::List { state } => {
                let query: Vec<(&str, &str)> = state.iter().map(|state| ("state", state.as_str())).collect();
                api.list(&to::ORDERS, &[], &query).await
            }
            Self::Show { order } => {
                let order = api.get(&to::ORDER_SHOW, &[&order]).await?;
                api.print(&order, record)
            }
        }
    }
}

/// What it is about and where it stands, in the server's words.
fn tell(order: &Value) {
    say(word(order, "what"));
    say(format!("Order {}: {}", word(order, "id"), word(order, "state_words")));
}
