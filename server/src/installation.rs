//! Opens an installation: owns its data folder, proves its sealing key, brings its database up to date.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::anchor;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::data_folder::{self, DataFolder};
use crate::error::{Error, Result};
use crate::google::Kept;
use crate::operations::installation::{self as operation, FirstStart};
use crate::sealing::Sealer;
use crate::store::{self, Database};

/// Who may change the schema: only `serve` and `migrate` do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Apply what is pending, after a backup.
    Migrate,
    /// Refuse while anything is pending, and begin nothing: for every command that is not meant to make an installation.
    MustBeCurrent,
}

/// An installation whose data folder this process owns.
#[derive(Debug)]
pub struct Installation {
    /// Database, keys, clock and settings.
    pub app: App,
    /// The code for `beadle set-up`, when this was the first start.
    pub set_up_code: Option<String>,
    /// The backup taken before the schema was changed.
    pub backup: Option<PathBuf>,
    folder: DataFolder,
}

impl Installation {
    /// Opens it, and makes it at the first start, if `schema` lets it.
    ///
    /// # Errors
    /// When another process owns the folder, the sealing key is missing or another one, the database cannot be reached
    /// or belongs to a newer Beadle.
    pub async fn open(config: Config, clock: Clock, schema: Schema) -> Result<Self> {
        let folder = DataFolder::own(&config.data_folder)?;
        Self::open_owned(folder, config, clock, schema).await
    }

    /// Opens it in a folder that this process owns already.
    pub(crate) async fn open_owned(folder: DataFolder, config: Config, clock: Clock, schema: Schema) -> Result<Self> {
        let (database, backup) = {
            let (config, folder) = (config.clone(), folder.path().to_owned());
            let stamp = clock.now();
            tokio::task::spawn_blocking(move || open_database(&config, &folder, schema, stamp))
                .await
                .map_err(Error::internal)??
        };
        let key_file = config.sealing_key_file();
        let canary = database.read("read the canary", |tx| store::installation::value(tx, operation::CANARY)).await?;
        let set_up_code = match canary {
            Some(_) => None,
            None if schema == Schema::MustBeCurrent => return Err(nothing_in(&config)),
            None => first_start(&database, &key_file, &clock).await?,
        };
        if !key_file.exists() {
            return Err(Error::invalid(
                "sealing_key",
                format!(
                    "{} is missing, and this database was sealed with it; put your copy of the key file there",
                    key_file.display()
                ),
            ));
        }
        let sealer = Sealer::from_file(&key_file)?;
        let (canary, rows) = database
            .read("read the installation's keys", |tx| {
                Ok((store::installation::value(tx, operation::CANARY)?, store::installation::keys(tx)?))
            })
            .await?;
        operation::prove(&sealer, &canary.unwrap_or_default(), &key_file)?;
        let keys = Arc::new(operation::load_keys(sealer, &rows)?);
        let app =
            App { database, keys, clock, config: Arc::new(config), google: Kept::default(), sightings: Arc::default() };
        anchor::compare(&app).await?;
        anchor::write(&app).await?;
        Ok(Self { app, set_up_code, backup, folder })
    }

    /// Drains the writer, leaves a fresh anchor, and lets go of the folder.
    pub async fn close(self) -> Result<()> {
        let anchored = anchor::write(&self.app).await;
        self.app.database.close().await;
        tracing::debug!(folder = %self.folder.path().display(), "data folder let go");
        anchored
    }
}

/// Whether there can be no installation: the data folder, or SQLite's file, is not there.
pub(crate) fn is_absent(config: &Config) -> bool {
    let url = config.database_url();
    !config.data_folder.exists() || url.strip_prefix("sqlite:").is_some_and(|path| !Path::new(path).exists())
}

/// There is no installation where one is needed.
pub(crate) fn nothing_in(config: &Config) -> Error {
    Error::conflict(format!(
        "there is no installation in {}; start `beadle serve`, or name the folder with --data-folder",
        config.data_folder.display()
    ))
}

/// A file that SQLite makes itself would be as open as the user's mask allows; its companions take after it.
pub(crate) fn make_database_file(url: &str) -> Result<()> {
    match url.strip_prefix("sqlite:") {
        Some(path) if !Path::new(path).exists() => data_folder::create_private(Path::new(path), b""),
        _ => Ok(()),
    }
}

fn open_database(
    config: &Config,
    folder: &Path,
    schema: Schema,
    now: crate::model::Moment,
) -> Result<(Database, Option<PathBuf>)> {
    let url = config.database_url();
    if schema == Schema::MustBeCurrent && is_absent(config) {
        return Err(nothing_in(config));
    }
    make_database_file(&url)?;
    let database = Database::open(&url)?;
    if database.schema_is_current()? {
        return Ok((database, None));
    }
    let fresh = database.applied_migrations()?.is_empty();
    if schema == Schema::MustBeCurrent {
        return Err(if fresh {
            nothing_in(config)
        } else {
            Error::conflict(
                "this database is of an older Beadle; `beadle migrate` or `beadle serve` brings it up to date, after a \
                 backup",
            )
        });
    }
    let mut backup = None;
    if !fresh && !database.is_postgres() {
        let copies = folder.join("backups");
        std::fs::create_dir_all(&copies)
            .map_err(|problem| Error::Unavailable(format!("cannot make {}: {problem}", copies.display())))?;
        let copy = copies.join(format!("before-upgrade-{}.db", now.utc().format("%Y%m%dT%H%M%SZ")));
        database.copy_to(&copy)?;
        tracing::info!(file = %copy.display(), "database copied before its upgrade");
        backup = Some(copy);
    }
    database.migrate()?;
    Ok((database, backup))
}

/// Makes key file, keys, canary and set-up code; nothing when another instance was faster.
async fn first_start(database: &Database, key_file: &Path, clock: &Clock) -> Result<Option<String>> {
    if !key_file.exists() {
        data_folder::create_private(key_file, Sealer::new_key_line()?.as_bytes())?;
    }
    let now = clock.now();
    let first = Arc::new(FirstStart::prepare(&Sealer::from_file(key_file)?, now)?);
    let (written, path) = (Arc::clone(&first), key_file.to_owned());
    let done =
        database.write("begin the installation", move |tx| written.write(tx, Sealer::from_file(&path)?, now)).await?;
    Ok(done.then(|| first.set_up_code().to_owned()))
}
