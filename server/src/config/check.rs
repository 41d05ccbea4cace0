//! What settings must fit together, and what the files that they name must hold.

use std::path::Path;

use openssl::pkey::PKey;
use openssl::x509::X509;

use super::{Config, TlsMode};

/// A key, the value that does not fit, and what would be right.
type Misfit = (&'static str, Option<String>, String);

pub(super) fn together(config: &Config) -> Vec<Misfit> {
    let mut found = Vec::new();
    tls(config, &mut found);
    vendor(config, &mut found);
    for (name, roots) in [
        ("apns.extra_roots", &config.apns.extra_roots),
        ("google.extra_roots", &config.google.extra_roots),
        ("mail.extra_roots", &config.mail.extra_roots),
    ] {
        for root in roots {
            if let Err(problem) = certificates(root) {
                found.push((name, Some(root.display().to_string()), problem));
            }
        }
    }
    let key = config.sealing_key_file();
    if key.exists()
        && let Err(problem) = private(&key)
    {
        found.push(("sealing_key", Some(key.display().to_string()), problem));
    }
    found
}

fn tls(config: &Config, found: &mut Vec<Misfit>) {
    let files = [("tls.certificate", &config.tls.certificate), ("tls.key", &config.tls.key)];
    match config.tls.mode {
        TlsMode::Files => {
            for (name, file) in files {
                if file.is_none() {
                    found.push((name, None, "must name a PEM file, because tls.mode is files".to_owned()));
                }
            }
            if let (Some(certificate), Some(key)) = (&config.tls.certificate, &config.tls.key) {
                pair(certificate, key, ["tls.certificate", "tls.key"], found);
            } else if let Some(certificate) = &config.tls.certificate
                && let Err(problem) = certificates(certificate)
            {
                found.push(("tls.certificate", Some(certificate.display().to_string()), problem));
            }
        }
        TlsMode::SelfSigned | TlsMode::Proxy => {
            for (name, file) in files {
                if let Some(file) = file {
                    let remedy = "has a meaning only with tls.mode = files; set that, or leave this out".to_owned();
                    found.push((name, Some(file.display().to_string()), remedy));
                }
            }
        }
    }
    // What is not given has the default, so that alone cannot be told from it.
    if config.tls.mode != TlsMode::SelfSigned && config.tls.names != Config::default().tls.names {
        let remedy = "has a meaning only with tls.mode = self_signed; set that, or leave this out".to_owned();
        found.push(("tls.names", Some(config.tls.names.join(", ")), remedy));
    }
    let proxies = (!config.proxy.addresses.is_empty())
        .then(|| config.proxy.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    if config.tls.mode == TlsMode::Proxy {
        if proxies.is_none() {
            let remedy = "must name the reverse proxy's address, because tls.mode is proxy".to_owned();
            found.push(("proxy.addresses", None, remedy));
        }
        for address in config.listen.iter().filter(|address| !address.ip().is_loopback()) {
            let remedy =
                "must be a loopback address such as 127.0.0.1:8080, because with tls.mode = proxy Beadle speaks \
                          plain HTTP"
                    .to_owned();
            found.push(("listen", Some(address.to_string()), remedy));
        }
    } else if proxies.is_some() {
        let remedy = "has a meaning only with tls.mode = proxy; set that, or leave this out".to_owned();
        found.push(("proxy.addresses", proxies, remedy));
    }
}

fn vendor(config: &Config, found: &mut Vec<Misfit>) {
    let missing = "must be given too: vendor.certificate and vendor.key belong together".to_owned();
    match (&config.vendor.certificate, &config.vendor.key) {
        (None, None) => {}
        (Some(certificate), Some(key)) => pair(certificate, key, ["vendor.certificate", "vendor.key"], found),
        (Some(_), None) => found.push(("vendor.key", None, missing)),
        (None, Some(_)) => found.push(("vendor.certificate", None, missing)),
    }
}

fn pair(certificate: &Path, key: &Path, names: [&'static str; 2], found: &mut Vec<Misfit>) {
    let [certificate_name, key_name] = names;
    let certificates = certificates(certificate);
    let secret = std::fs::read(key).map_err(|problem| format!("cannot be read: {problem}")).and_then(|pem| {
        PKey::private_key_from_pem_passphrase(&pem, b"")
            .map_err(|_| "must be a PEM file with a private key without password".to_owned())
    });
    match (certificates, secret) {
        (Ok(certificates), Ok(secret)) => {
            let fits = certificates
                .first()
                .and_then(|first| first.public_key().ok())
                .is_some_and(|public| public.public_eq(&secret));
            if !fits {
                let remedy = format!("is not the key of the first certificate in {}", certificate.display());
                found.push((key_name, Some(key.display().to_string()), remedy));
            }
        }
        (certificates, secret) => {
            if let Err(problem) = certificates {
                found.push((certificate_name, Some(certificate.display().to_string()), problem));
            }
            if let Err(problem) = secret {
                found.push((key_name, Some(key.display().to_string()), problem));
            }
        }
    }
}

fn certificates(file: &Path) -> Result<Vec<X509>, String> {
    let pem = std::fs::read(file).map_err(|problem| format!("cannot be read: {problem}"))?;
    match X509::stack_from_pem(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err("must be a PEM file with certificates".to_owned()),
    }
}

/// Refuses a secret file that others on this machine may read.
fn private(file: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(file).map_err(|problem| format!("cannot be read: {problem}"))?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(format!("others on this machine may read it; run: chmod 600 {}", file.display()))
}
