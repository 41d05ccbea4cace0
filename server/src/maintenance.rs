//! Keeping an installation: migrating, backing up, restoring, exchanging the sealing key.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::anchor;
use crate::app::App;
use crate::backup::{self, Done};
use crate::clock::Clock;
use crate::config::Config;
use crate::data_folder::{DataFolder, create_private, replace_private};
use crate::error::{Error, Result};
use crate::installation::{Installation, Schema, make_database_file};
use crate::model::{Actor, Permission};
use crate::operations::{Context, audit, installation as operation, quarantine, sign_in};
use crate::sealing::Sealer;
use crate::store::{self, Database};

/// What an upgrade did.
#[derive(Clone, Debug, Default)]
pub struct Migrated {
    /// The copy that was taken before, if anything had to be done.
    pub backup: Option<PathBuf>,
    /// The code for `beadle set-up`, where this made the installation.
    pub set_up_code: Option<String>,
}

/// Brings the database up to date; makes the installation where there is none.
pub async fn migrate(config: Config, clock: Clock) -> Result<Migrated> {
    let installation = Installation::open(config, clock, Schema::Migrate).await?;
    let done = Migrated { backup: installation.backup.clone(), set_up_code: installation.set_up_code.clone() };
    installation.close().await?;
    Ok(done)
}

/// Where a backup goes unless told otherwise.
#[must_use]
pub fn default_backup_file(app: &App) -> PathBuf {
    let name = format!("beadle-{}.backup", app.clock.now().utc().format("%Y%m%dT%H%M%SZ"));
    app.config.data_folder.join("backups").join(name)
}

/// Writes a backup to a new file while the server goes on.
///
/// # Errors
/// `Conflict` while the sealing key is being exchanged: the rows would not fit the key.
pub async fn backup(app: &App, file: &Path, with_key: bool) -> Result<Done> {
    // Goes into the thread, so that it is held to the end even if nobody waits for the answer any more.
    let held = app.keys.sealer.key_file().try_read_owned().map_err(|_| busy())?;
    let anchor = anchor::current(app).await?;
    let (app, file) = (app.clone(), file.to_owned());
    let written = tokio::task::spawn_blocking(move || {
        let _held = held;
        if let Some(folder) = file.parent().filter(|folder| folder.ends_with("backups")) {
            std::fs::create_dir_all(folder)
                .map_err(|problem| Error::Unavailable(format!("cannot make {}: {problem}", folder.display())))?;
        }
        let key_file = app.config.sealing_key_file();
        let manifest =
            backup::manifest(&app.database, anchor, &app.keys.sealer, with_key.then_some(key_file.as_path()))?;
        backup::write(&app.database, &manifest, &file)
    });
    written.await.map_err(Error::internal)?
}

fn busy() -> Error {
    Error::conflict(
        "the sealing key is being exchanged, or a backup is being made, just now: try again when it is done",
    )
}

/// How to restore.
#[derive(Clone, Debug)]
pub struct Restore {
    /// The backup.
    pub file: PathBuf,
    /// The sealing key's file, when neither the data folder nor the backup has it.
    pub key: Option<PathBuf>,
    /// Whether what is in the database may be replaced; a copy of it is kept.
    pub replace: bool,
}

/// What a restore did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Restored {
    /// How many rows were put in.
    pub rows: u64,
    /// The copy of what was there before.
    pub copy: Option<PathBuf>,
    /// How many sign-ins were open in the backup; they were ended.
    pub sessions_ended: usize,
    /// How many API tokens were in the backup and not revoked; they were.
    pub tokens_revoked: usize,
    /// What is wrong with the audit trail that was restored; empty when it is whole.
    pub problems: Vec<String>,
}

/// Fills an installation from a backup, and begins quarantine. No server may run on the data folder.
///
/// # Errors
/// Before anything is changed: when the backup is damaged or of another schema, the sealing key does not fit, or the
/// installation is not empty and may not be replaced.
pub async fn restore(config: Config, clock: Clock, how: Restore) -> Result<Restored> {
    let folder = DataFolder::own(&config.data_folder)?;
    let (settings, time) = (config.clone(), clock.clone());
    let mut restored =
        tokio::task::spawn_blocking(move || put_back(&settings, &time, &how)).await.map_err(Error::internal)??;
    let installation = Installation::open_owned(folder, config, clock, Schema::MustBeCurrent).await?;
    let context = installation.app.context(Actor::System);
    let chains = installation.app.database.read("verify", move |tx| audit::verify_all(tx, &context, &[])).await?;
    restored.problems = chains
        .into_iter()
        .flat_map(|chain| chain.problems.into_iter().map(move |problem| format!("{}: {problem}", chain.chain)))
        .collect();
    installation.close().await?;
    Ok(restored)
}

fn put_back(config: &Config, clock: &Clock, how: &Restore) -> Result<Restored> {
    let checked = backup::check(&how.file)?;
    let key_file = config.sealing_key_file();
    let (key_text, from) = right_key(config, how, &checked)?;
    let sealer = Sealer::from_text(&key_text)?;
    checked.prove(&sealer, &from)?;
    make_database_file(&config.database_url())?;
    let database = Database::open(&config.database_url())?;
    let empty = database.has_no_rows()?;
    if !empty && !how.replace {
        return Err(Error::conflict(
            "there is an installation in this database already; restore into an empty one, or say --replace to put the \
             backup in its place (a copy of what is there is kept)",
        ));
    }
    let stamp = clock.now().utc().format("%Y%m%dT%H%M%SZ").to_string();
    let copy = if empty { None } else { Some(keep_copy(&database, config, clock, &stamp)?) };
    database.migrate()?;
    let now = clock.now();
    let reason = format!(
        "restored from the backup of {}: what happened since is not known to the database",
        checked.manifest.made_at
    );
    let (done, (sessions_ended, tokens_revoked)) = checked.restore(&database, |tx| {
        let keys = Arc::new(operation::load_keys(sealer, &store::installation::keys(tx)?)?);
        let context = Context { actor: Actor::System, now, keys };
        quarantine::begin(tx, &context, &reason)?;
        // Who was dismissed since, and which token was revoked, is not known to the database either.
        let (sessions_ended, tokens_revoked) = sign_in::end_all(tx, now)?;
        let details = serde_json::json!({
            "made_at": checked.manifest.made_at, "sessions_ended": sessions_ended, "tokens_revoked": tokens_revoked,
        });
        audit::record_installation(tx, &context, "restored", operation::OWNER, details)?;
        Ok((sessions_ended, tokens_revoked))
    })?;
    if !key_file.exists() {
        create_private(&key_file, key_text.as_bytes())?;
    } else if std::fs::read_to_string(&key_file).is_ok_and(|present| present.trim() != key_text.trim()) {
        let kept = key_file.with_extension(format!("replaced-{stamp}"));
        std::fs::rename(&key_file, &kept)
            .map_err(|problem| Error::Unavailable(format!("cannot rename {}: {problem}", key_file.display())))?;
        create_private(&key_file, key_text.as_bytes())?;
    }
    Ok(Restored { rows: done.rows, copy, sessions_ended, tokens_revoked, problems: Vec::new() })
}

/// The key that the backup needs: the named one, the one in the folder if it fits, or the backup's own.
fn right_key(config: &Config, how: &Restore, checked: &backup::Checked<'_>) -> Result<(Zeroizing<String>, PathBuf)> {
    let read = |file: &Path| {
        std::fs::read_to_string(file)
            .map(Zeroizing::new)
            .map_err(|problem| Error::invalid("sealing_key", format!("cannot read {}: {problem}", file.display())))
    };
    if let Some(file) = &how.key {
        return Ok((read(file)?, file.clone()));
    }
    let present = config.sealing_key_file();
    if present.exists() {
        let text = read(&present)?;
        let fits = Sealer::from_text(&text).and_then(|sealer| checked.prove(&sealer, &present)).is_ok();
        if fits || checked.manifest.sealing_key.is_none() {
            return Ok((text, present));
        }
    }
    match &checked.manifest.sealing_key {
        Some(text) => Ok((Zeroizing::new(text.clone()), how.file.clone())),
        None => Err(Error::invalid(
            "sealing_key",
            "the backup does not hold the sealing key; put your copy of the key file into the data folder, or name it with \
             --key",
        )),
    }
}

/// Keeps what the restore replaces: all rows for PostgreSQL, the whole file for SQLite.
fn keep_copy(database: &Database, config: &Config, clock: &Clock, stamp: &str) -> Result<PathBuf> {
    let folder = config.data_folder.join("backups");
    std::fs::create_dir_all(&folder)
        .map_err(|problem| Error::Unavailable(format!("cannot make {}: {problem}", folder.display())))?;
    if !database.is_postgres() {
        let file = folder.join(format!("replaced-{stamp}.db"));
        database.copy_to(&file)?;
        return Ok(file);
    }
    let file = folder.join(format!("replaced-{stamp}.backup"));
    let anchor = anchor::Anchor { written_at: clock.now(), checkpoints: Vec::new() };
    let sealer = match Sealer::from_file(&config.sealing_key_file()) {
        Ok(sealer) => sealer,
        Err(_) => Sealer::from_text(&Sealer::new_key_line()?)?,
    };
    let manifest = backup::manifest(database, anchor, &sealer, None)?;
    backup::write(database, &manifest, &file)?;
    Ok(file)
}

/// A step of the exchange of the sealing key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Make a new key, and seal everything under it.
    #[default]
    NewKey,
    /// Go on where an interrupted rotation stopped.
    Resume,
    /// Take the old keys out of the key file, once nothing is sealed under them.
    RetireOld,
}

/// What a step did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rotated {
    /// The id of the key that seals now.
    pub key_id: String,
    /// How many secrets were sealed anew.
    pub resealed: u64,
    /// How many old keys were taken out of the key file.
    pub retired: usize,
}

/// Exchanges the sealing key of the running server, step by step. One step at a time, and to its end, also when nobody
/// waits for the answer any more.
///
/// # Errors
/// `Conflict` while another step is under way or a backup is being made, and when the key file lacks a key that the
/// server uses.
pub async fn rotate(app: &App, actor: Actor, step: Rotation) -> Result<Rotated> {
    actor.require_installation(Permission::Installation)?;
    let held = app.keys.sealer.key_file().try_write_owned().map_err(|_| busy())?;
    let app = app.clone();
    let work = tokio::spawn(async move {
        let _held = held;
        rotate_alone(&app, actor, step).await
    });
    work.await.map_err(Error::internal)?
}

async fn rotate_alone(app: &App, actor: Actor, step: Rotation) -> Result<Rotated> {
    let mut done = Rotated { key_id: String::new(), resealed: 0, retired: 0 };
    match step {
        Rotation::NewKey => {
            let text = key_file_now(app)?;
            let both = Zeroizing::new(format!("{}{}", Sealer::new_key_line()?.as_str(), text.as_str()));
            // On disk first: a secret must never be sealed under a key that a crash takes away.
            replace_private(&app.config.sealing_key_file(), both.as_bytes())?;
            app.keys.sealer.reload(&both)?;
            done.resealed = reseal(app).await?;
        }
        Rotation::Resume => {
            app.keys.sealer.reload(&key_file_now(app)?)?;
            done.resealed = reseal(app).await?;
        }
        Rotation::RetireOld => {
            app.keys.sealer.reload(&key_file_now(app)?)?;
            // Also seals what a write that was under way during the rotation left under the old key.
            done.resealed = reseal(app).await?;
            let needed = keys_in_use(app).await?;
            // Read again: whatever came into the file meanwhile is as good a reason to keep a line as any.
            let text = key_file_now(app)?;
            let (kept, left_out) = Sealer::without_unneeded(&text, &needed)?;
            replace_private(&app.config.sealing_key_file(), kept.as_bytes())?;
            app.keys.sealer.reload(&kept)?;
            done.retired = left_out;
        }
    }
    done.key_id = app.keys.sealer.current_key_id();
    let (context, noted) = (app.context(actor), done.clone());
    app.database
        .write("record rotation", move |tx| {
            audit::record_installation(
                tx,
                &context,
                "sealing_key_rotated",
                operation::OWNER,
                serde_json::json!({
                    "step": step, "key_id": noted.key_id, "resealed": noted.resealed, "retired": noted.retired,
                }),
            )
        })
        .await?;
    Ok(done)
}

/// The key file as it is now; refused when it lacks a key that this server opens secrets with.
fn key_file_now(app: &App) -> Result<Zeroizing<String>> {
    let file = app.config.sealing_key_file();
    let text = Zeroizing::new(
        std::fs::read_to_string(&file)
            .map_err(|problem| Error::Unavailable(format!("cannot read {}: {problem}", file.display())))?,
    );
    let missing = app.keys.sealer.missing_from(&text)?;
    if missing.is_empty() {
        return Ok(text);
    }
    Err(Error::conflict(format!(
        "{} no longer has the key {}, which this server uses; put the line back from your copy of the file first",
        file.display(),
        missing.join(", ")
    )))
}

/// The ids of all keys that something in the database is sealed under.
async fn keys_in_use(app: &App) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for column in store::sealed::COLUMNS {
        let mut after = String::new();
        loop {
            let place = after.clone();
            let page = app.database.read("sealed secrets", move |tx| store::sealed::page(tx, column, &place)).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.place);
            found.extend(page.iter().filter_map(|secret| Sealer::key_id_of(&secret.sealed)));
        }
    }
    Ok(found)
}

/// Seals anew, page by page, whatever is not sealed under the current key; encryption happens between the transactions.
async fn reseal(app: &App) -> Result<u64> {
    let mut count = 0;
    for column in store::sealed::COLUMNS {
        let mut after = String::new();
        loop {
            let place = after.clone();
            let page = app.database.read("sealed secrets", move |tx| store::sealed::page(tx, column, &place)).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.place);
            let mut changes = Vec::new();
            for secret in page.into_iter().filter(|secret| !app.keys.sealer.is_current(&secret.sealed)) {
                let (owner, row) = (&secret.owner, &secret.row_name);
                let open = app.keys.sealer.open(column.purpose, owner, row, &secret.sealed).map_err(|problem| {
                    Error::Unavailable(format!("{}.{} of {row}: {problem}", column.table, column.column))
                })?;
                changes.push((app.keys.sealer.seal(column.purpose, owner, row, &open)?, secret));
            }
            count += changes.len() as u64;
            if changes.is_empty() {
                continue;
            }
            app.database
                .write("seal anew", move |tx| {
                    for (new, secret) in &changes {
                        store::sealed::replace(tx, column, &secret.place, &secret.sealed, new)?;
                    }
                    Ok(())
                })
                .await?;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
