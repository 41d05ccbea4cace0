//! The command line: keeps the installation, and is a thin client of the JSON API for everything else.

mod account;
mod alert;
mod api;
mod apple;
mod asset;
mod audit;
mod cap;
mod commands;
mod connect;
mod council;
mod device;
mod duration;
mod endpoints;
mod google;
mod hold;
mod invitation;
mod keep;
mod leaver;
mod loss;
mod operator;
mod order;
mod output;
mod person;
mod policy;
mod prompt;
mod qr;
mod quarantine;
#[cfg(test)]
mod reference;
mod session;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};

use crate::config::{Config, Problems, Sources, load};
use crate::error::Error;
use commands::Command;

/// Keeps a council's phones and tablets in order.
#[derive(Debug, Parser)]
#[command(
    name = "beadle",
    version,
    arg_required_else_help = true,
    after_help = "Exit status: 0 done, 1 refused or failed (the reason is on standard error), 2 wrong usage.\n\
                  Settings of the server: `beadle check-config --reference`."
)]
pub(crate) struct Cli {
    /// What concerns every command.
    #[command(flatten)]
    pub(crate) common: Common,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What concerns every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Common {
    /// The settings file; beadle.toml in this folder unless given.
    #[arg(long, env = "BEADLE_CONFIG", hide_env_values = true, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The data folder; the same as --set data_folder=FOLDER.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) data_folder: Option<PathBuf>,
    /// A setting, such as --set listen=0.0.0.0:443; may be given several times.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
    /// Ask this server over HTTPS, with the sign-in of `beadle login`, instead of the one on this machine.
    #[arg(long, env = "BEADLE_SERVER", hide_env_values = true, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// PEM file with a certificate to trust for --server, beside the system's.
    #[arg(long, env = "BEADLE_CA", hide_env_values = true, global = true, value_name = "FILE")]
    pub(crate) root_ca: Option<PathBuf>,
    /// The council, by short name or id; needed only where there are several.
    #[arg(long, short = 'c', env = "BEADLE_COUNCIL", hide_env_values = true, global = true, value_name = "SLUG")]
    pub(crate) council: Option<String>,
    /// Print the API's JSON as it is.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not use the sign-in that is kept: act as the owner of the data folder, who can set up and read.
    #[arg(long, global = true, conflicts_with = "server")]
    pub(crate) without_sign_in: bool,
    /// Confirm password and code again if the server asks for it, also where standard input is no terminal.
    #[arg(long, global = true)]
    pub(crate) confirm: bool,
    /// Read passwords from standard input, one a line, instead of asking for them.
    #[arg(long, global = true)]
    pub(crate) password_stdin: bool,
    /// The code of the authenticator app, for scripts.
    #[arg(long, global = true, value_name = "CODE")]
    pub(crate) totp: Option<String>,
}

/// The text of a file that the command names.
fn read_file(file: &std::path::Path) -> Answer<String> {
    std::fs::read_to_string(file).map_err(|problem| Refusal::Said(format!("cannot read {}: {problem}", file.display())))
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE".to_owned()),
    }
}

impl Common {
    /// The settings from file, variables and flags.
    pub(crate) fn settings(&self) -> Result<Config, Problems> {
        let mut flags = self.set.clone();
        if let Some(folder) = &self.data_folder {
            flags.push(("data_folder".to_owned(), folder.display().to_string()));
        }
        load(&Sources::of_process(self.config.clone(), flags))
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] Problems),
    /// The server, or this program, said no.
    #[error("{0}")]
    Said(String),
    /// The command was not well put.
    #[error("{0}")]
    Usage(String),
}

impl Refusal {
    fn said(problem: impl std::fmt::Display) -> Self {
        Self::Said(problem.to_string())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Said(error.to_string())
    }
}

/// What a command returns.
pub(crate) type Answer<T = ()> = Result<T, Refusal>;

/// Runs the program: reads the command, does it, and tells on standard error why it could not.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(problem) => return told(&Refusal::Said(format!("cannot start: {problem}"))),
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => told(&refusal),
    }
}

fn told(refusal: &Refusal) -> ExitCode {
    eprintln!("beadle: {refusal}");
    match refusal {
        Refusal::Usage(_) => ExitCode::from(2),
        Refusal::Settings(_) | Refusal::Said(_) => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests;
