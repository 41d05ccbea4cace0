//! `beadle serve` as a process: logs, signals, and the words it prints for the person who starts it.

use tokio::signal::unix::{SignalKind, signal};

use crate::clock::Clock;
use crate::config::{Config, Problems};
use crate::error::{Error, Result};
use crate::serve::{self, logs};

/// Serves until SIGTERM or SIGINT; SIGHUP reads the certificate files and the log level again.
///
/// `settings` reads the settings anew each time it is called.
///
/// # Errors
/// When the server cannot start, or could not end in order.
pub async fn serve_until_told(config: Config, settings: impl Fn() -> Result<Config, Problems>) -> Result<()> {
    let level = logs::start(&config.log)?;
    let listener = |kind: SignalKind| signal(kind).map_err(Error::internal);
    let mut terminate = listener(SignalKind::terminate())?;
    let mut interrupt = listener(SignalKind::interrupt())?;
    let mut hang_up = listener(SignalKind::hangup())?;
    let running = serve::start(config, Clock::default()).await?;
    for address in &running.addresses {
        tracing::info!(%address, "listening");
    }
    if let Some(code) = &running.set_up_code {
        // Printed, not logged: logs are kept, and whoever has the code becomes the first operator.
        println!("A new installation was begun in {}.", running.app.config.data_folder.display());
        println!("Set-up code, good once: {code}");
        println!("Make the first operator with: beadle set-up");
    }
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => reload(&running, &level, &settings),
        }
    }
    tracing::info!("ending: what was begun is finished first");
    running.stop().await?;
    tracing::info!("ended");
    Ok(())
}

fn reload(running: &serve::Running, level: &logs::Level, settings: &impl Fn() -> Result<Config, Problems>) {
    let outcome = running.reload_certificate().and_then(|()| match settings() {
        Ok(config) => level.change(&config.log.level),
        Err(problems) => Err(Error::invalid("settings", problems.to_string())),
    });
    match outcome {
        Ok(()) => tracing::info!("certificate and log level read again"),
        Err(problem) => tracing::error!(%problem, "nothing, or not everything, was read again; what was in use stays"),
    }
}
