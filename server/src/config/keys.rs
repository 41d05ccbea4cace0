//! Every key of the settings: its name, default and meaning, and how a given text becomes its value.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use url::{Host, Url};

use super::sources::Given;
use super::{Config, LogFormat, TlsMode};

/// One key.
pub struct Key {
    /// Its dotted name, as in the file; `BEADLE_` and two underscores for each dot make the variable.
    pub name: &'static str,
    /// Its default, in words or as it would be written.
    pub default: &'static str,
    /// What it means.
    pub about: &'static str,
    pub(super) set: fn(&mut Config, &Given) -> Result<(), String>,
}

impl Key {
    /// The variable that sets it.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("BEADLE_{}", self.name.replace('.', "__").to_uppercase())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

fn text(given: &Given) -> Result<&str, String> {
    match given.one() {
        Some(text) if !text.trim().is_empty() => Ok(text.trim()),
        Some(_) => Err("must not be empty; leave the key out to use the default".to_owned()),
        None => Err("must be one value, not a list".to_owned()),
    }
}

fn path(given: &Given) -> Result<PathBuf, String> {
    text(given).map(PathBuf::from)
}

fn number<T: FromStr + PartialOrd + std::fmt::Display + Copy>(given: &Given, from: T, to: T) -> Result<T, String> {
    text(given)?
        .parse()
        .ok()
        .filter(|number| (from..=to).contains(number))
        .ok_or_else(|| format!("must be a whole number from {from} to {to}"))
}

fn each<T: FromStr>(given: &Given, what: &str) -> Result<Vec<T>, String> {
    let list = given.list();
    if list.is_empty() {
        return Err(format!("must have at least one {what}"));
    }
    list.iter().map(|part| part.parse().map_err(|_| format!("{part:?} is not {what}"))).collect()
}

/// An address of the outside world: https, or plain http where it cannot leave this machine.
fn outside(given: &Given, example: &str) -> Result<Url, String> {
    let url = Url::parse(text(given)?).ok().filter(may_be_called);
    url.ok_or_else(|| {
        format!("must be an address such as {example}; plain http:// only to 127.0.0.1, [::1] or localhost")
    })
}

/// Whether Beadle may call this address: over https, or over plain http where that cannot leave this machine.
pub(crate) fn may_be_called(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    match url.scheme() {
        "https" => true,
        "http" => loopback,
        _ => false,
    }
}

/// All keys, in the order of the reference.
pub const KEYS: &[Key] = &[
    Key {
        name: "data_folder",
        default: "beadle-data",
        about: "The folder of everything that is Beadle's own: the database, the sealing key, the control socket and the anchor of the audit trail. Made at the first start, readable by its owner only. One running server owns it.",
        set: |config, given| path(given).map(|value| config.data_folder = value),
    },
    Key {
        name: "database.url",
        default: "sqlite: and beadle.db in the data folder",
        about: "The database: sqlite:PATH, or postgres://USER:PASSWORD@HOST/NAME for PostgreSQL 15 or newer.",
        set: |config, given| {
            let value = text(given)?;
            if value.strip_prefix("sqlite:").is_some_and(|path| !path.is_empty())
                || value.starts_with("postgres://")
                || value.starts_with("postgresql://")
            {
                config.database.url = Some(value.to_owned());
                return Ok(());
            }
            Err("must begin with sqlite: (a file) or postgres:// (a server)".to_owned())
        },
    },
    Key {
        name: "listen",
        default: "127.0.0.1:8443",
        about: "One or more addresses with port on which devices and people reach the server, for example 0.0.0.0:443 or [::]:443. Port 0 takes any free one.",
        set: |config, given| {
            each::<SocketAddr>(given, "an address with port, such as 0.0.0.0:443 or [::]:443")
                .map(|value| config.listen = value)
        },
    },
    Key {
        name: "tls.mode",
        default: "self_signed",
        about: "files: own certificate and key files, what real devices need. self_signed: a certificate made at the first start, for trying out. proxy: a reverse proxy on this machine speaks TLS, and Beadle speaks plain HTTP to it on a loopback address.",
        set: |config, given| {
            config.tls.mode = match text(given)? {
                "files" => TlsMode::Files,
                "self_signed" => TlsMode::SelfSigned,
                "proxy" => TlsMode::Proxy,
                _ => return Err("must be files, self_signed or proxy".to_owned()),
            };
            Ok(())
        },
    },
    Key {
        name: "tls.certificate",
        default: "none",
        about: "With tls.mode = files: PEM file with the server's certificate followed by its intermediates. Read again on SIGHUP.",
        set: |config, given| path(given).map(|value| config.tls.certificate = Some(value)),
    },
    Key {
        name: "tls.key",
        default: "none",
        about: "With tls.mode = files: PEM file with the certificate's private key, without password. Read again on SIGHUP.",
        set: |config, given| path(given).map(|value| config.tls.key = Some(value)),
    },
    Key {
        name: "tls.names",
        default: "localhost, 127.0.0.1, ::1",
        about: "With tls.mode = self_signed: the host names and addresses that the certificate is for.",
        set: |config, given| each::<String>(given, "a host name or address").map(|value| config.tls.names = value),
    },
    Key {
        name: "proxy.addresses",
        default: "none",
        about: "With tls.mode = proxy: the addresses of the reverse proxy, whose word about the caller's address is believed. Nobody else's is.",
        set: |config, given| {
            each::<IpAddr>(given, "an IP address, such as 127.0.0.1").map(|value| config.proxy.addresses = value)
        },
    },
    Key {
        name: "sealing_key",
        default: "sealing.key in the data folder",
        about: "The file with the key that seals secrets in the database. Made at the first start. Keep a copy away from this machine and away from the backups: without it a backup cannot be used.",
        set: |config, given| path(given).map(|value| config.sealing_key = Some(value)),
    },
    Key {
        name: "apns.url",
        default: "https://api.push.apple.com",
        about: "Apple's push service.",
        set: |config, given| outside(given, "https://api.push.apple.com").map(|value| config.apns.url = value),
    },
    Key {
        name: "apns.extra_roots",
        default: "none",
        about: "PEM files with further root certificates to trust for apns.url, beside the system's.",
        set: |config, given| each::<PathBuf>(given, "a file").map(|value| config.apns.extra_roots = value),
    },
    Key {
        name: "google.api_url",
        default: "https://androidmanagement.googleapis.com",
        about: "Google's Android Management API. The address at which access is asked for is not a setting: the service account's key file names it.",
        set: |config, given| {
            outside(given, "https://androidmanagement.googleapis.com").map(|value| config.google.api_url = value)
        },
    },
    Key {
        name: "google.pubsub_url",
        default: "https://pubsub.googleapis.com",
        about: "Google Cloud Pub/Sub, from which notifications about Android phones are fetched. Nothing inbound is needed.",
        set: |config, given| {
            outside(given, "https://pubsub.googleapis.com").map(|value| config.google.pubsub_url = value)
        },
    },
    Key {
        name: "google.extra_roots",
        default: "none",
        about: "PEM files with further root certificates to trust for Google's addresses, beside the system's.",
        set: |config, given| each::<PathBuf>(given, "a file").map(|value| config.google.extra_roots = value),
    },
    Key {
        name: "mail.extra_roots",
        default: "none",
        about: "PEM files with further root certificates to trust for the mail server, beside the system's. The server itself is set in the console.",
        set: |config, given| each::<PathBuf>(given, "a file").map(|value| config.mail.extra_roots = value),
    },
    Key {
        name: "vendor.certificate",
        default: "none",
        about: "PEM file with the MDM vendor certificate that Apple gave the provider, followed by Apple's intermediate and root. Signs the requests for councils' push certificates.",
        set: |config, given| path(given).map(|value| config.vendor.certificate = Some(value)),
    },
    Key {
        name: "vendor.key",
        default: "none",
        about: "PEM file with the vendor certificate's private key, without password.",
        set: |config, given| path(given).map(|value| config.vendor.key = Some(value)),
    },
    Key {
        name: "log.level",
        default: "info",
        about: "error, warn, info, debug or trace; or a filter such as info,beadle_server=debug. Read again on SIGHUP.",
        set: |config, given| {
            let value = text(given)?;
            tracing_subscriber::EnvFilter::try_new(value).map_err(|_| {
                "must be error, warn, info, debug or trace, or a filter such as info,beadle_server=debug".to_owned()
            })?;
            config.log.level = value.to_owned();
            Ok(())
        },
    },
    Key {
        name: "log.format",
        default: "text",
        about: "text for people, json for machines (one object a line). Logs go to standard error.",
        set: |config, given| {
            config.log.format = match text(given)? {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return Err("must be text or json".to_owned()),
            };
            Ok(())
        },
    },
    Key {
        name: "limits.connections",
        default: "8192",
        about: "How many connections may be open at once.",
        set: |config, given| number(given, 16, 1_000_000).map(|value| config.limits.connections = value),
    },
    Key {
        name: "limits.request_seconds",
        default: "30",
        about: "Within how many seconds a request's head must have arrived, and within how many more its body.",
        set: |config, given| number(given, 1, 600).map(|value| config.limits.request_seconds = value),
    },
    Key {
        name: "retention.commands",
        default: "180",
        about: "For how many days ended commands and the devices' answers are kept; those of a case at least until it is closed. Orders and the audit trail are kept for ever.",
        set: |config, given| number(given, 1, 36_500).map(|value| config.retention.commands = value),
    },
    Key {
        name: "retention.sessions",
        default: "30",
        about: "For how many days sign-ins are kept after they ended or ran out.",
        set: |config, given| number(given, 1, 36_500).map(|value| config.retention.sessions = value),
    },
    Key {
        name: "retention.audit_details",
        default: "2192",
        about: "For how many days the personal details beside the audit trail are kept (2192: six years). The trail itself stays, and verification says how many details were purged. The details of orders and of cases that are not at their end are kept in any case, and so are those of legal holds, which show what holds.",
        set: |config, given| number(given, 30, 36_500).map(|value| config.retention.audit_details = value),
    },
    Key {
        name: "retention.wipe_evidence",
        default: "2192",
        about: "For how many days after its end the details of an order to erase, and of the case that it belongs to, are kept (2192: six years); at least as long as retention.audit_details.",
        set: |config, given| number(given, 30, 36_500).map(|value| config.retention.wipe_evidence = value),
    },
    Key {
        name: "workers",
        default: "as many as processors, at most 4",
        about: "How many threads answer requests.",
        set: |config, given| number(given, 1, 64).map(|value| config.workers = value),
    },
];

/// The reference of all keys, as `docs/configuration.md` has it.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Settings come from the file `beadle.toml` (in the folder where Beadle starts, or named with `--config` or\n\
         `BEADLE_CONFIG`), from variables, and from flags (`--set KEY=VALUE`); the later beats the earlier. In the file a\n\
         key's part before the dot is a table: `tls.mode` is `mode` under `[tls]`. In a variable or flag the values of a list\n\
         are separated by commas. `beadle check-config` checks everything without starting, and tells all that is wrong.\n\n\
         This page is written from the program's own table of keys; `beadle check-config --reference` prints it.\n",
    );
    for key in KEYS {
        page.push_str(&format!(
            "\n## `{}`\n\n{}\n\nDefault: {}. Variable: `{}`.\n",
            key.name,
            key.about,
            key.default,
            key.variable()
        ));
    }
    page
}
