//! Signing in and staying signed in: from what a caller shows to who he is.

use chrono::Duration;

use crate::error::{Error, Result};
use crate::keys::sha256_hex;
use crate::model::{Actor, Moment, SessionId, SignedIn, TokenId, TokenScope};
use crate::store::{self, Transaction};

/// What a session's token begins with, so that it can be told from a JWT, and found where it leaked.
pub const TOKEN_PREFIX: &str = "bs_";
/// A session unused for so long is over.
pub const IDLE: Duration = Duration::minutes(20);
/// A session this old is over, however much used.
pub const LONGEST: Duration = Duration::hours(12);
/// How often the use of a session is written down.
const SEEN_EVERY: Duration = Duration::minutes(1);

/// What a caller shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A session, by the hash of its token.
    Session {
        /// SHA-256 of the token, in hexadecimal.
        token_hash: String,
    },
    /// A bearer token whose signature and claims were verified.
    Token(TokenId),
    /// Access to the control socket.
    Local,
}

impl Credential {
    /// The credential that a session's token is.
    #[must_use]
    pub fn session(token: &str) -> Self {
        Self::Session { token_hash: sha256_hex(token.as_bytes()) }
    }
}

/// Who a credential belongs to.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// Who it is.
    pub actor: Actor,
    /// The session, when its use should be written down with [`seen`].
    pub seen: Option<SessionId>,
}

/// Finds out whose `credential` is, and refuses one that is over.
pub fn authenticate(tx: &mut Transaction<'_>, credential: &Credential, now: Moment) -> Result<Authenticated> {
    match credential {
        Credential::Local => Ok(Authenticated { actor: Actor::Local, seen: None }),
        Credential::Session { token_hash } => session(tx, token_hash, now),
        Credential::Token(id) => token(tx, id, now),
    }
}

fn session(tx: &mut Transaction<'_>, token_hash: &str, now: Moment) -> Result<Authenticated> {
    let over = || Error::Unauthenticated("your sign-in is over; sign in again".to_owned());
    let session = store::sessions::find_by_token(tx, token_hash)?.ok_or_else(over)?;
    let unused = now - session.last_seen_at;
    if session.revoked_at.is_some() || now >= session.expires_at || unused > IDLE {
        return Err(over());
    }
    let operator = store::operators::find(tx, &session.operator_id)?
        .filter(|operator| operator.ended_at.is_none())
        .ok_or_else(over)?;
    Ok(Authenticated {
        seen: (unused >= SEEN_EVERY).then(|| session.id.clone()),
        actor: Actor::Operator(SignedIn {
            operator: operator.id,
            session: session.id,
            name: operator.name,
            role: operator.role,
            council: operator.council_id,
            mfa: session.mfa_at.is_some(),
            reauthenticated_at: session.reauthenticated_at,
            must_change_password: operator.must_change_password,
        }),
    })
}

fn token(tx: &mut Transaction<'_>, id: &TokenId, now: Moment) -> Result<Authenticated> {
    let over = || Error::Unauthenticated("this token is not valid, or no longer; ask for a new one".to_owned());
    let token = store::api_tokens::find(tx, id)?.ok_or_else(over)?;
    if token.revoked_at.is_some() || now >= token.expires_at {
        return Err(over());
    }
    let issuer = store::operators::find(tx, &token.issued_by)?.ok_or_else(over)?;
    if issuer.ended_at.is_some() {
        return Err(over());
    }
    let scopes = token
        .scopes
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::parse::<TokenScope>)
        .collect::<Result<Vec<_>, String>>()
        .map_err(Error::internal)?;
    Ok(Authenticated { actor: Actor::Token { id: token.id, council: token.council_id, scopes }, seen: None })
}

/// Writes down that a session was used.
pub fn seen(tx: &mut Transaction<'_>, session: &SessionId, now: Moment) -> Result<()> {
    store::sessions::seen(tx, session, now)
}
