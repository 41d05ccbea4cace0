//! `beadle-phones`: simulated phones from the command line, for load and kill tests against a server in another process.

mod enrol;
mod load;

use std::time::Duration;

use clap::{Parser, Subcommand};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Parser)]
#[command(name = "beadle-phones", about = "Simulated iPhones for load and kill tests")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Enrols phones through invitation links and writes their identities down.
    Enrol(enrol::Enrol),
    /// Polls as enrolled phones and reports operations per second.
    Load(load::Load),
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let done = match Arguments::parse().command {
        Command::Enrol(arguments) => enrol::enrol(arguments).await,
        Command::Load(arguments) => load::load(arguments).await,
    };
    match done {
        Ok(true) => std::process::ExitCode::SUCCESS,
        Ok(false) => std::process::ExitCode::FAILURE,
        Err(error) => {
            eprintln!("beadle-phones: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn print_latency(times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
    if let (Some(middle), Some(slow), Some(slowest)) = (at(50), at(99), times.last()) {
        println!("latency: median {middle:.2?}, 99th percentile {slow:.2?}, slowest {slowest:.2?}");
    }
}
