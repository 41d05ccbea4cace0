//! Caps on orders, and frozen orders, at the command line.

use clap::{Args, Subcommand};
use serde_json::json;

use super::Answer;
use super::api::Api;
use super::endpoints as to;
use super::output::{record, say};

/// Whose caps are meant.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Whose {
    /// The caps of the whole installation instead of a council's.
    #[arg(long)]
    installation: bool,
}

impl Whose {
    fn one(self, council: &'static to::Endpoint, all: &'static to::Endpoint) -> &'static to::Endpoint {
        if self.installation { all } else { council }
    }
}

/// How many orders may be approved in a time; over it, orders freeze.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the caps, what counts against them, and whether orders are frozen.
    Show {
        #[command(flatten)]
        whose: Whose,
    },
    /// Changes the caps: lowering counts at once; raising needs a second person, and then 24 hours.
    Raise {
        #[command(flatten)]
        whose: Whose,
        /// How many an hour.
        #[arg(long, required_unless_present = "approve")]
        per_hour: Option<i64>,
        /// How many a day.
        #[arg(long, required_unless_present = "approve")]
        per_day: Option<i64>,
        /// As the second person, agrees to the raise that was asked for.
        #[arg(long, conflicts_with_all = ["per_hour", "per_day"])]
        approve: bool,
    },
    /// Thaws frozen orders: the first person asks, the second agrees.
    Thaw {
        #[command(flatten)]
        whose: Whose,
    },
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::Show { whose } => api.show(whose.one(&to::CAPS, &to::CAPS_ALL), &[]).await,
            Self::Raise { whose, approve: true, .. } => {
                let caps = api.get(whose.one(&to::CAP_APPROVE, &to::CAP_APPROVE_ALL), &[]).await?;
                api.print(&caps, |caps| {
                    record(caps);
                    say("The raise counts 24 hours after it was agreed.");
                })
            }
            Self::Raise { whose, per_hour, per_day, approve: false } => {
                let body = json!({ "per_hour": per_hour, "per_day": per_day });
                let caps = api.call(whose.one(&to::CAP_RAISE, &to::CAP_RAISE_ALL), &[], body).await?;
                api.print(&caps, |caps| {
                    record(caps);
                    if caps.get("pending_raise").is_some_and(|raise| !raise.is_null()) {
                        say("A second person must agree: `beadle cap raise --approve`. It counts 24 hours later.");
                    }
                })
            }
            Self::Thaw { whose } => {
                let caps = api.get(whose.one(&to::CAP_THAW, &to::CAP_THAW_ALL), &[]).await?;
                api.print(&caps, |caps| {
                    record(caps);
                    say(if caps.get("freeze").is_some_and(|freeze| !freeze.is_null()) {
                        "Asked for. A second person must agree with the same command."
                    } else {
                        "Thawed. Held orders wait to be resumed one by one: `beadle order resume`."
                    });
                })
            }
        }
    }
}
