//! The token endpoint: a service account's signed claim for an access token that lives an hour.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Public};
use openssl::rsa::Rsa;
use openssl::sign::Verifier;
use serde_json::{Value, json};

use super::http::pairs;
use super::state::State;
use crate::Result;

/// The scope for the Android Management API.
pub(crate) const API_SCOPE: &str = "https://www.googleapis.com/auth/androidmanagement";
/// The scope for Pub/Sub.
pub(crate) const PUBSUB_SCOPE: &str = "https://www.googleapis.com/auth/pubsub";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Clocks may differ by so many seconds.
const SKEW: i64 = 30;

/// A service account as Google knows it: without the private key, which only the key file has.
pub(crate) struct Account {
    pub(crate) email: String,
    pub(crate) project: String,
    pub(crate) key_id: String,
    pub(crate) key: PKey<Public>,
    pub(crate) revoked: bool,
}

/// What was granted with an access token.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) project: String,
    pub(crate) scopes: Vec<String>,
    /// Milliseconds since 1970.
    pub(crate) expires: i64,
}

/// A new service account of a project, and the text of its key file.
pub(crate) fn account(project: &str, token_uri: &str) -> Result<(Account, String)> {
    let rsa = Rsa::generate(2048)?;
    let public = PKey::from_rsa(Rsa::from_public_components(rsa.n().to_owned()?, rsa.e().to_owned()?)?)?;
    let private = PKey::from_rsa(rsa)?;
    let private = String::from_utf8_lossy(&private.private_key_to_pem_pkcs8()?).into_owned();
    let email = format!("beadle@{project}.iam.gserviceaccount.com");
    let key_id = super::random_hex(20)?;
    let file = json!({
        "type": "service_account",
        "project_id": project,
        "private_key_id": key_id,
        "private_key": private,
        "client_email": email,
        "client_id": "102000000000000000001",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_uri,
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "client_x509_cert_url": format!("https://www.googleapis.com/robot/v1/metadata/x509/beadle%40{project}.iam.gserviceaccount.com"),
        "universe_domain": "googleapis.com",
    });
    let text = serde_json::to_string_pretty(&file).unwrap_or_default();
    Ok((Account { email, project: project.to_owned(), key_id, key: public, revoked: false }, text))
}

/// Why no token is given: OAuth's code and Google's words.
type Refused = (&'static str, String);

fn refused<T>(code: &'static str, words: impl Into<String>) -> std::result::Result<T, Refused> {
    Err((code, words.into()))
}

impl State {
    /// Answers a request for a token: the status and the body.
    pub(crate) fn token(&mut self, content_type: Option<&str>, body: &[u8], now: i64) -> (u16, Value) {
        match self.grant(content_type, body, now) {
            Ok(token) => {
                // Google says a second less than it gives.
                let seconds = (self.token_lifetime / 1000).saturating_sub(1).max(1);
                (200, json!({ "access_token": token, "expires_in": seconds, "token_type": "Bearer" }))
            }
            Err((code, words)) => (400, json!({ "error": code, "error_description": words })),
        }
    }

    fn grant(&mut self, content_type: Option<&str>, body: &[u8], now: i64) -> std::result::Result<String, Refused> {
        if !content_type.unwrap_or_default().starts_with("application/x-www-form-urlencoded") {
            return refused("invalid_request", "The body must be a form.");
        }
        let form = pairs(&String::from_utf8_lossy(body));
        let value = |name: &str| form.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
        if form.len() != 2 {
            return refused("invalid_request", "grant_type and assertion, and nothing else, must be given.");
        }
        if value("grant_type") != GRANT {
            return refused("unsupported_grant_type", format!("Invalid grant_type: {}", value("grant_type")));
        }
        let account = self.verified(value("assertion"), now / 1000)?;
        let (project, scopes) = account;
        let Ok(secret) = super::random_hex(40) else {
            return refused("internal_failure", "no randomness");
        };
        let token = format!("ya29.{secret}");
        let grant = Grant { project, scopes, expires: now + self.token_lifetime };
        self.grants.retain(|_, grant| grant.expires > now);
        self.grants.insert(token.clone(), grant);
        Ok(token)
    }

    fn verified(&self, assertion: &str, now: i64) -> std::result::Result<(String, Vec<String>), Refused> {
        let parts: Vec<&str> = assertion.split('.').collect();
        let [head, claims, signature] = parts.as_slice() else {
            return refused("invalid_grant", "Invalid JWT: it must have three parts.");
        };
        let read = |part: &str| {
            let octets = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Value>(&octets).ok()
        };
        let (Some(header), Some(content)) = (read(head), read(claims)) else {
            return refused("invalid_grant", "Invalid JWT: not base64url of JSON.");
        };
        if header["alg"] != "RS256" || header.get("typ").is_some_and(|kind| kind != "JWT") {
            return refused("invalid_grant", "Invalid JWT: alg must be RS256 and typ JWT.");
        }
        let issuer = content["iss"].as_str().unwrap_or_default();
        let Some(account) = self.accounts.iter().find(|account| account.email == issuer) else {
            return refused("invalid_grant", "Invalid grant: account not found");
        };
        let known = header["kid"].as_str() == Some(&account.key_id) && !account.revoked;
        let octets = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        let signed = format!("{head}.{claims}");
        let verified = Verifier::new(MessageDigest::sha256(), &account.key)
            .and_then(|mut verifier| verifier.verify_oneshot(&octets, signed.as_bytes()))
            .unwrap_or(false);
        if !known || !verified {
            return refused("invalid_grant", "Invalid JWT Signature.");
        }
        if content["aud"].as_str() != Some(&self.token_uri) {
            return refused("invalid_grant", "Invalid JWT: Failed audience check.");
        }
        let (Some(issued), Some(expires)) = (content["iat"].as_i64(), content["exp"].as_i64()) else {
            return refused("invalid_grant", "Invalid JWT: iat and exp must be whole seconds.");
        };
        if issued > now + SKEW || expires <= now || expires > issued + 3600 || expires <= issued {
            return refused(
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and \
                 exp values in the JWT claim.",
            );
        }
        if content.get("sub").is_some_and(|subject| subject != issuer) {
            return refused(
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method.",
            );
        }
        let scopes: Vec<String> = content["scope"]
            .as_str()
            .unwrap_or_default()
            .split(' ')
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect();
        if scopes.is_empty() || scopes.iter().any(|scope| scope != API_SCOPE && scope != PUBSUB_SCOPE) {
            return refused("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
        }
        Ok((account.project.clone(), scopes))
    }
}
