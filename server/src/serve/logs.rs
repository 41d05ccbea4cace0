//! Structured logs on standard error, at a level that can be changed while the server runs.

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use crate::config::{LogFormat, LogSettings};
use crate::error::{Error, Result};

/// Changes the level of the running log.
#[derive(Clone, Debug)]
pub struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// From now on, log what `level` says.
    ///
    /// # Errors
    /// When it is no level; the old one stays.
    pub fn change(&self, level: &str) -> Result<()> {
        self.0.reload(filter(level)?).map_err(Error::internal)
    }
}

fn filter(level: &str) -> Result<EnvFilter> {
    EnvFilter::try_new(level).map_err(|problem| Error::invalid("log.level", problem.to_string()))
}

/// Starts the process's log.
///
/// # Errors
/// When the level is none, or a log was started already.
pub fn start(settings: &LogSettings) -> Result<Level> {
    let (filter, handle) = reload::Layer::new(filter(&settings.level)?);
    let registry = tracing_subscriber::registry().with(filter);
    match settings.format {
        LogFormat::Text => registry.with(fmt::layer().with_writer(std::io::stderr)).try_init(),
        LogFormat::Json => registry.with(fmt::layer().json().with_writer(std::io::stderr)).try_init(),
    }
    .map_err(Error::internal)?;
    Ok(Level(handle))
}
