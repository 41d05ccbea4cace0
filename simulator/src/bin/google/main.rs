//! `beadle-google`: Google and its phones as a program of their own, for load and kill tests against a server in another process.
//!
//! The server is given the key file and the two addresses; a test drives everything else through the control address, with JSON over
//! HTTP. `GET /` there says what it can do.

mod control;
mod fleet;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use beadle_simulator::Clock;
use beadle_simulator::android::cloud::{CloudOptions, GoogleCloud, RandomFaults, serve};
use clap::Parser;

use control::Control;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Parser)]
#[command(name = "beadle-google", about = "Google and its phones for load and kill tests")]
struct Arguments {
    /// Where tokens and the Android Management API are served (the server's google.api_url)
    #[arg(long, default_value = "127.0.0.1:9301")]
    api: SocketAddr,
    /// Where Pub/Sub is served (the server's google.pubsub_url)
    #[arg(long, default_value = "127.0.0.1:9302")]
    pubsub: SocketAddr,
    /// Where this program is driven from
    #[arg(long, default_value = "127.0.0.1:9303")]
    control: SocketAddr,
    /// The id of the Google Cloud project
    #[arg(long, default_value = "beadle-stand-in")]
    project: String,
    /// Where the service account's key file is written
    #[arg(long, default_value = "google-key.json")]
    key_file: PathBuf,
    /// How long phones take to answer, in milliseconds
    #[arg(long, default_value_t = 20)]
    answer_ms: u64,
    /// Let calls go wrong at random from the start, with this seed
    #[arg(long)]
    bad_day: Option<u64>,
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("beadle-google: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Outcome<()> {
    let options = CloudOptions {
        clock: Clock::system(),
        api: arguments.api,
        pubsub: arguments.pubsub,
        project: arguments.project,
    };
    let cloud = GoogleCloud::start_with(options).await?;
    std::fs::write(&arguments.key_file, cloud.service_account_key())?;
    cloud.set_random_faults(arguments.bad_day.map(RandomFaults::bad_day));
    let listener = tokio::net::TcpListener::bind(arguments.control).await?;
    println!("api {}", cloud.api_url());
    println!("pubsub {}", cloud.pubsub_url());
    println!("control http://{}", listener.local_addr()?);
    println!("key {}", arguments.key_file.display());
    let control = Arc::new(Control::new(cloud, std::time::Duration::from_millis(arguments.answer_ms)));
    let handler = move |request| {
        let control = Arc::clone(&control);
        async move { control.answer(&request) }
    };
    tokio::select! {
        () = serve(listener, Arc::new(handler)) => Ok(()),
        stopped = tokio::signal::ctrl_c() => Ok(stopped?),
    }
}
