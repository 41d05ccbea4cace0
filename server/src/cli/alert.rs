//! Alerts at the command line.

use clap::Subcommand;

use super::Answer;
use super::api::Api;
use super::endpoints as to;
use super::output::say;

/// What needs a person's attention.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the open alerts.
    List {
        /// Also those that ended.
        #[arg(long)]
        all: bool,
    },
    /// A person has seen to it: ends an alert. What is still wrong raises a new one.
    End {
        /// Its id.
        alert: String,
    },
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::List { all } => {
                let query: &[(&str, &str)] = if all { &[("ended", "true")] } else { &[] };
                api.list(&to::ALERTS, &[], query).await
            }
            Self::End { alert } => {
                let answer = api.get(&to::ALERT_END, &[&alert]).await?;
                api.print(&answer, |_| say("Ended. What is still wrong raises a new one."))
            }
        }
    }
}
