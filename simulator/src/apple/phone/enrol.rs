//! From an invitation to a managed phone: the page, the form, the profile, the certificate, the first check-in.

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use plist::Value;

use super::page::{Form, acceptance_form, profile_link};
use super::profile::{EnrolmentProfile, profile_violations, read_profile};
use super::state::InstalledProfile;
use super::transport::{Transport, cookies_of};
use super::{Phone, Reply};
use crate::apple::cms::{ContentCipher, Digest};
use crate::apple::keys::{Identity, rsa_key};
use crate::apple::scep::{Authority, Capabilities, Request, RequestOptions, subject_of_payload};
use crate::apple::schema::Source;
use crate::error::server;
use crate::{Error, Result};

const PROFILE_TYPE: &str = "application/x-apple-aspen-config";

/// The page an invitation leads to.
#[derive(Debug, Clone)]
pub struct LandingPage {
    /// The answer, HTML.
    pub reply: Reply,
    /// The form that accepts.
    pub form: Form,
    cookies: String,
}

/// How to ask for a certificate; the default is what an honest phone does.
#[derive(Debug, Clone, Default)]
pub struct ScepAttempt {
    /// Another challenge than the profile's; an empty one is none at all.
    pub challenge: Option<String>,
    /// This key rather than a new one.
    pub key: Option<PKey<Private>>,
    /// Another digest than the authority's capabilities suggest.
    pub digest: Option<Digest>,
    /// Another cipher than the authority's capabilities suggest.
    pub cipher: Option<ContentCipher>,
    /// Another message type than `19` (PKCSReq).
    pub message_type: Option<String>,
    /// Sign with this identity instead of a self-signed certificate (RenewalReq).
    pub signed_by: Option<Identity>,
    /// Send by GET, base64 in the query, rather than by POST.
    pub by_get: bool,
}

/// A SCEP request as sent and everything needed to send it again and read the answer.
#[derive(Clone)]
pub struct SentScep {
    /// The authority's address.
    pub url: String,
    /// The request.
    pub request: Request,
    /// The authority's certificates.
    pub authority: Authority,
    /// The key the certificate is for.
    pub key: PKey<Private>,
}

impl Phone {
    /// Does everything from the invitation's address to the first TokenUpdate.
    ///
    /// # Errors
    /// Whatever a phone would stop at: [`Error::Server`], [`Error::Status`], [`Error::ScepRefused`].
    pub async fn enrol(&mut self, invitation_url: &str) -> Result<()> {
        let profile = self.fetch_profile(invitation_url).await?;
        self.install_enrolment(&profile, &ScepAttempt::default()).await
    }

    /// Enrols a phone that was wiped or left: same hardware, new key, new tokens.
    ///
    /// # Errors
    /// As [`Phone::enrol`].
    pub async fn re_enrol(&mut self, invitation_url: &str) -> Result<()> {
        self.forget_server();
        self.passcode_length = self.options.passcode_length;
        self.shared.change(|state| {
            state.wiped = false;
            state.enrolled = false;
            state.unenrolled_because = None;
            state.passcode_present = self.passcode_length.is_some();
            state.profiles.clear();
        });
        self.enrol(invitation_url).await
    }

    /// Opens the invitation, as scanning its code does.
    ///
    /// # Errors
    /// [`Error::Server`] when it is not an HTML page with a form that accepts.
    pub async fn visit(&self, invitation_url: &str) -> Result<LandingPage> {
        let reply = self.http.browse(Transport::url(invitation_url)?, "").await?.ok()?;
        if reply.content_type != "text/html" {
            return Err(server(format!("the invitation is {:?}, not a page", reply.content_type)));
        }
        let form = acceptance_form(&String::from_utf8_lossy(&reply.body))
            .ok_or_else(|| server("the invitation's page has no form to accept with"))?;
        Ok(LandingPage { cookies: cookies_of(&reply), form, reply })
    }

    /// Accepts, and follows to the profile. Answers the profile as downloaded.
    ///
    /// # Errors
    /// [`Error::Server`] when no configuration profile comes of it.
    pub async fn accept(&self, page: &LandingPage) -> Result<Vec<u8>> {
        let target = if page.form.action.is_empty() {
            page.reply.url.clone()
        } else {
            page.reply.url.join(&page.form.action).map_err(|_| server("the form leads nowhere"))?
        };
        let mut reply = self.http.submit(target, &page.form.fields, &page.reply.url, &page.cookies).await?.ok()?;
        if reply.content_type == "text/html" {
            let link = profile_link(&String::from_utf8_lossy(&reply.body))
                .ok_or_else(|| server("the page after accepting has no link to a profile"))?;
            let link = reply.url.join(&link).map_err(|_| server("the link to the profile leads nowhere"))?;
            let cookies = [page.cookies.clone(), cookies_of(&reply)].join("; ");
            reply = self.http.browse(link, cookies.trim_matches([';', ' '])).await?.ok()?;
        }
        if reply.content_type != PROFILE_TYPE {
            return Err(server(format!("the profile comes as {:?}", reply.content_type)));
        }
        Ok(reply.body)
    }

    /// Gets the enrolment profile and judges it: signed, by Apple's schema in order, complete.
    ///
    /// # Errors
    /// [`Error::Server`] when an iPhone would not install it.
    pub async fn fetch_profile(&mut self, invitation_url: &str) -> Result<EnrolmentProfile> {
        let page = self.visit(invitation_url).await?;
        let raw = self.accept(&page).await?;
        let (document, signed) = read_profile(&raw)?;
        if !signed {
            return Err(server("the enrolment profile is not signed"));
        }
        self.judge(&document, Source::Manual)?;
        EnrolmentProfile::parse(&raw)
    }

    /// Notes what Apple's schema forbids in a profile, and refuses it then.
    pub(crate) fn judge(&self, document: &Value, source: Source) -> Result<()> {
        let violations = profile_violations(&self.options, document, source);
        if violations.is_empty() {
            return Ok(());
        }
        let complaint = format!("the profile breaks Apple's schema: {}", violations.join("; "));
        self.shared.change(|state| state.violations.extend(violations));
        Err(server(complaint))
    }

    /// Installs an enrolment profile: certificate, Authenticate, TokenUpdate.
    ///
    /// # Errors
    /// As [`Phone::enrol`]; the phone is then not managed.
    pub async fn install_enrolment(&mut self, profile: &EnrolmentProfile, attempt: &ScepAttempt) -> Result<()> {
        if self.shared.read(|state| state.enrolled) {
            return Err(Error::State("already managed"));
        }
        let identity = self.scep_enrol(profile, attempt).await?;
        self.adopt(identity)?;
        self.management = Some(profile.management.clone());
        self.push_magic.clear();
        self.unlock_token.clear();
        self.unlock_token_sent = false;
        let checked_in = match self.authenticate().await {
            Ok(_) => self.token_update().await,
            Err(error) => Err(error),
        };
        if let Err(error) = checked_in {
            self.forget_server();
            return Err(error);
        }
        let installed = installed_profile(&profile.document, false)?;
        self.shared.change(|state| state.profiles.push(installed));
        Ok(())
    }

    pub(crate) fn adopt(&mut self, identity: Identity) -> Result<()> {
        let fingerprint = identity.fingerprint()?;
        self.identity = Some(identity);
        self.shared.change(|state| state.identities.push(fingerprint));
        Ok(())
    }

    /// Gets a certificate by SCEP for the profile's payload. Does not adopt it.
    ///
    /// # Errors
    /// [`Error::ScepRefused`] when refused, [`Error::Server`] when an answer is not as RFC 8894 wants it.
    pub async fn scep_enrol(&mut self, profile: &EnrolmentProfile, attempt: &ScepAttempt) -> Result<Identity> {
        let sent = self.prepare_scep(profile, attempt).await?;
        self.last_scep = Some(sent.clone());
        let certificate = self.send_scep(&sent, attempt.by_get).await?;
        Ok(Identity { key: sent.key, certificate })
    }

    /// Makes a SCEP request for the profile's payload, without sending it.
    ///
    /// # Errors
    /// As [`Phone::scep_enrol`].
    pub async fn prepare_scep(&mut self, profile: &EnrolmentProfile, attempt: &ScepAttempt) -> Result<SentScep> {
        let payload = &profile.scep;
        if !matches!(payload.key_size, 1024 | 2048 | 4096) {
            return Err(server(format!("Keysize {} is refused by iOS", payload.key_size)));
        }
        let name = payload.name.as_deref().unwrap_or_default();
        let capabilities = self.http.get(scep_url(&payload.url, "GetCACaps", Some(name))?).await?.ok()?;
        let capabilities = Capabilities::parse(&String::from_utf8_lossy(&capabilities.body));
        let answer = self.http.get(scep_url(&payload.url, "GetCACert", Some(name))?).await?.ok()?;
        let authority = Authority::parse(&answer.content_type, &answer.body)?;
        if let Some(fingerprint) = &payload.fingerprint {
            authority.check_fingerprint(fingerprint)?;
        }
        let key = match (&attempt.key, &self.options.keys) {
            (Some(key), _) => key.clone(),
            (None, Some(pool)) if payload.key_size == 2048 => pool.take()?,
            (None, _) => {
                let bits = payload.key_size;
                let made = tokio::task::spawn_blocking(move || rsa_key(bits)).await;
                made.map_err(|_| Error::State("making the key was interrupted"))??
            }
        };
        let options = RequestOptions {
            subject: subject_of_payload(payload.subject.as_ref())?,
            challenge: attempt.challenge.as_deref().or(payload.challenge.as_deref()).filter(|it| !it.is_empty()),
            message_type: attempt.message_type.as_deref().unwrap_or("19"),
            digest: attempt.digest.unwrap_or(capabilities.digest()),
            cipher: attempt.cipher.unwrap_or(capabilities.cipher()),
            signed_by: attempt.signed_by.as_ref(),
            now: self.options.clock.unix(),
        };
        let request = Request::new(&key, &authority, &options)?;
        Ok(SentScep { url: payload.url.clone(), request, authority, key })
    }

    /// Sends a SCEP request, new or used before, octet for octet.
    ///
    /// # Errors
    /// As [`Phone::scep_enrol`].
    pub async fn send_scep(&self, sent: &SentScep, by_get: bool) -> Result<X509> {
        let reply = if by_get {
            use base64::Engine as _;
            let message = base64::engine::general_purpose::STANDARD.encode(&sent.request.message);
            self.http.get(scep_url(&sent.url, "PKIOperation", Some(&message))?).await?
        } else {
            let url = scep_url(&sent.url, "PKIOperation", None)?;
            self.http.post(url, "application/x-pki-message", &sent.request.message).await?
        };
        let reply = reply.ok()?;
        sent.request.read_reply(&reply.content_type, &reply.body, &sent.authority)
    }
}

fn scep_url(base: &str, operation: &str, message: Option<&str>) -> Result<reqwest::Url> {
    let mut url = Transport::url(base)?;
    url.query_pairs_mut().append_pair("operation", operation);
    if let Some(message) = message {
        url.query_pairs_mut().append_pair("message", message);
    }
    Ok(url)
}

pub(crate) fn installed_profile(document: &Value, managed: bool) -> Result<InstalledProfile> {
    let profile = document.as_dictionary().ok_or(Error::Malformed("profile"))?;
    let field = |key: &str| {
        profile
            .get(key)
            .and_then(Value::as_string)
            .map(str::to_owned)
            .ok_or_else(|| server(format!("the profile lacks {key}")))
    };
    Ok(InstalledProfile {
        identifier: field("PayloadIdentifier")?,
        uuid: field("PayloadUUID")?,
        managed,
        document: document.clone(),
    })
}
