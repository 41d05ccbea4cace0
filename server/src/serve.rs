//! Runs the server: its doors to the world and to the command line, its jobs, and an end that loses nothing.

mod doors;
mod health;
pub mod logs;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use tokio::task::JoinHandle;

use crate::anchor;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, TlsMode};
use crate::error::{Error, Result};
use crate::installation::{Installation, Schema};
use crate::jobs::{self, Workers};
use crate::sightings::Noting;
use health::Health;

/// Which doors are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doors {
    /// The public addresses and the control socket; jobs run.
    All,
    /// The control socket alone, for one command of the command line; no jobs.
    Control,
}

/// A running server. Ends in order through `stop`; dropping it leaves that to the process's end.
#[derive(Debug)]
pub struct Running {
    /// Database, keys, clock and settings.
    pub app: App,
    /// The public addresses, with the ports that port 0 became.
    pub addresses: Vec<SocketAddr>,
    /// The code for `beadle set-up`, when this was the first start.
    pub set_up_code: Option<String>,
    installation: Installation,
    health: Arc<Health>,
    tls: Option<tls::Certificate>,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    anchoring: JoinHandle<()>,
    noting: Noting,
    workers: Option<Workers>,
}

/// Opens the installation that `config` describes and serves it.
///
/// # Errors
/// When the installation cannot be opened, or an address, certificate or socket cannot be used.
pub async fn start(config: Config, clock: Clock) -> Result<Running> {
    serve(Installation::open(config, clock, Schema::Migrate).await?, Doors::All).await
}

/// Serves an installation that is open already.
pub async fn serve(installation: Installation, doors: Doors) -> Result<Running> {
    let app = installation.app.clone();
    let health = Arc::new(Health::new(app.clone()));
    let tls = match (doors, app.config.tls.mode) {
        (Doors::Control, _) | (Doors::All, TlsMode::Proxy) => None,
        (Doors::All, TlsMode::Files | TlsMode::SelfSigned) => Some(tls::Certificate::load(&app)?),
    };
    let opened = doors::open(&app, &health, doors, tls.as_ref())?;
    let handle = opened.server.handle();
    let server = tokio::spawn(opened.server);
    let anchoring = tokio::spawn(anchor_hourly(app.clone()));
    let noting = Noting::start(app.clone());
    let workers = match doors {
        Doors::All => Some(jobs::start(app.clone())?),
        Doors::Control => None,
    };
    Ok(Running {
        set_up_code: installation.set_up_code.clone(),
        addresses: opened.addresses,
        app,
        installation,
        health,
        tls,
        handle,
        server,
        anchoring,
        noting,
        workers,
    })
}

async fn anchor_hourly(app: App) {
    loop {
        tokio::time::sleep(anchor::INTERVAL).await;
        if let Err(problem) = anchor::write(&app).await {
            tracing::error!(%problem, "the anchor of the audit trail could not be written");
        }
    }
}

impl Running {
    /// The address under which a browser on this machine reaches the server.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let address = self.addresses.first().map_or_else(String::new, |address| match address.ip() {
            ip if ip.is_unspecified() || ip.is_loopback() => format!("localhost:{}", address.port()),
            _ => address.to_string(),
        });
        format!("{scheme}://{address}")
    }

    /// Reads the certificate files again; what is open keeps the old one.
    ///
    /// # Errors
    /// When the new files are wrong; the old certificate stays.
    pub fn reload_certificate(&self) -> Result<()> {
        match &self.tls {
            Some(certificate) => certificate.reload(&self.app),
            None => Ok(()),
        }
    }

    /// Ends in order: not ready, no new connections, handlers drained, jobs ended, writer drained, anchor written.
    ///
    /// # Errors
    /// When something could not be brought to its end; nothing that was acknowledged is lost all the same.
    pub async fn stop(self) -> Result<()> {
        self.health.shut_down();
        // A graceful stop of actix would wait for idle keep-alive connections too, which phones hold open; so: accept no
        // more, let what is being answered end, then close the connections.
        self.handle.pause().await;
        self.health.drained(DRAIN).await;
        self.handle.stop(false).await;
        let served = self.server.await.map_err(Error::internal)?;
        self.anchoring.abort();
        self.noting.stop().await;
        if let Some(workers) = self.workers {
            workers.stop().await;
        }
        let socket = self.app.config.control_socket();
        if socket.exists() {
            std::fs::remove_file(&socket)
                .map_err(|problem| Error::Unavailable(format!("cannot remove {}: {problem}", socket.display())))?;
        }
        self.installation.close().await?;
        served.map_err(|problem| Error::Unavailable(format!("the web server ended badly: {problem}")))
    }
}

/// How long open requests may take to end.
const DRAIN: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
