//! The program `beadle`.

use std::path::PathBuf;
use std::process::ExitCode;

use beadle_server::config::{self, Config, Problems, Sources};
use beadle_server::process;
use clap::{Parser, Subcommand};

/// Keeps a council's phones and tablets in order.
#[derive(Debug, Parser)]
#[command(name = "beadle", version)]
struct Cli {
    /// The settings file; beadle.toml in this folder unless given.
    #[arg(long, env = "BEADLE_CONFIG", global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A setting, such as --set listen=0.0.0.0:443; may be given several times.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve,
    /// Check the settings without starting.
    CheckConfig {
        /// Print the reference of all settings instead.
        #[arg(long)]
        reference: bool,
    },
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE".to_owned()),
    }
}

impl Cli {
    fn settings(&self) -> Result<Config, Problems> {
        config::load(&Sources::of_process(self.config.clone(), self.set.clone()))
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match &cli.command {
        Command::CheckConfig { reference: true } => {
            print!("{}", config::reference());
            ExitCode::SUCCESS
        }
        Command::CheckConfig { reference: false } => match cli.settings() {
            Ok(_) => {
                println!("The settings are right.");
                ExitCode::SUCCESS
            }
            Err(problems) => refused(&problems),
        },
        Command::Serve => {
            let config = match cli.settings() {
                Ok(config) => config,
                Err(problems) => return refused(&problems),
            };
            match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
                Ok(runtime) => match runtime.block_on(process::serve_until_told(config, || cli.settings())) {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(problem) => refused(&problem),
                },
                Err(problem) => refused(&problem),
            }
        }
    }
}

fn refused(problem: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("beadle: {problem}");
    ExitCode::FAILURE
}
