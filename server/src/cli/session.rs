//! Where a sign-in is kept between commands: a file that only its owner may read.

use std::path::{Path, PathBuf};

use super::{Answer, Refusal};
use crate::data_folder::replace_private;

/// The variable with a sign-in for scripts; it goes before the file.
pub(super) const VARIABLE: &str = "BEADLE_SESSION";

/// The file of the sign-in at the server of a data folder, or at `server`.
pub(super) fn file(data_folder: Option<&Path>, server: &str) -> PathBuf {
    if let Some(folder) = data_folder {
        return folder.join("session");
    }
    let state = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))
        .unwrap_or_else(|| PathBuf::from("."));
    let name: String = server.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    state.join("beadle").join(format!("session-{name}"))
}

/// The sign-in, if there is one.
pub(super) fn read(file: &Path) -> Answer<Option<String>> {
    if let Ok(token) = std::env::var(VARIABLE) {
        return Ok(Some(token));
    }
    match std::fs::read_to_string(file) {
        Ok(token) => Ok(Some(token.trim().to_owned()).filter(|token| !token.is_empty())),
        Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(problem) => Err(Refusal::Said(format!("cannot read {}: {problem}", file.display()))),
    }
}

/// Keeps a sign-in.
pub(super) fn keep(file: &Path, token: &str) -> Answer {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|problem| Refusal::Said(format!("cannot make {}: {problem}", folder.display())))?;
    }
    Ok(replace_private(file, token.as_bytes())?)
}

/// Forgets a sign-in.
pub(super) fn forget(file: &Path) -> Answer {
    match std::fs::remove_file(file) {
        Ok(()) => Ok(()),
        Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(problem) => Err(Refusal::Said(format!("cannot remove {}: {problem}", file.display()))),
    }
}
