//! Legal holds at the command line.

use clap::Subcommand;
use serde_json::json;

use super::api::Api;
use super::output::{record, say};
use super::{Answer, device, endpoints as to};

/// Legal holds: a device under one is not erased.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Puts a device under a hold. Its approved orders wait at once.
    Add {
        /// The tag of its item on the register, or its id.
        #[arg(long)]
        device: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Ends a hold. Orders that it held wait to be resumed or cancelled.
    End {
        /// Its id.
        hold: String,
    },
    /// Lists the holds, also those that ended.
    List,
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::Add { device, reason } => {
                api.needs_server()?;
                let body = json!({ "device": device::id(api, &device).await?, "reason": reason });
                let hold = api.call(&to::HOLD_ADD, &[], body).await?;
                api.print(&hold, record)
            }
            Self::End { hold } => {
                let hold = api.get(&to::HOLD_END, &[&hold]).await?;
                api.print(&hold, |_| say("The hold has ended. Orders that it held wait to be resumed or cancelled."))
            }
            Self::List => api.list(&to::HOLDS, &[], &[]).await,
        }
    }
}
