//! The data folder: made for its owner alone, and owned by one process at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The data folder, locked for as long as this lives.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// The operating system lets go of the lock when the file is closed, however the process ends.
    _lock: File,
}

/// What stands in the way of owning the folder.
#[derive(Debug, thiserror::Error)]
pub enum LockProblem {
    /// Another process owns it.
    #[error("another Beadle is running on the data folder {0}")]
    Taken(PathBuf),
    /// It cannot be used.
    #[error("{0}")]
    Unusable(String),
}

impl From<LockProblem> for Error {
    fn from(problem: LockProblem) -> Self {
        match problem {
            LockProblem::Taken(_) => {
                Self::Conflict(format!("{problem}; stop it first, or give this command to it as it runs"))
            }
            LockProblem::Unusable(text) => Self::invalid("data_folder", text),
        }
    }
}

impl DataFolder {
    /// Makes the folder if need be, and takes its lock.
    ///
    /// # Errors
    /// `Taken` when another process has the lock; `Unusable` when the folder cannot be made, or others may look into it.
    pub fn own(path: &Path) -> Result<Self, LockProblem> {
        let unusable = |what: &str, problem: std::io::Error| {
            LockProblem::Unusable(format!("{what} {}: {problem}", path.display()))
        };
        if !path.exists() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|problem| unusable("cannot make the data folder", problem))?;
        }
        let mode = fs::metadata(path)
            .map_err(|problem| unusable("cannot look at the data folder", problem))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            return Err(LockProblem::Unusable(format!(
                "others on this machine may look into the data folder {0}; run: chmod 700 {0}",
                path.display()
            )));
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(|problem| unusable("cannot write in the data folder", problem))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(LockProblem::Taken(path.to_owned())),
            Err(TryLockError::Error(problem)) => Err(unusable("cannot lock the data folder", problem)),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes a new file that only its owner may read; refuses to touch one that exists.
pub(crate) fn create_private(path: &Path, content: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(|problem| Error::Unavailable(format!("cannot write {}: {problem}", path.display())))
}

/// Replaces a file by one that only its owner may read; after a crash either the old or the new one is there, whole.
pub(crate) fn replace_private(path: &Path, content: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    if new.exists() {
        fs::remove_file(&new)
            .map_err(|problem| Error::Unavailable(format!("cannot remove {}: {problem}", new.display())))?;
    }
    create_private(&new, content)?;
    let finish = || -> std::io::Result<()> {
        fs::rename(&new, path)?;
        // The rename itself is durable only once the folder is written.
        File::open(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))?.sync_all()
    };
    finish().map_err(|problem| Error::Unavailable(format!("cannot replace {}: {problem}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn the_folder_is_private_and_has_one_owner() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/data");
        let first = DataFolder::own(&path).expect("made");
        assert_eq!((mode(&path), mode(&path.join("lock"))), (0o700, 0o600));
        assert!(matches!(DataFolder::own(&path), Err(LockProblem::Taken(_))));
        drop(first);
        let again = DataFolder::own(&path).expect("free again");
        drop(again);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("widened");
        let refusal = DataFolder::own(&path).expect_err("open to others").to_string();
        assert!(refusal.contains("chmod 700"), "{refusal}");
    }

    #[test]
    fn a_replaced_file_stays_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        create_private(&file, b"one").expect("new");
        assert!(create_private(&file, b"two").is_err());
        replace_private(&file, b"two").expect("replaced");
        assert_eq!((fs::read(&file).expect("there"), mode(&file)), (b"two".to_vec(), 0o600));
    }
}
