//! Google at the command line: connecting the installation's project and a council, for Android phones.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::api::Api;
use super::output::{record, say, word};
use super::{Answer, Refusal, endpoints as to, qr};

/// Google, through which Android phones are managed.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Connects a council to Google: prints the address of Google's sign-up page. With a key file, connects the installation's
    /// project first.
    Connect {
        /// The key file of the project's service account, as Google's console gave it. It is kept sealed and never shown again.
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// Connect the project only, and no council.
        #[arg(long, requires = "key_file")]
        project_only: bool,
    },
    /// Shows the council's connection, and what Google has of its policy.
    Status,
    /// Ends the council's connection. Refused while Android phones are enrolled; the enterprise stays at Google.
    Disconnect,
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::Connect { key_file, project_only } => {
                if let Some(file) = key_file {
                    let text = std::fs::read_to_string(&file).map_err(|problem| {
                        Refusal::Said(format!("cannot read the key file {}: {problem}", file.display()))
                    })?;
                    let answer = api.call(&to::GOOGLE_PROJECT, &[], json!({ "key_file": text })).await?;
                    say(format!("Google accepted the key: project {}.", word(&answer, "project")));
                    if project_only {
                        return Ok(());
                    }
                }
                let answer = api.call(&to::GOOGLE_SIGN_UP, &[], json!({})).await?;
                api.print(&answer, |answer| {
                    let url = word(answer, "url");
                    qr::show(&url);
                    say(&url);
                    say(word(answer, "what_next"));
                })
            }
            Self::Status => {
                let answer = api.get(&to::GOOGLE_STATUS, &[]).await?;
                api.print(&answer, record)
            }
            Self::Disconnect => {
                let answer = api.get(&to::GOOGLE_DISCONNECT, &[]).await?;
                api.print(&answer, |_| say("Disconnected. The enterprise stays at Google, in the hands of its owner."))
            }
        }
    }
}
