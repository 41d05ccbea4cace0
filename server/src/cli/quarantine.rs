//! Quarantine after a restore, at the command line.

use clap::Subcommand;

use super::Answer;
use super::api::Api;
use super::endpoints as to;
use super::output::{record, say};

/// Quarantine: after a restore nothing destructive leaves until the open orders were gone through.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows whether it is on, and which orders must be cancelled or confirmed to stand.
    Show,
    /// Ends it, once every order was cancelled or resumed.
    End,
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::Show => api.show(&to::QUARANTINE, &[]).await,
            Self::End => {
                let answer = api.get(&to::QUARANTINE_END, &[]).await?;
                api.print(&answer, |answer| {
                    record(answer);
                    say("Orders that stand may leave again.");
                })
            }
        }
    }
}
