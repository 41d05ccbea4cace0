//! Whom outgoing connections trust: the machine's own roots, and those that the settings name.

use std::path::PathBuf;

use reqwest::Certificate;

use crate::error::{Error, Result};

/// The machine's roots and those in the PEM files `extra`, which the setting `setting` names.
///
/// # Errors
/// [`Error::Invalid`] where one of `extra` cannot be read; the machine's own are left out with a warning.
pub(crate) fn trusted(setting: &'static str, extra: &[PathBuf]) -> Result<Vec<Certificate>> {
    let mut roots = Vec::new();
    // OpenSSL built into the program knows no system roots.
    let system = openssl_probe::probe();
    if let Some(file) = &system.cert_file {
        match std::fs::read(file).map_err(|problem| problem.to_string()).and_then(|pem| read(&pem)) {
            Ok(found) => roots.extend(found),
            Err(problem) => tracing::warn!(file = %file.display(), problem, "the machine's roots cannot be read"),
        }
    }
    for path in extra {
        let wrong = |problem: String| Error::invalid(setting, format!("{} cannot be used: {problem}", path.display()));
        let pem = std::fs::read(path).map_err(|problem| wrong(problem.to_string()))?;
        roots.extend(read(&pem).map_err(wrong)?);
    }
    Ok(roots)
}

fn read(pem: &[u8]) -> std::result::Result<Vec<Certificate>, String> {
    match Certificate::from_pem_bundle(pem) {
        Ok(found) if found.is_empty() => Err("it holds no certificate in PEM".to_owned()),
        Ok(found) => Ok(found),
        Err(problem) => Err(problem.to_string()),
    }
}
