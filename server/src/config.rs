//! The settings of `beadle serve`: the real world's addresses are the defaults, and a wrong value says what is right.
//!
//! `keys.rs` is the table of every key; the file, the environment and the flags are laid over each other in `sources.rs`.

mod check;
mod keys;
mod sources;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use url::Url;

pub(crate) use keys::may_be_called;
pub use keys::{KEYS, Key, reference};
pub use sources::{Problem, Problems, Sources, load};

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where everything that is Beadle's own is kept.
    pub data_folder: PathBuf,
    /// The database, when it is not the file in the data folder.
    pub database: DatabaseSettings,
    /// Where devices and people reach the server.
    pub listen: Vec<SocketAddr>,
    /// How the connection is kept private.
    pub tls: TlsSettings,
    /// The reverse proxy in front, if there is one.
    pub proxy: ProxySettings,
    /// The file with the sealing key, when it is not in the data folder.
    pub sealing_key: Option<PathBuf>,
    /// Apple's push service.
    pub apns: ApnsSettings,
    /// Google's Android Management API and Pub/Sub.
    pub google: GoogleSettings,
    /// The mail server.
    pub mail: MailSettings,
    /// The provider's certificate from Apple that signs requests for push certificates.
    pub vendor: VendorSettings,
    /// What is logged.
    pub log: LogSettings,
    /// Bounds that keep one caller from taking everything.
    pub limits: LimitSettings,
    /// How long things are kept, in days.
    pub retention: RetentionSettings,
    /// How many threads answer requests.
    pub workers: usize,
}

/// The database.
#[derive(Clone, Debug, Default)]
pub struct DatabaseSettings {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: Option<String>,
}

/// How the connection is kept private.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// Where the certificate comes from.
    pub mode: TlsMode,
    /// PEM: the server's certificate, then its intermediates.
    pub certificate: Option<PathBuf>,
    /// PEM: the certificate's private key.
    pub key: Option<PathBuf>,
    /// The names and addresses in a self-signed certificate.
    pub names: Vec<String>,
}

/// Where the server's certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// From files.
    Files,
    /// Made at the first start; for trying out.
    SelfSigned,
    /// A reverse proxy on this machine speaks TLS; the server itself speaks plain HTTP on loopback.
    Proxy,
}

/// The reverse proxy in front.
#[derive(Clone, Debug, Default)]
pub struct ProxySettings {
    /// Whose `X-Forwarded-For` header is believed.
    pub addresses: Vec<IpAddr>,
}

/// Apple's push service.
#[derive(Clone, Debug)]
pub struct ApnsSettings {
    /// Its address.
    pub url: Url,
    /// PEM files with further roots that it may be trusted by.
    pub extra_roots: Vec<PathBuf>,
}

/// Google's Android Management API and Pub/Sub. The token endpoint is not a setting: the key file names it.
#[derive(Clone, Debug)]
pub struct GoogleSettings {
    /// The address of the Android Management API.
    pub api_url: Url,
    /// The address of Pub/Sub.
    pub pubsub_url: Url,
    /// PEM files with further roots that both, and the token endpoint, may be trusted by.
    pub extra_roots: Vec<PathBuf>,
}

/// The mail server, as far as it is not set in the console.
#[derive(Clone, Debug, Default)]
pub struct MailSettings {
    /// PEM files with further roots that it may be trusted by.
    pub extra_roots: Vec<PathBuf>,
}

/// The provider's vendor certificate.
#[derive(Clone, Debug, Default)]
pub struct VendorSettings {
    /// PEM: the vendor's certificate, then Apple's intermediate and root.
    pub certificate: Option<PathBuf>,
    /// PEM: its private key.
    pub key: Option<PathBuf>,
}

/// What is logged.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// A level, or a filter such as `info,beadle_server=debug`.
    pub level: String,
    /// For people or for machines.
    pub format: LogFormat,
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Bounds that keep one caller from taking everything.
#[derive(Clone, Debug)]
pub struct LimitSettings {
    /// Open connections, over all threads.
    pub connections: usize,
    /// Seconds within which a request's head, and then its body, must have arrived.
    pub request_seconds: u64,
}

/// How long things are kept, in days.
#[derive(Clone, Debug)]
pub struct RetentionSettings {
    /// Ended commands and their answers.
    pub commands: i64,
    /// Ended sign-ins.
    pub sessions: i64,
    /// Personal details beside the audit trail; the trail itself is kept for ever.
    pub audit_details: i64,
    /// The same about orders and their cases, from their end on.
    pub wipe_evidence: i64,
}

fn constant(address: &'static str) -> Url {
    Url::parse(address).unwrap_or_else(|_| unreachable!("a constant"))
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_folder: PathBuf::from("beadle-data"),
            database: DatabaseSettings::default(),
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8443))],
            tls: TlsSettings {
                mode: TlsMode::SelfSigned,
                certificate: None,
                key: None,
                names: ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec(),
            },
            proxy: ProxySettings::default(),
            sealing_key: None,
            apns: ApnsSettings { url: constant("https://api.push.apple.com"), extra_roots: Vec::new() },
            google: GoogleSettings {
                api_url: constant("https://androidmanagement.googleapis.com"),
                pubsub_url: constant("https://pubsub.googleapis.com"),
                extra_roots: Vec::new(),
            },
            mail: MailSettings::default(),
            vendor: VendorSettings::default(),
            log: LogSettings { level: "info".to_owned(), format: LogFormat::Text },
            limits: LimitSettings { connections: 8192, request_seconds: 30 },
            retention: RetentionSettings { commands: 180, sessions: 30, audit_details: 2192, wipe_evidence: 2192 },
            workers: std::thread::available_parallelism().map_or(2, std::num::NonZero::get).min(4),
        }
    }
}

impl Config {
    /// The database's address: the setting, or the file in the data folder.
    #[must_use]
    pub fn database_url(&self) -> String {
        match &self.database.url {
            Some(url) => url.clone(),
            None => format!("sqlite:{}", self.data_folder.join("beadle.db").display()),
        }
    }

    /// The file with the sealing key.
    #[must_use]
    pub fn sealing_key_file(&self) -> PathBuf {
        self.sealing_key.clone().unwrap_or_else(|| self.data_folder.join("sealing.key"))
    }

    /// The control socket.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.data_folder.join("control.sock")
    }
}
