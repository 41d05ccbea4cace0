//! The server's certificate: from files, or self-signed for trying out; exchanged on SIGHUP without a restart.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::ssl::{AlpnError, SslAcceptor, SslAcceptorBuilder, SslContext, SslMethod, SslVersion};
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};

use crate::app::App;
use crate::config::{Config, TlsMode};
use crate::data_folder::{create_private, replace_private};
use crate::error::{Error, Result};

/// How long a self-signed certificate is good, in days; Apple's limit for any server is 825.
const DAYS: u32 = 397;

/// The certificate that new connections get.
#[derive(Clone)]
pub(super) struct Certificate {
    current: Arc<RwLock<SslContext>>,
    files: (PathBuf, PathBuf),
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Certificate({})", self.files.0.display())
    }
}

impl Certificate {
    pub(super) fn load(app: &App) -> Result<Self> {
        let files = files(&app.config, &app.clock.now())?;
        let context = builder(&files)?.build().into_context();
        Ok(Self { current: Arc::new(RwLock::new(context)), files })
    }

    pub(super) fn reload(&self, app: &App) -> Result<()> {
        let context = builder(&files(&app.config, &app.clock.now())?)?.build().into_context();
        let mut current = self.current.write().map_err(|_| Error::internal("the certificate's lock is broken"))?;
        *current = context;
        Ok(())
    }

    /// What a listener needs. Each new connection takes the certificate that is current then.
    pub(super) fn acceptor(&self) -> Result<SslAcceptorBuilder> {
        let mut builder = builder(&self.files)?;
        let current = Arc::clone(&self.current);
        // OpenSSL calls this whether or not the client named a host.
        builder.set_servername_callback(move |connection, _| {
            if let Ok(context) = current.read() {
                // Where it fails, the connection keeps the certificate that the listener began with.
                let _ = connection.set_ssl_context(&context);
            }
            Ok(())
        });
        Ok(builder)
    }
}

fn builder((certificate, key): &(PathBuf, PathBuf)) -> Result<SslAcceptorBuilder> {
    let wrong = |name: &'static str, file: &Path| {
        let problem = format!("cannot use {}: ", file.display());
        move |error: openssl::error::ErrorStack| Error::invalid(name, problem.clone() + &error.to_string())
    };
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    // Otherwise OpenSSL asks the kernel for each record's five bytes of header, and then again for the record.
    builder.set_read_ahead(true);
    builder.set_certificate_chain_file(certificate).map_err(wrong("tls.certificate", certificate))?;
    builder.set_private_key_file(key, openssl::ssl::SslFiletype::PEM).map_err(wrong("tls.key", key))?;
    builder.check_private_key().map_err(wrong("tls.key", key))?;
    // The listener's own setting is not carried over to a context that replaces it.
    builder.set_alpn_select_callback(|_, offered| {
        for wanted in [&b"\x02h2"[..], b"\x08http/1.1"] {
            if offered.windows(wanted.len()).any(|window| window == wanted) {
                return Ok(wanted.get(1..).unwrap_or_default());
            }
        }
        Err(AlpnError::NOACK)
    });
    Ok(builder)
}

fn files(config: &Config, now: &crate::model::Moment) -> Result<(PathBuf, PathBuf)> {
    if config.tls.mode == TlsMode::Files {
        return match (&config.tls.certificate, &config.tls.key) {
            (Some(certificate), Some(key)) => Ok((certificate.clone(), key.clone())),
            _ => Err(Error::invalid("tls.certificate", "must be given together with tls.key")),
        };
    }
    let folder = config.data_folder.join("tls");
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    if !still_good(&certificate, &key, &config.tls.names) {
        std::fs::create_dir_all(&folder)
            .map_err(|problem| Error::Unavailable(format!("cannot make {}: {problem}", folder.display())))?;
        let (new_certificate, new_key) = self_signed(&config.tls.names, now.unix())?;
        replace_private(&key, &new_key)?;
        if certificate.exists() {
            replace_private(&certificate, &new_certificate)?;
        } else {
            create_private(&certificate, &new_certificate)?;
        }
        tracing::warn!(
            certificate = %certificate.display(),
            "a self-signed certificate was made: good for trying out; real devices need tls.mode = files or proxy"
        );
    }
    Ok((certificate, key))
}

/// Whether the certificate made earlier is for these names and good for another month.
fn still_good(certificate: &Path, key: &Path, names: &[String]) -> bool {
    let Some(certificate) = std::fs::read(certificate).ok().and_then(|pem| X509::from_pem(&pem).ok()) else {
        return false;
    };
    let month = Asn1Time::days_from_now(30);
    let lasts = month.is_ok_and(|month| certificate.not_after() > &*month);
    let mut listed: Vec<String> = certificate
        .subject_alt_names()
        .into_iter()
        .flatten()
        .filter_map(|name| match (name.dnsname(), name.ipaddress()) {
            (Some(name), _) => Some(name.to_owned()),
            (None, Some(bytes)) => match <[u8; 4]>::try_from(bytes) {
                Ok(four) => Some(std::net::Ipv4Addr::from(four).to_string()),
                Err(_) => <[u8; 16]>::try_from(bytes).ok().map(|all| std::net::Ipv6Addr::from(all).to_string()),
            },
            (None, None) => None,
        })
        .collect();
    let mut wanted = names.to_vec();
    listed.sort();
    wanted.sort();
    key.exists() && lasts && listed == wanted
}

fn self_signed(names: &[String], now: i64) -> Result<(Vec<u8>, Vec<u8>)> {
    let key = PKey::from_ec_key(EcKey::generate(&*EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?)?)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_nid(Nid::COMMONNAME, "Beadle, self-signed")?;
    let name = name.build();
    let mut serial = BigNum::new()?;
    serial.rand(128, MsbOption::MAYBE_ZERO, false)?;
    let mut certificate = X509::builder()?;
    certificate.set_version(2)?;
    certificate.set_serial_number(&*serial.to_asn1_integer()?)?;
    certificate.set_subject_name(&name)?;
    certificate.set_issuer_name(&name)?;
    certificate.set_pubkey(&key)?;
    certificate.set_not_before(&*Asn1Time::from_unix(now - 3600)?)?;
    certificate.set_not_after(&*Asn1Time::from_unix(now + i64::from(DAYS) * 86_400)?)?;
    let mut alternatives = SubjectAlternativeName::new();
    for name in names {
        match name.parse::<std::net::IpAddr>() {
            Ok(address) => alternatives.ip(&address.to_string()),
            Err(_) => alternatives.dns(name),
        };
    }
    let alternatives = alternatives.build(&certificate.x509v3_context(None, None))?;
    certificate.append_extension(alternatives)?;
    certificate.append_extension(BasicConstraints::new().critical().build()?)?;
    certificate.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
    certificate.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    certificate.sign(&key, MessageDigest::sha256())?;
    Ok((certificate.build().to_pem()?, key.private_key_to_pem_pkcs8()?))
}
