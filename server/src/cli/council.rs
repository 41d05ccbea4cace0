//! Councils at the command line.

use clap::Subcommand;
use serde_json::json;

use super::Answer;
use super::api::Api;
use super::endpoints as to;
use super::output::{record, say, word};

/// Councils: each has its own devices, people, policy and public address.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Adds a council, with its certificate authority, policy and audit trail.
    Add {
        /// Its name, as it signs letters: "Germoe Parish Council".
        #[arg(long)]
        name: String,
        /// Its short name for this command line and for URLs: small letters, digits, hyphens.
        #[arg(long)]
        slug: String,
        /// Its own https address, which its devices can never be told to change.
        #[arg(long, value_name = "URL")]
        public_url: String,
        /// Its time zone; Europe/London unless given.
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
        /// The policy to start from (`beadle policy presets`); council-template unless given.
        #[arg(long)]
        preset: Option<String>,
    },
    /// Lists the councils.
    List,
    /// Shows a council and how much there is of it.
    Show {
        /// Its short name or id; the only one unless given.
        council: Option<String>,
    },
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::Add { name, slug, public_url, time_zone, preset } => {
                let body = json!({
                    "name": name, "slug": slug, "public_url": public_url, "time_zone": time_zone, "preset": preset,
                });
                let council = api.call(&to::COUNCIL_ADD, &[], body).await?;
                api.print(&council, |council| {
                    say(format!("Added {} ({}).", word(council, "name"), word(council, "slug")));
                    say("Next: `beadle operator add` for the clerk and the approver, `beadle apple push-csr` for its push certificate.");
                })
            }
            Self::List => api.list(&to::COUNCILS, &[], &[]).await,
            Self::Show { council } => {
                let council = match council {
                    Some(council) => council,
                    None => api.council().await?,
                };
                let council = api.get(&to::COUNCIL_SHOW, &[&council]).await?;
                api.print(&council, record)
            }
        }
    }
}
