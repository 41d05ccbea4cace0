//! The openssl command line as a second opinion.

use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// A folder of files for one consultation.
pub(crate) struct Consultation {
    folder: TempDir,
}

/// Nothing, with a word about it, where there is no openssl command; with `TEST_SKIP_NOTHING` that is a failure.
pub(crate) fn consult(test: &str) -> Option<Consultation> {
    if Command::new("openssl").arg("version").output().is_err() {
        assert!(
            std::env::var_os("TEST_SKIP_NOTHING").is_none(),
            "{test}: the openssl command is missing, and nothing may be left out here"
        );
        eprintln!("left out: {test}: not compared with OpenSSL's command line, which is not installed");
        return None;
    }
    Some(Consultation { folder: tempfile::tempdir().unwrap() })
}

impl Consultation {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn write_certificate(&self, name: &str, der: &[u8]) {
        let certificate = openssl::x509::X509::from_der(der).unwrap();
        self.write(name, &certificate.to_pem().unwrap());
    }

    pub(crate) fn write_key(&self, name: &str, pkcs8: &[u8]) {
        let key = openssl::pkey::PKey::private_key_from_der(pkcs8).unwrap();
        self.write(name, &key.private_key_to_pem_pkcs8().unwrap());
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Runs `openssl` in the folder with words separated by spaces; whether it agreed, and what it said.
    pub(crate) fn ask(&self, words: &str) -> (bool, String) {
        let output =
            Command::new("openssl").args(words.split_whitespace()).current_dir(self.folder.path()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    pub(crate) fn agrees(&self, words: &str) -> String {
        let (agreed, said) = self.ask(words);
        assert!(agreed, "openssl {words}\n{said}");
        said
    }
}
