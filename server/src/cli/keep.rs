//! Running and keeping the installation: serve, settings, upgrade, backup, restore, the sealing key.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::api::Api;
use super::endpoints as to;
use super::output::{say, word};
use super::{Answer, Common, Refusal};
use crate::clock::Clock;
use crate::config;
use crate::maintenance;
use crate::process;

/// Runs the server until it is told to end.
pub(super) async fn serve(common: &Common) -> Answer {
    only_here(common, "serve")?;
    Ok(process::serve_until_told(common.settings()?, || common.settings()).await?)
}

fn only_here(common: &Common, command: &str) -> Answer {
    match common.server {
        Some(_) => {
            Err(Refusal::Usage(format!("`{command}` works on the data folder of this machine; leave --server out")))
        }
        None => Ok(()),
    }
}

/// Checks the settings without starting, and tells all that is wrong.
#[derive(Debug, Args)]
pub(crate) struct CheckConfig {
    /// Print the reference of all settings instead.
    #[arg(long)]
    reference: bool,
}

impl CheckConfig {
    pub(super) fn run(self, common: &Common) -> Answer {
        if self.reference {
            say(config::reference().trim_end());
            return Ok(());
        }
        common.settings()?;
        say("The settings are right.");
        Ok(())
    }
}

/// Tells the story of a lost phone on this computer, with the real server and simulated phones, and stays up to try by hand.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End with the story: status 0 if it ended well.
    #[arg(long)]
    exit: bool,
}

impl Demo {
    #[cfg(feature = "demo")]
    pub(super) async fn run(self) -> Answer {
        // It has said itself what went wrong.
        crate::demo::run(self.exit).await.map_err(|_| Refusal::Said("the story did not end well".to_owned()))
    }

    #[cfg(not(feature = "demo"))]
    pub(super) async fn run(self) -> Answer {
        let Self { exit: _ } = self;
        Err(Refusal::Said("this Beadle was built without the demo".to_owned()))
    }
}

/// Applies what is pending, after a backup.
pub(super) async fn migrate(common: &Common) -> Answer {
    only_here(common, "migrate")?;
    let done = maintenance::migrate(common.settings()?, Clock::default()).await?;
    match &done.backup {
        Some(copy) => say(format!("The database was copied to {} and brought up to date.", copy.display())),
        None => say("The database is up to date."),
    }
    if let Some(code) = &done.set_up_code {
        say("A new installation was begun. Make the first operator with: beadle set-up");
        say(format!("Set-up code, good once: {code}"));
    }
    Ok(())
}

/// Makes the set-up code again.
pub(super) async fn set_up_code(api: &Api) -> Answer {
    let made = api.get(&to::SET_UP_CODE, &[]).await?;
    api.print(&made, |made| say(format!("Set-up code, good once: {}", word(made, "code"))))
}

/// Writes everything to one new file, also while the server runs.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to make; a dated one in the data folder unless given.
    file: Option<PathBuf>,
    /// Put the sealing key into the file too. Whoever has such a file has everything; without it, keep the key elsewhere.
    #[arg(long)]
    with_key: bool,
}

impl Backup {
    pub(super) async fn run(self, api: &Api) -> Answer {
        if api.common.server.is_some() {
            return only_here(&api.common, "backup");
        }
        // The server writes the file, and its folder is not ours.
        let file = self.file.map(std::path::absolute).transpose().map_err(Refusal::said)?;
        let body = json!({ "file": file, "with_key": self.with_key });
        let done = api.call(&to::BACKUP, &[], body).await?;
        api.print(&done, |done| {
            say(format!("Wrote {} rows to {}.", word(done, "rows"), word(done, "file")));
            if !self.with_key {
                say("It can be restored only with the sealing key, which is not in it: keep a copy of that file elsewhere.");
            }
        })
    }
}

/// Puts a backup in the place of what is there. Nothing destructive leaves afterwards until `beadle quarantine end`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The file.
    file: PathBuf,
    /// The sealing key's file, when neither the data folder nor the backup has it.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Replace what is in the database; a copy of it is kept.
    #[arg(long)]
    replace: bool,
}

impl Restore {
    pub(super) async fn run(self, common: &Common) -> Answer {
        only_here(common, "restore")?;
        let how = maintenance::Restore { file: self.file, key: self.key, replace: self.replace };
        let done = maintenance::restore(common.settings()?, Clock::default(), how).await?;
        if common.json {
            super::output::json(&serde_json::to_value(&done).map_err(Refusal::said)?)?;
        } else {
            say(format!("Restored {} rows.", done.rows));
            if let Some(copy) = &done.copy {
                say(format!("What was there before is kept in {}.", copy.display()));
            }
            say(format!(
                "{} sign-ins and {} tokens of the backup were ended. Go through the operators (`beadle operator list`, for \
                 each council and with --provider): whoever was ended, reset or given another role since the backup is as \
                 before. End again who has left.",
                done.sessions_ended, done.tokens_revoked
            ));
            say("Nothing destructive leaves until the open orders were gone through: `beadle quarantine show`.");
        }
        if done.problems.is_empty() {
            return Ok(());
        }
        Err(Refusal::Said(format!("the restored audit trail is not whole: {}", done.problems.join("; "))))
    }
}

/// The key that seals secrets in the database.
#[derive(Debug, Subcommand)]
pub(crate) enum Seal {
    /// Makes a new sealing key and seals everything under it anew. Copy the key file afterwards.
    Rotate {
        /// Go on where an interrupted rotation stopped.
        #[arg(long)]
        resume: bool,
        /// Take the old keys out of the key file. Backups made before need them: keep the old copy of the file.
        #[arg(long, conflicts_with = "resume")]
        retire_old: bool,
    },
}

impl Seal {
    pub(super) async fn run(self, api: &Api) -> Answer {
        let Self::Rotate { resume, retire_old } = self;
        let step = match (resume, retire_old) {
            (true, _) => "resume",
            (_, true) => "retire_old",
            _ => "new_key",
        };
        let rotated = api.call(&to::SEAL_ROTATION, &[], json!({ "step": step })).await?;
        api.print(&rotated, |rotated| {
            say(format!(
                "{} secrets were sealed anew under the key {}.",
                word(rotated, "resealed"),
                word(rotated, "key_id")
            ));
            match retire_old {
                true => say(format!("{} old keys were taken out of the key file.", word(rotated, "retired"))),
                false => say("Copy the key file to where you keep it; then `beadle seal rotate --retire-old`."),
            }
        })
    }
}
