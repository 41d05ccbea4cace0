//! Brings the schema up to date, and refuses a database that a newer Beadle made.

use diesel::backend::Backend;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::AnyConnection;
use crate::error::{Error, Result};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

fn known<Db: Backend>() -> Result<Vec<String>> {
    use diesel::migration::{Migration, MigrationSource};
    let migrations: Vec<Box<dyn Migration<Db>>> = MIGRATIONS.migrations().map_err(Error::internal)?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

fn apply<Db: Backend>(connection: &mut impl MigrationHarness<Db>) -> Result<()> {
    refuse_newer(connection)?;
    connection.run_pending_migrations(MIGRATIONS).map_err(|problem| Error::Unavailable(problem.to_string()))?;
    Ok(())
}

fn refuse_newer<Db: Backend>(connection: &mut impl MigrationHarness<Db>) -> Result<()> {
    let known = known::<Db>()?;
    let applied = connection.applied_migrations().map_err(|problem| Error::Unavailable(problem.to_string()))?;
    match applied.iter().map(ToString::to_string).find(|version| !known.contains(version)) {
        None => Ok(()),
        Some(version) => Err(Error::Conflict(format!(
            "a newer Beadle changed this database (schema {version}); start that version, or restore the backup \
             taken before its upgrade"
        ))),
    }
}

/// Applies what is pending.
pub(super) fn run(connection: &mut AnyConnection) -> Result<()> {
    match connection {
        AnyConnection::Sqlite(connection) => apply(connection),
        AnyConnection::Postgres(connection) => apply(connection),
    }
}

/// Whether nothing is pending; a newer schema is an error.
pub(super) fn is_current(connection: &mut AnyConnection) -> Result<bool> {
    match connection {
        AnyConnection::Sqlite(connection) => {
            refuse_newer(connection)?;
            Ok(!connection.has_pending_migration(MIGRATIONS).map_err(Error::internal)?)
        }
        AnyConnection::Postgres(connection) => {
            refuse_newer(connection)?;
            Ok(!connection.has_pending_migration(MIGRATIONS).map_err(Error::internal)?)
        }
    }
}

/// The versions applied so far, the oldest first; none in a database that is new.
pub(super) fn applied(connection: &mut AnyConnection) -> Result<Vec<String>> {
    let found = match connection {
        AnyConnection::Sqlite(connection) => connection.applied_migrations(),
        AnyConnection::Postgres(connection) => connection.applied_migrations(),
    };
    let mut versions: Vec<String> = found.map_err(Error::internal)?.iter().map(ToString::to_string).collect();
    versions.sort();
    Ok(versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two migrations with one number, diesel applies one and says nothing.
    #[test]
    fn every_migration_has_a_number_of_its_own() {
        let mut known = known::<diesel::sqlite::Sqlite>().expect("readable");
        let folders =
            std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations")).expect("a folder").count();
        known.sort();
        known.dedup();
        assert_eq!(known.len(), folders);
    }
}
