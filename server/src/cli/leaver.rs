//! Leaver cases at the command line.

use clap::Subcommand;
use serde_json::json;

use super::api::Api;
use super::output::record;
use super::{Answer, asset, endpoints as to, loss};

/// People who leave, and the devices that they give back.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Opens a leaver case for an item.
    Open {
        /// The tag or id of the item.
        #[arg(long)]
        asset: String,
        /// Who leaves, and when.
        #[arg(long)]
        note: String,
    },
    /// Closes a case.
    Close {
        /// The case's id, or the item's tag.
        case: String,
        /// How it ended.
        #[arg(long)]
        outcome: String,
    },
    /// Lists the leaver cases.
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
            Self::Open { asset, note } => {
                api.needs_server()?;
                let body = json!({ "asset": asset::id(api, &asset).await?, "note": note });
                let case = api.call(&to::LEAVER_OPEN, &[], body).await?;
                api.print(&case, record)
            }
            Self::Close { case, outcome } => {
                let id = id(api, &case).await?;
                let closed = api.call(&to::LEAVER_CLOSE, &[&id], json!({ "outcome": outcome })).await?;
                api.print(&closed, record)
            }
            Self::List => api.list(&to::LEAVERS, &[], &[]).await,
            Self::Show { case } => {
                let id = id(api, &case).await?;
                api.show(&to::LEAVER_SHOW, &[&id]).await
            }
        }
    }
}

/// The id of a leaver case.
pub(super) async fn id(api: &Api, case: &str) -> Answer<String> {
    loss::open_case(api, case, "leaver").await
}
