//! The anchor: the ends of the audit chains, kept outside the database so that an older database shows itself.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::data_folder::replace_private;
use crate::error::{Error, Result};
use crate::model::{Actor, Moment};
use crate::operations::audit::{self, Checkpoint};
use crate::operations::{quarantine, sign_in};
use crate::store;

/// How often it is written while the server runs.
pub(crate) const INTERVAL: Duration = Duration::from_secs(3600);

/// What the file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// When it was written.
    pub written_at: Moment,
    /// The end of every chain.
    pub checkpoints: Vec<Checkpoint>,
}

/// What the start found beside the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// An anchor.
    Anchor(Anchor),
    /// None.
    Missing,
    /// A file that is none.
    Unreadable(String),
}

fn file(app: &App) -> PathBuf {
    app.config.data_folder.join("anchor")
}

pub(crate) fn read(path: &std::path::Path) -> Result<Found> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Missing),
        Err(problem) => return Err(Error::Unavailable(format!("cannot read {}: {problem}", path.display()))),
    };
    Ok(serde_json::from_str(&text).map_or_else(|problem| Found::Unreadable(problem.to_string()), Found::Anchor))
}

/// Why the database must not be trusted with destruction, if there is a reason.
pub(crate) fn suspicion(found: &Found, has_devices: bool, differences: &[String]) -> Option<String> {
    match found {
        Found::Anchor(_) if differences.is_empty() => None,
        Found::Anchor(anchor) => Some(format!(
            "the database is not the one that the anchor of {} saw ({}): an older copy was put back, or rows were removed",
            anchor.written_at,
            differences.join("; ")
        )),
        Found::Missing | Found::Unreadable(_) if !has_devices => None,
        Found::Missing => Some(
            "this data folder has no anchor, but the database has devices already: it was moved, restored, or this is a \
             new server"
                .to_owned(),
        ),
        Found::Unreadable(problem) => Some(format!("the anchor cannot be read ({problem})")),
    }
}

/// Compares database and anchor; begins a quarantine when the database may be older than the world.
pub(crate) async fn compare(app: &App) -> Result<()> {
    let path = file(app);
    let found = read(&path)?;
    let checkpoints = match &found {
        Found::Anchor(anchor) => anchor.checkpoints.clone(),
        Found::Missing | Found::Unreadable(_) => Vec::new(),
    };
    let (has_devices, differences) = app
        .database
        .read("compare with the anchor", move |tx| {
            Ok((store::installation::has_devices(tx)?, audit::differences(tx, &checkpoints)?))
        })
        .await?;
    let Some(reason) = suspicion(&found, has_devices, &differences) else { return Ok(()) };
    tracing::error!(%reason, "quarantine begins: nothing destructive leaves until an operator ends it");
    let context = app.context(Actor::System);
    app.database
        .write("begin quarantine", move |tx| {
            quarantine::begin(tx, &context, &reason)?;
            // A database that is older than the world knows neither who was dismissed since nor what was revoked.
            sign_in::end_all(tx, context.now).map(drop)
        })
        .await?;
    // Kept as evidence; the new one would otherwise overwrite what was seen.
    if path.exists() {
        let kept = path.with_file_name(format!("anchor.distrusted-{}", app.clock.now().unix()));
        std::fs::rename(&path, &kept)
            .map_err(|problem| Error::Unavailable(format!("cannot rename {}: {problem}", path.display())))?;
    }
    Ok(())
}

/// The anchor as of now.
pub(crate) async fn current(app: &App) -> Result<Anchor> {
    let checkpoints = app.database.read("read the audit heads", audit::checkpoints).await?;
    Ok(Anchor { written_at: app.clock.now(), checkpoints })
}

/// Writes the anchor beside the database, and its gist to the log.
pub(crate) async fn write(app: &App) -> Result<()> {
    let anchor = current(app).await?;
    replace_private(&file(app), &serde_json::to_vec_pretty(&anchor)?)?;
    for checkpoint in &anchor.checkpoints {
        tracing::info!(chain = checkpoint.chain, seq = checkpoint.seq, mac = checkpoint.mac, "audit anchor");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor() -> Found {
        Found::Anchor(Anchor { written_at: Moment::from_unix(0), checkpoints: Vec::new() })
    }

    #[test]
    fn an_older_database_and_a_missing_anchor_are_suspicious() {
        assert_eq!(suspicion(&anchor(), true, &[]), None);
        assert_eq!(suspicion(&Found::Missing, false, &[]), None);
        assert_eq!(suspicion(&Found::Unreadable("x".to_owned()), false, &[]), None);
        assert!(suspicion(&anchor(), false, &["row 3 of c is missing".to_owned()]).is_some());
        assert!(suspicion(&Found::Missing, true, &[]).is_some());
        assert!(suspicion(&Found::Unreadable("x".to_owned()), true, &[]).is_some());
    }
}
