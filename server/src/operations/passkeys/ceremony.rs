//! The questions that are put to a passkey, and whether its answers are right. Answers are checked outside any transaction.

use chrono::Duration;
use serde_json::Value;
use url::{Host, Url};
use uuid::Uuid;
use webauthn_rs::prelude::{
    CredentialID, DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyAuthentication, PasskeyRegistration,
    PublicKeyCredential, RegisterPublicKeyCredential, WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use super::own::{MOST as MOST_PASSKEYS, own};
use super::{Used, credential_hash};
use crate::error::{Error, Result};
use crate::keys::sha256_hex;
use crate::model::{Moment, OperatorId};
use crate::operations::Context;
use crate::store::passkey_ceremonies::PasskeyCeremony;
use crate::store::passkeys::PasskeyRow;
use crate::store::{self, Transaction};

/// A passkey's answer to a question.
pub type Answer = PublicKeyCredential;

/// How long an answer may take.
pub const GOOD_FOR: Duration = Duration::minutes(5);
/// How long an answer may be, in bytes.
pub(super) const MOST: usize = 20_000;

/// What a passkey is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To become a passkey of this account.
    Register,
    /// To say whose it is.
    SignIn,
    /// To show again that whoever is signed in is still there.
    Confirm,
}

impl Purpose {
    /// As the database has it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::SignIn => "sign_in",
            Self::Confirm => "confirm",
        }
    }
}

/// The configured public address that a browser says it came to. The browser only chooses among them: what a passkey is asked
/// for bears the address from the council's row.
///
/// # Errors
/// Of the database.
pub fn address(tx: &mut Transaction<'_>, host: &str) -> Result<Option<String>> {
    for scheme in ["https", "http"] {
        let Ok(url) = Url::parse(&format!("{scheme}://{host}")) else { return Ok(None) };
        // Browsers know no passkeys of a bare number.
        if !matches!(url.host(), Some(Host::Domain(_))) {
            return Ok(None);
        }
        if let Some(council) = store::councils::find_by_public_url(tx, &url.origin().ascii_serialization())? {
            return Ok(Some(council.public_url));
        }
    }
    Ok(None)
}

/// Who asks: a name and an origin, both from the configured address.
fn relying_party(address: &str) -> Result<Webauthn> {
    let url = Url::parse(address).map_err(Error::internal)?;
    let Some(Host::Domain(name)) = url.host() else {
        return Err(Error::conflict("passkeys need an address with a name, not with a number"));
    };
    WebauthnBuilder::new(name, &url).and_then(|builder| builder.rp_name("Beadle").build()).map_err(Error::internal)
}

/// A question for a browser.
#[derive(Clone, Debug)]
pub struct Begun {
    /// As `navigator.credentials` takes it, with bytes in base 64.
    pub options: Value,
}

fn put(
    tx: &mut Transaction<'_>,
    (bound_to, purpose, address): (&str, Purpose, &str),
    state: &impl serde::Serialize,
    now: Moment,
) -> Result<()> {
    let row = PasskeyCeremony {
        bound_to: sha256_hex(bound_to.as_bytes()),
        purpose: purpose.as_str().to_owned(),
        address: address.to_owned(),
        state: serde_json::to_string(state)?,
        created_at: now,
    };
    store::passkey_ceremonies::put(tx, &row)
}

/// Asks for a new passkey for the caller's own account.
///
/// # Errors
/// `Forbidden` for someone who has a second factor and has not shown it lately.
pub fn begin_registration(tx: &mut Transaction<'_>, context: &Context, bound_to: &str, address: &str) -> Result<Begun> {
    let (_, operator) = own(tx, context)?;
    let rows = store::passkeys::of_operator(tx, &operator.id, MOST_PASSKEYS)?;
    let known: Vec<CredentialID> = passkeys_of(&rows)?.iter().map(|passkey| passkey.cred_id().clone()).collect();
    let user = Uuid::parse_str(operator.id.as_str()).map_err(Error::internal)?;
    let (options, state) = relying_party(address)?
        .start_passkey_registration(user, &operator.login, &operator.name, Some(known))
        .map_err(Error::internal)?;
    put(tx, (bound_to, Purpose::Register, address), &state, context.now)?;
    let mut options = serde_json::to_value(&options)?;
    // One that the browser finds by itself, since signing in asks for no name first.
    if let Some(wanted) = options.pointer_mut("/publicKey/authenticatorSelection").and_then(Value::as_object_mut) {
        wanted.insert("residentKey".to_owned(), "required".into());
        wanted.insert("requireResidentKey".to_owned(), true.into());
    }
    Ok(Begun { options })
}

/// Asks whichever passkey the person chooses whose it is.
///
/// # Errors
/// Of the database.
pub fn begin_sign_in(tx: &mut Transaction<'_>, bound_to: &str, address: &str, now: Moment) -> Result<Begun> {
    let (mut options, state) = relying_party(address)?.start_discoverable_authentication().map_err(Error::internal)?;
    // Asked for by a button, not while a name is typed.
    options.mediation = None;
    put(tx, (bound_to, Purpose::SignIn, address), &state, now)?;
    Ok(Begun { options: serde_json::to_value(&options)? })
}

/// Asks the caller's own passkeys once more.
///
/// # Errors
/// `Conflict` when he has none for this address.
pub fn begin_confirmation(tx: &mut Transaction<'_>, context: &Context, bound_to: &str, address: &str) -> Result<Begun> {
    let signed_in = context.actor.signed_in().ok_or_else(|| Error::forbidden("sign in first"))?;
    let mut rows = store::passkeys::of_operator(tx, &signed_in.operator, MOST_PASSKEYS)?;
    rows.retain(|row| row.address == address);
    if rows.is_empty() {
        return Err(Error::conflict("you have no passkey for this address"));
    }
    let (options, state) =
        relying_party(address)?.start_passkey_authentication(&passkeys_of(&rows)?).map_err(Error::internal)?;
    put(tx, (bound_to, Purpose::Confirm, address), &state, context.now)?;
    Ok(Begun { options: serde_json::to_value(&options)? })
}

fn passkeys_of(rows: &[PasskeyRow]) -> Result<Vec<Passkey>> {
    rows.iter().map(|row| Ok(serde_json::from_str(&row.credential)?)).collect()
}

/// A question that was taken back from where it was kept, for one answer.
#[derive(Clone, Debug)]
pub struct Ceremony {
    row: PasskeyCeremony,
}

/// Takes the question that was put to this visitor; none when there is none, or it is older than five minutes.
///
/// # Errors
/// Of the database.
pub fn take(tx: &mut Transaction<'_>, purpose: Purpose, bound_to: &str, now: Moment) -> Result<Option<Ceremony>> {
    let row = store::passkey_ceremonies::take(tx, &sha256_hex(bound_to.as_bytes()), purpose.as_str())?;
    Ok(row.filter(|row| now >= row.created_at && now - row.created_at <= GOOD_FOR).map(|row| Ceremony { row }))
}

/// What a right answer to [`begin_registration`] gives.
#[derive(Clone, Debug)]
pub struct Right {
    pub(super) credential_hash: String,
    pub(super) credential: String,
    pub(super) address: String,
}

/// Checks a new passkey; slow, and outside any transaction. Nothing for a wrong answer.
///
/// # Errors
/// `Internal` when what was kept cannot be read.
pub fn register(ceremony: &Ceremony, answer: &str) -> Result<Option<Right>> {
    let state: PasskeyRegistration = serde_json::from_str(&ceremony.row.state)?;
    let read = Some(answer).filter(|answer| answer.len() <= MOST);
    let Some(answer) = read.and_then(|answer| serde_json::from_str::<RegisterPublicKeyCredential>(answer).ok()) else {
        return Ok(None);
    };
    match relying_party(&ceremony.row.address)?.finish_passkey_registration(&answer, &state) {
        Ok(passkey) => Ok(Some(Right {
            credential_hash: credential_hash(passkey.cred_id()),
            credential: serde_json::to_string(&passkey)?,
            address: ceremony.row.address.clone(),
        })),
        Err(problem) => {
            tracing::info!(%problem, "a passkey was not registered");
            Ok(None)
        }
    }
}

/// How an answer turned out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// Right.
    Right(Used),
    /// Wrong.
    Wrong,
    /// Signed by the right key, whose count went back: somebody may have a copy of it.
    WentBack,
}

impl Ceremony {
    /// Checks a passkey's answer; slow, and outside any transaction.
    ///
    /// # Errors
    /// `Internal` when what was kept cannot be read.
    pub fn verify(&self, row: &PasskeyRow, answer: &Answer) -> Result<Verified> {
        if row.address != self.row.address {
            return Ok(Verified::Wrong);
        }
        let relying_party = relying_party(&self.row.address)?;
        let mut passkey: Passkey = serde_json::from_str(&row.credential)?;
        let checked = if self.row.purpose == Purpose::SignIn.as_str() {
            let state: DiscoverableAuthentication = serde_json::from_str(&self.row.state)?;
            // Whose it says it is must be whose it is.
            let named = relying_party.identify_discoverable_authentication(answer);
            let own = named.is_ok_and(|(user, _)| row.operator_id == OperatorId::from(user.to_string()));
            if !own {
                return Ok(Verified::Wrong);
            }
            relying_party.finish_discoverable_authentication(answer, state, &[DiscoverableKey::from(&passkey)])
        } else {
            let state: PasskeyAuthentication = serde_json::from_str(&self.row.state)?;
            relying_party.finish_passkey_authentication(answer, &state)
        };
        match checked {
            Ok(result) if result.user_verified() => {
                passkey.update_credential(&result);
                Ok(Verified::Right(Used {
                    passkey: row.id.clone(),
                    credential: serde_json::to_string(&passkey)?,
                    counter: i64::from(result.counter()),
                }))
            }
            Ok(_) => Ok(Verified::Wrong),
            Err(WebauthnError::CredentialPossibleCompromise) => Ok(Verified::WentBack),
            Err(problem) => {
                tracing::info!(%problem, "a passkey's answer was refused");
                Ok(Verified::Wrong)
            }
        }
    }
}
