//! The service account's key file, which is all that Beadle needs to act at Google: read strictly, and never shown.
//!
//! Source: Google Cloud, "Create and delete service account keys" (the JSON form of a key).

use openssl::pkey::PKey;
use serde_json::{Map, Value};
use url::Url;
use zeroize::Zeroizing;

use crate::config;
use crate::error::{Error, Result};

/// The most that a key file may have, in bytes; Google's have about 2,400.
const LIMIT: usize = 64 * 1024;
/// The RSA keys, by bits, that are believed to be Google's; a longer one would only cost time.
const BITS: std::ops::RangeInclusive<u32> = 2048..=8192;
/// How the clerk names the whole file when it is wrong as such.
const FILE: &str = "key file";

/// A service account's key. Neither `Debug` nor any error shows the private part.
#[derive(Clone)]
pub struct ServiceAccountKey {
    project_id: String,
    private_key_id: String,
    private_key_der: Zeroizing<Vec<u8>>,
    client_email: String,
    token_uri: Url,
}

impl ServiceAccountKey {
    /// Reads a key file as Google hands it out.
    ///
    /// # Errors
    /// [`Error::Invalid`]: which field is wrong and what is expected; never what was in it.
    pub fn parse(file: &[u8]) -> Result<Self> {
        if file.len() > LIMIT {
            return Err(Error::invalid(
                FILE,
                "is too long to be a service account's key; expected is the JSON file that Google made",
            ));
        }
        // The parser's own message could quote the file, so it is not passed on.
        let Ok(Value::Object(fields)) = serde_json::from_slice(file) else {
            return Err(Error::invalid(
                FILE,
                "is not a JSON object; expected is the JSON file that Google made for a service account",
            ));
        };
        if text(&fields, "type")? != "service_account" {
            let expected = "must be \"service_account\": make a key of a service account (not of an OAuth client or of a user), as JSON";
            return Err(Error::invalid("type", expected));
        }
        let token_uri = Url::parse(text(&fields, "token_uri")?).ok().filter(config::may_be_called);
        Ok(Self {
            project_id: name(&fields, "project_id", "the project's id, such as beadle-council")?,
            private_key_id: name(&fields, "private_key_id", "the key's id, letters and digits")?,
            private_key_der: private_key(&fields)?,
            client_email: name(&fields, "client_email", "the service account's address, such as beadle@project.iam.gserviceaccount.com")
                .and_then(address)?,
            token_uri: token_uri.ok_or_else(|| {
                Error::invalid("token_uri", "must be an https address, such as https://oauth2.googleapis.com/token; plain http only to this machine")
            })?,
        })
    }

    /// The Google Cloud project that the service account belongs to.
    #[must_use]
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// The key's id at Google: which of the account's keys this is; not secret.
    #[must_use]
    pub fn private_key_id(&self) -> &str {
        &self.private_key_id
    }

    /// The service account's address.
    #[must_use]
    pub fn client_email(&self) -> &str {
        &self.client_email
    }

    /// Where access tokens are asked for.
    #[must_use]
    pub fn token_uri(&self) -> &Url {
        &self.token_uri
    }

    /// The RSA private key, DER.
    pub(super) fn private_key_der(&self) -> &[u8] {
        &self.private_key_der
    }
}

impl std::fmt::Debug for ServiceAccountKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "ServiceAccountKey({}, key {})", self.client_email, self.private_key_id)
    }
}

fn text<'a>(fields: &'a Map<String, Value>, field: &str) -> Result<&'a str> {
    match fields.get(field) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(Error::invalid(field, "must be a text that is not empty")),
        None => Err(Error::invalid(field, "is missing; use the file as Google made it")),
    }
}

/// A text that may stand in a header, an address or a log line.
fn name(fields: &Map<String, Value>, field: &str, expected: &str) -> Result<String> {
    let text = text(fields, field)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@".contains(&byte);
    if text.len() <= 255 && text.bytes().all(plain) && text.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        Ok(text.to_owned())
    } else {
        Err(Error::invalid(field, format!("must be {expected}")))
    }
}

fn address(text: String) -> Result<String> {
    match text.split_once('@') {
        Some((account, domain)) if !account.is_empty() && domain.contains('.') => Ok(text),
        _ => Err(Error::invalid("client_email", "must be the service account's address, with one @")),
    }
}

fn private_key(fields: &Map<String, Value>) -> Result<Zeroizing<Vec<u8>>> {
    let wrong = |problem: &str| Error::invalid("private_key", problem);
    let pem = text(fields, "private_key")?;
    let key = PKey::private_key_from_pem_passphrase(pem.as_bytes(), b"").map_err(|_| {
        wrong("must be a private key in PEM without password, beginning with -----BEGIN PRIVATE KEY-----")
    })?;
    let rsa = key.rsa().map_err(|_| wrong("must be an RSA key, as Google makes them"))?;
    if !BITS.contains(&key.bits()) || !rsa.check_key().unwrap_or(false) {
        return Err(wrong("must be a sound RSA key of 2048 to 8192 bits"));
    }
    Ok(Zeroizing::new(rsa.private_key_to_der()?))
}

#[cfg(test)]
pub(super) mod tests {
    use openssl::ec::{EcGroup, EcKey};
    use openssl::nid::Nid;
    use openssl::rsa::Rsa;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn rsa_pem(bits: u32) -> String {
        let key = PKey::from_rsa(Rsa::generate(bits).expect("a key")).expect("a key");
        String::from_utf8(key.private_key_to_pem_pkcs8().expect("PEM")).expect("text")
    }

    /// A key file as Google writes one.
    pub(in crate::platform::android) fn key_file(token_uri: &str) -> Value {
        json!({
            "type": "service_account",
            "project_id": "beadle-council",
            "private_key_id": "0123456789abcdef0123456789abcdef01234567",
            "private_key": rsa_pem(2048),
            "client_email": "beadle@beadle-council.iam.gserviceaccount.com",
            "client_id": "100000000000000000000",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        })
    }

    fn parse(file: &Value) -> Result<ServiceAccountKey> {
        ServiceAccountKey::parse(file.to_string().as_bytes())
    }

    fn problem(file: &Value) -> String {
        parse(file).expect_err("wrong").to_string()
    }

    #[test]
    fn a_key_file_of_googles_is_read_and_not_shown() {
        let file = key_file("https://oauth2.googleapis.com/token");
        let key = parse(&file).expect("right");
        assert_eq!(key.project_id(), "beadle-council");
        assert_eq!(key.token_uri().as_str(), "https://oauth2.googleapis.com/token");
        let shown = format!("{key:?}");
        assert_eq!(
            shown,
            "ServiceAccountKey(beadle@beadle-council.iam.gserviceaccount.com, key 0123456789abcdef0123456789abcdef01234567)"
        );
        parse(&key_file("http://127.0.0.1:9/token")).expect("this machine may be asked in the clear");
    }

    #[test]
    fn what_is_wrong_is_said_by_field_and_never_quoted() {
        let right = key_file("https://oauth2.googleapis.com/token");
        let with = |field: &str, value: Value| {
            let mut file = right.clone();
            file[field] = value;
            problem(&file)
        };
        let without = |field: &str| {
            let mut file = right.clone();
            file.as_object_mut().expect("an object").remove(field);
            problem(&file)
        };
        let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
        let elliptic = PKey::from_ec_key(EcKey::generate(&curve).expect("a key")).expect("a key");
        let elliptic = String::from_utf8(elliptic.private_key_to_pem_pkcs8().expect("PEM")).expect("text");
        let secret = "c2VjcmV0IHRleHQ";
        let told = [
            ServiceAccountKey::parse(secret.as_bytes()).expect_err("wrong").to_string(),
            ServiceAccountKey::parse(format!("{{\"private_key\": \"{secret}").as_bytes())
                .expect_err("wrong")
                .to_string(),
            problem(&json!([secret])),
            with("type", json!("authorized_user")),
            without("type"),
            with("project_id", json!("a project\nof mine")),
            with("private_key_id", json!(7)),
            with("private_key", json!(format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n"))),
            with("private_key", json!(elliptic)),
            with("private_key", json!(rsa_pem(1024))),
            with("client_email", json!("beadle")),
            with("client_email", json!("")),
            with("token_uri", json!("http://oauth2.googleapis.com/token")),
            with("token_uri", json!("ftp://oauth2.googleapis.com/token")),
            with("token_uri", json!(secret)),
            without("token_uri"),
        ]
        .join("\n");
        assert!(!told.contains(secret) && !told.contains("authorized_user"), "{told}");
        insta::assert_snapshot!(told);
    }

    #[test]
    fn a_file_that_is_too_long_is_refused_unread() {
        assert!(ServiceAccountKey::parse(&vec![b' '; LIMIT + 1]).expect_err("wrong").to_string().contains("too long"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = ServiceAccountKey::parse(&bytes);
        }

        #[test]
        fn any_fields_are_read_or_refused(field in "type|project_id|private_key|private_key_id|client_email|token_uri", value in ".{0,80}") {
            let mut file = json!({
                "type": "service_account", "project_id": "p", "private_key_id": "1", "private_key": "x",
                "client_email": "a@b.c", "token_uri": "https://oauth2.googleapis.com/token",
            });
            file[field] = json!(value);
            let _ = parse(&file);
        }
    }
}
