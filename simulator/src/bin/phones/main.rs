//! `beadle-phones`: simulated phones from the command line, for load and kill tests against a server in another process.

mod enrol;
mod load;
mod scep;
mod visits;

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
    /// Makes SCEP requests from invitation links, and sends them when told to by a line on standard input.
    Scep(scep::Scep),
    /// Visits once as each enrolled phone, for every line on standard input.
    Visits(visits::Visits),
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let done = match Arguments::parse().command {
        Command::Enrol(arguments) => enrol::enrol(arguments).await,
        Command::Load(arguments) => load::load(arguments).await,
        Command::Scep(arguments) => scep::scep(arguments).await,
        Command::Visits(arguments) => visits::visits(arguments).await,
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

/// A client of its own makes a connection of its own, which is kept open.
fn client(root_ca: Option<&std::path::Path>) -> Outcome<reqwest::Client> {
    let mut builder = reqwest::Client::builder().no_proxy().http1_only().timeout(Duration::from_secs(30));
    if let Some(file) = root_ca {
        builder = builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(&std::fs::read(file)?)?);
    }
    Ok(builder.build()?)
}

/// Shares things out in turn.
fn shares<T>(things: Vec<T>, count: usize) -> Vec<Vec<T>> {
    let count = count.clamp(1, things.len().max(1));
    let mut shares: Vec<Vec<T>> = (0..count).map(|_| Vec::new()).collect();
    for (index, thing) in things.into_iter().enumerate() {
        if let Some(share) = shares.get_mut(index % count) {
            share.push(thing);
        }
    }
    shares
}

/// Says a line to whoever drives this program, now.
fn say(line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn print_latency(times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
    if let (Some(middle), Some(slow), Some(slowest)) = (at(50), at(99), times.last()) {
        println!("latency: median {middle:.2?}, 99th percentile {slow:.2?}, slowest {slowest:.2?}");
    }
}
