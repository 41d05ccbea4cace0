//! Finds the server of a command: the one that runs on this machine, one over HTTPS, or one of its own for one request.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use reqwest::{Client, ClientBuilder};

use super::api::Api;
use super::{Answer, Common, Refusal, session};
use crate::clock::Clock;
use crate::config::Config;
use crate::data_folder::{DataFolder, LockProblem};
use crate::installation::{Installation, Schema, nothing_in};
use crate::serve::{Doors, Running, serve};

/// How long a command waits for an answer; exporting and verifying read much.
const PATIENCE: Duration = Duration::from_secs(600);

fn client() -> ClientBuilder {
    Client::builder().timeout(PATIENCE).no_proxy().user_agent(concat!("beadle/", env!("CARGO_PKG_VERSION")))
}

/// Finds the server.
pub(super) async fn connect(common: &Common) -> Answer<Api> {
    match &common.server {
        Some(server) => far(common, server),
        None => near(common).await,
    }
}

fn far(common: &Common, server: &str) -> Answer<Api> {
    let base = server.trim_end_matches('/').to_owned();
    if !base.starts_with("https://") {
        return Err(Refusal::Usage("--server must be an https:// address".to_owned()));
    }
    let mut builder = client();
    if let Some(file) = &common.root_ca {
        let told = |problem: &dyn std::fmt::Display| Refusal::Said(format!("{}: {problem}", file.display()));
        let pem = std::fs::read(file).map_err(|problem| told(&problem))?;
        let roots = reqwest::Certificate::from_pem_bundle(&pem).map_err(|problem| told(&problem))?;
        builder = builder.tls_certs_merge(roots);
    }
    let client = builder.build().map_err(Refusal::said)?;
    let file = session::file(None, &base);
    Api::new(common, client, base.clone(), base, file, None)
}

async fn near(common: &Common) -> Answer<Api> {
    let config = common.settings()?;
    let folder = config.data_folder.clone();
    let own = own_server(&config).await?;
    let client = client().unix_socket(config.control_socket()).build().map_err(Refusal::said)?;
    let file = session::file(Some(&folder), "");
    Api::new(common, client, "http://localhost".to_owned(), folder.display().to_string(), file, own)
}

/// `None` when a server runs on the data folder and answers; otherwise one of our own.
///
/// Between the two lies the moment in which a server starts or ends, so it is tried for a while.
async fn own_server(config: &Config) -> Answer<Option<Running>> {
    if !config.data_folder.exists() {
        return Err(nothing_in(config).into());
    }
    let mut tries = 0;
    loop {
        match DataFolder::own(&config.data_folder) {
            Ok(folder) => return on_our_own(folder, config.clone()).await.map(Some),
            Err(LockProblem::Taken(_)) if answers(&config.control_socket()) => return Ok(None),
            Err(LockProblem::Taken(_)) if tries < 50 => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(problem) => return Err(crate::Error::from(problem).into()),
        }
    }
}

fn answers(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

/// Starts a server for this one command: no public door, no jobs. It begins no installation: only `serve`, `migrate` and
/// `restore` do.
async fn on_our_own(folder: DataFolder, config: Config) -> Answer<Running> {
    let installation = Installation::open_owned(folder, config, Clock::default(), Schema::MustBeCurrent).await?;
    Ok(serve(installation, Doors::Control).await?)
}
