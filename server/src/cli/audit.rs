//! The audit trail at the command line.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::api::Api;
use super::endpoints as to;
use super::output::{plain, say, word};
use super::{Answer, Refusal};

/// Whose trail is meant.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Whose {
    /// The installation's, and for `verify` every council's too.
    #[arg(long)]
    installation: bool,
}

/// The audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Checks the whole chain; with a checkpoint kept elsewhere also that its tail was not cut off.
    Verify {
        /// A file with checkpoints, as `audit checkpoints` or the anchor in the data folder has them.
        #[arg(long, value_name = "FILE")]
        anchor: Option<PathBuf>,
        #[command(flatten)]
        whose: Whose,
    },
    /// Writes the trail, one row of JSON a line, oldest first.
    Export {
        /// The file to write; standard output unless given.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        whose: Whose,
    },
    /// Prints the ends of all chains; keep them away from this machine.
    Checkpoints,
}

impl Command {
    pub(super) async fn run(self, api: &Api) -> Answer {
        match self {
            Self::Verify { anchor, whose } => {
                let checkpoints = anchor.as_deref().map(read_checkpoints).transpose()?;
                let endpoint = if whose.installation { &to::AUDIT_VERIFY_ALL } else { &to::AUDIT_VERIFY };
                let verified = api.call(endpoint, &[], json!({ "checkpoints": checkpoints })).await?;
                api.print(&verified, tell)?;
                match verified.get("whole").and_then(Value::as_bool) {
                    Some(true) => Ok(()),
                    _ => Err(Refusal::Said("the audit trail is not whole".to_owned())),
                }
            }
            Self::Export { out, whose } => {
                let endpoint = if whose.installation { &to::AUDIT_ALL } else { &to::AUDIT };
                let mut lines: Box<dyn std::io::Write> =
                    match &out {
                        None => Box::new(std::io::stdout()),
                        Some(file) => Box::new(BufWriter::new(
                            OpenOptions::new().write(true).create_new(true).open(file).map_err(|problem| {
                                Refusal::Said(format!("cannot make {}: {problem}", file.display()))
                            })?,
                        )),
                    };
                let mut count = 0;
                api.pages(endpoint, &[], &[], |rows| {
                    count += rows.len();
                    rows.iter().try_for_each(|row| writeln!(lines, "{row}")).map_err(Refusal::said)
                })
                .await?;
                lines.flush().map_err(Refusal::said)?;
                if let Some(file) = out {
                    say(format!("Wrote {count} rows to {}.", file.display()));
                }
                Ok(())
            }
            Self::Checkpoints => {
                let checkpoints = api.get(&to::CHECKPOINTS, &[]).await?;
                super::output::json(&checkpoints)
            }
        }
    }
}

/// Checkpoints as the API gives them, or the anchor of a data folder: both keep them in a field of that name.
fn read_checkpoints(file: &Path) -> Answer<Value> {
    let wrong = || Refusal::Said(format!("{} holds no checkpoints", file.display()));
    let content: Value = serde_json::from_str(&super::read_file(file)?).map_err(|_| wrong())?;
    match content.get("checkpoints").unwrap_or(&content) {
        Value::Array(checkpoints) => Ok(Value::Array(checkpoints.clone())),
        _ => Err(wrong()),
    }
}

fn tell(verified: &Value) {
    for chain in verified.get("chains").and_then(Value::as_array).into_iter().flatten() {
        let problems = chain.get("problems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let state = if problems.is_empty() { "whole" } else { "NOT whole" };
        say(format!(
            "{}: {state}; {} rows checked, the last of {}; details of {} purged by retention",
            word(chain, "chain"),
            word(chain, "rows"),
            word(chain, "last_at"),
            word(chain, "purged"),
        ));
        problems.iter().for_each(|problem| say(format!("  {}", plain(problem))));
    }
}
