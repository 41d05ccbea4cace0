//! Signing in and staying signed in: from what a caller shows to who he is.

use chrono::Duration;

use zeroize::Zeroizing;

use super::sign_in_limits::{self, Counted, Subjects};
use super::{Context, accounts, alerts, audit, mail, operators, passkeys, passwords, second_factor};
use crate::error::{Error, Result};
use crate::keys::{Keys, sha256_hex};
use crate::model::{Actor, Moment, OperatorId, Permission, SessionId, SignedIn, TokenId, TokenScope};
use crate::store::operators::Operator;
use crate::store::passkeys::PasskeyRow;
use crate::store::sessions::Session;
use crate::store::{self, Transaction};

pub use super::standing::{Standing, standing};

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
    Ok(Authenticated { seen: (unused >= SEEN_EVERY).then(|| session.id.clone()), actor: actor(&operator, &session) })
}

fn actor(operator: &Operator, session: &Session) -> Actor {
    Actor::Operator(SignedIn {
        operator: operator.id.clone(),
        session: session.id.clone(),
        name: operator.name.clone(),
        role: operator.role,
        council: operator.council_id.clone(),
        mfa: session.mfa_at.is_some(),
        reauthenticated_at: session.reauthenticated_at,
        must_change_password: operator.must_change_password,
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

/// What a client shows to sign in, besides the login.
#[derive(Clone)]
pub struct Shown {
    /// The password.
    pub password: Zeroizing<String>,
    /// A code of the authenticator app.
    pub totp: Option<String>,
    /// A recovery code instead.
    pub recovery_code: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Shown(secret)")
    }
}

/// The second factor as it was checked outside the transaction; used up inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Second {
    /// None: the account has none yet.
    None,
    /// A code of the app: the step of the clock that it belongs to.
    Step(i64),
    /// A recovery code's hash.
    RecoveryCode(String),
    /// A passkey, which is password and second factor in one.
    Passkey(passkeys::Used),
}

/// One try to show who one is: counted, its account found or not.
#[derive(Clone, Debug)]
pub struct Try {
    counted: Counted,
    operator: Option<Operator>,
}

/// Counts a try and finds its account; refuses one that has to wait.
pub fn begin(tx: &mut Transaction<'_>, login: &str, address: &str, now: Moment) -> Result<Try> {
    let login = login.trim().to_lowercase();
    let counted = sign_in_limits::count(tx, &Subjects::new(&login, address), now)?;
    let operator = store::operators::find_by_login(tx, &login)?.filter(|operator| operator.ended_at.is_none());
    Ok(Try { counted, operator })
}

/// Counts a try of someone signed in to show again who he is, among those of his session alone; refuses one that has to
/// wait.
pub fn begin_again(tx: &mut Transaction<'_>, signed_in: &SignedIn, now: Moment) -> Result<Try> {
    let counted = sign_in_limits::count(tx, &Subjects::of_session(&signed_in.session), now)?;
    let operator = store::operators::find(tx, &signed_in.operator)?.filter(|operator| operator.ended_at.is_none());
    Ok(Try { counted, operator })
}

/// One try with a passkey: counted, its question taken, its account found or not.
#[derive(Clone, Debug)]
pub struct PasskeyTry {
    tried: Try,
    ceremony: Option<passkeys::Ceremony>,
    row: Option<PasskeyRow>,
}

/// Counts a try with a passkey and takes the question that it answers; refuses one that has to wait. It is counted apart from
/// passwords, so that whoever guesses those keeps nobody's passkey out.
pub fn begin_passkey(
    tx: &mut Transaction<'_>,
    bound_to: &str,
    answer: &passkeys::Answer,
    address: &str,
    now: Moment,
) -> Result<PasskeyTry> {
    let row = passkeys::of_answer(tx, answer)?;
    let counted = sign_in_limits::count(tx, &Subjects::of_passkey(answer.get_credential_id(), address), now)?;
    passkey_try(tx, counted, passkeys::Purpose::SignIn, bound_to, row, now)
}

/// The same of someone signed in, who shows again that it is him: counted among the tries of his session.
pub fn begin_passkey_again(
    tx: &mut Transaction<'_>,
    signed_in: &SignedIn,
    bound_to: &str,
    answer: &passkeys::Answer,
    now: Moment,
) -> Result<PasskeyTry> {
    let row = passkeys::of_answer(tx, answer)?.filter(|row| row.operator_id == signed_in.operator);
    let counted = sign_in_limits::count(tx, &Subjects::of_session(&signed_in.session), now)?;
    passkey_try(tx, counted, passkeys::Purpose::Confirm, bound_to, row, now)
}

fn passkey_try(
    tx: &mut Transaction<'_>,
    counted: Counted,
    purpose: passkeys::Purpose,
    bound_to: &str,
    row: Option<PasskeyRow>,
    now: Moment,
) -> Result<PasskeyTry> {
    let ceremony = passkeys::take(tx, purpose, bound_to, now)?;
    let operator = match &row {
        Some(row) => store::operators::find(tx, &row.operator_id)?.filter(|operator| operator.ended_at.is_none()),
        None => None,
    };
    Ok(PasskeyTry { tried: Try { counted, operator }, ceremony, row })
}

impl PasskeyTry {
    /// Checks the answer; slow, and outside any transaction.
    pub fn verify(&self, answer: &passkeys::Answer) -> Result<passkeys::Verified> {
        match (&self.ceremony, &self.row, &self.tried.operator) {
            (Some(ceremony), Some(row), Some(_)) => ceremony.verify(row, answer),
            _ => Ok(passkeys::Verified::Wrong),
        }
    }

    /// The try, as any other.
    #[must_use]
    pub fn tried(&self) -> &Try {
        &self.tried
    }

    /// Tells the council (or the installation's trail) that a passkey's count went back.
    pub fn raise_copied(&self, tx: &mut Transaction<'_>, context: &Context, address: &str) -> Result<()> {
        let (Some(operator), Some(row)) = (&self.tried.operator, &self.row) else { return Ok(()) };
        let message = format!(
            "The passkey \u{201c}{}\u{201d} of {} answered from {address} as only a copy of it would, and was refused. If it goes \
             on, remove that passkey and add a new one.",
            row.name, operator.name
        );
        match &operator.council_id {
            Some(council) => alerts::raise(tx, context, council, "passkey_copied", operator.id.as_str(), &message),
            None => {
                let details = serde_json::json!({ "message": message });
                audit::record_installation(tx, context, "incident.passkey_copied", operator.id.as_str(), details)
            }
        }
    }
}

/// The one answer to every wrong sign-in, whatever was wrong.
fn wrong() -> Error {
    Error::Unauthenticated("login, password or code is wrong".to_owned())
}

/// How a check ended.
#[derive(Clone, Debug)]
pub enum Checked {
    /// All right so far; the second factor is used up later.
    Right(Second),
    /// Wrong.
    Wrong,
    /// The password is right, and the account has a second factor that was not shown.
    SecondFactorMissing,
}

impl Try {
    /// Checks what was shown; slow, and outside any transaction. An unknown login takes as long as a known one.
    pub async fn check(&self, keys: &Keys, shown: &Shown, now: Moment) -> Result<Checked> {
        let stored = self.operator.as_ref().map(|operator| operator.password_hash.clone());
        let right = passwords::verify(shown.password.clone(), stored).await?;
        let Some(operator) = self.operator.as_ref().filter(|_| right) else { return Ok(Checked::Wrong) };
        if !operator.has_second_factor() {
            return Ok(Checked::Right(Second::None));
        }
        if let Some(code) = &shown.recovery_code {
            let hash = second_factor::recovery_hash(&operator.id, code);
            return Ok(Checked::Right(Second::RecoveryCode(hash)));
        }
        let Some(code) = &shown.totp else { return Ok(Checked::SecondFactorMissing) };
        let Some(sealed) = &operator.sealed_totp else { return Ok(Checked::Wrong) };
        Ok(match second_factor::matching_step(keys, operator, sealed, code, now)? {
            Some(step) => Checked::Right(Second::Step(step)),
            None => Checked::Wrong,
        })
    }

    /// The hash that the password was checked against.
    #[must_use]
    pub fn password_hash(&self) -> Option<&str> {
        self.operator.as_ref().map(|operator| operator.password_hash.as_str())
    }

    /// Whether enough tries failed for someone to be told.
    #[must_use]
    pub fn is_incident(&self) -> bool {
        self.operator.is_some() && self.counted.tries() >= sign_in_limits::PER_ACCOUNT
    }

    /// Tells the council (or, of a provider's account, the installation's trail) that someone fails to sign in.
    pub fn raise_incident(&self, tx: &mut Transaction<'_>, context: &Context, address: &str) -> Result<()> {
        let Some(operator) = &self.operator else { return Ok(()) };
        let message = format!(
            "{} sign-ins as {} failed within a quarter of an hour, the last from {address}. If it was not {}, someone is \
             guessing.",
            self.counted.tries(),
            operator.login,
            operator.name
        );
        match &operator.council_id {
            Some(council) => alerts::raise(tx, context, council, "sign_in_failures", operator.id.as_str(), &message),
            None if self.counted.tries() == sign_in_limits::PER_ACCOUNT => {
                let details = serde_json::json!({ "message": message });
                audit::record_installation(tx, context, "incident.sign_in_failures", operator.id.as_str(), details)?;
                mail::tell_of_account(tx, context, operator, "sign_in_failures")
            }
            None => Ok(()),
        }
    }

    /// Takes the try back: its password was right, only the second factor was not shown yet.
    pub fn take_back(&self, tx: &mut Transaction<'_>, now: Moment) -> Result<()> {
        sign_in_limits::uncount(tx, &self.counted, now)
    }

    /// The account once more, as it is now, its second factor used up and its failures forgotten.
    fn settle(&self, tx: &mut Transaction<'_>, context: &Context, second: &Second) -> Result<Operator> {
        let before = self.operator.as_ref().ok_or_else(wrong)?;
        operators::lock(tx, before.council_id.as_ref())?;
        let operator = store::operators::find(tx, &before.id)?
            .filter(|now| now.ended_at.is_none() && now.password_hash == before.password_hash)
            .ok_or_else(wrong)?;
        if operator.has_second_factor() && !accounts::take(tx, context, &operator, second)? {
            return Err(wrong());
        }
        sign_in_limits::succeeded(tx, &self.counted, context.now)?;
        Ok(operator)
    }
}

/// A session just opened; the token is shown to the client once.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// SHA-256 of the token.
    pub token_hash: String,
    /// Where from.
    pub address: String,
    /// The program, as it calls itself.
    pub agent: String,
}

/// Opens a session after a check that was right.
pub fn open(
    tx: &mut Transaction<'_>,
    context: &Context,
    tried: &Try,
    second: &Second,
    new: &NewSession,
) -> Result<(Session, Operator)> {
    let operator = tried.settle(tx, context, second)?;
    let shown = operator.has_second_factor().then_some(context.now);
    let session = Session {
        id: SessionId::new(),
        operator_id: operator.id.clone(),
        token_hash: new.token_hash.clone(),
        created_at: context.now,
        last_seen_at: context.now,
        expires_at: context.now + LONGEST,
        mfa_at: shown,
        reauthenticated_at: shown,
        address: new.address.clone(),
        agent: new.agent.chars().filter(|character| !character.is_control()).take(200).collect(),
        revoked_at: None,
    };
    store::sessions::insert(tx, &session)?;
    let own = Context { actor: actor(&operator, &session), ..context.clone() };
    let details = serde_json::json!({
        "address": session.address,
        "recovery_code": matches!(second, Second::RecoveryCode(_)),
        "passkey": matches!(second, Second::Passkey(_)),
    });
    operators::record(tx, &own, operator.council_id.as_ref(), "operator.signed_in", &operator.id, details)?;
    if let (Second::RecoveryCode(_), Some(council)) = (second, &operator.council_id) {
        let message = format!("{} signed in with a recovery code instead of the authenticator app.", operator.name);
        alerts::raise(tx, &own, council, "recovery_code_used", operator.id.as_str(), &message)?;
    }
    Ok((session, operator))
}

/// Notes in the caller's session that password and second factor were shown again.
pub fn confirm(tx: &mut Transaction<'_>, context: &Context, tried: &Try, second: &Second) -> Result<Moment> {
    let signed_in = context.actor.signed_in().ok_or_else(|| Error::forbidden("sign in first"))?;
    let operator = tried.settle(tx, context, second)?;
    if operator.id != signed_in.operator {
        return Err(wrong());
    }
    if !operator.has_second_factor() {
        return Err(Error::forbidden("set up a second factor first"));
    }
    store::sessions::set_shown(tx, &signed_in.session, Some(context.now), Some(context.now))?;
    Ok(context.now)
}

/// Forgets the failures of the caller's session, whose old password was right.
pub fn settle_password(tx: &mut Transaction<'_>, context: &Context, tried: &Try) -> Result<()> {
    sign_in_limits::succeeded(tx, &tried.counted, context.now)
}

/// The sessions of an operator that are not over, after the one with the id `after`: the caller's own, or another's whose
/// account he keeps.
pub fn sessions(
    tx: &mut Transaction<'_>,
    context: &Context,
    id: &OperatorId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Session>> {
    require_keeper(tx, context, id)?;
    store::sessions::page_open(tx, id, context.now, IDLE, after, limit)
}

/// Ends a session: the caller's own, or another's whose account he keeps.
pub fn revoke(tx: &mut Transaction<'_>, context: &Context, id: &SessionId) -> Result<()> {
    let session = store::sessions::find(tx, id)?.ok_or(Error::NotFound("session"))?;
    let operator = require_keeper(tx, context, &session.operator_id).map_err(|_| Error::NotFound("session"))?;
    operators::lock(tx, operator.council_id.as_ref())?;
    store::sessions::revoke(tx, id, context.now)?;
    let details = serde_json::json!({ "session": id });
    operators::record(tx, context, operator.council_id.as_ref(), "session.ended", &operator.id, details)
}

/// Ends every sign-in and revokes every token, because the database may know less than happened: those of people who were
/// ended since would come back with it. How many sign-ins and tokens there were.
pub fn end_all(tx: &mut Transaction<'_>, now: Moment) -> Result<(usize, usize)> {
    Ok((store::sessions::revoke_all(tx, now)?, store::api_tokens::revoke_all(tx, now)?))
}

fn require_keeper(tx: &mut Transaction<'_>, context: &Context, id: &OperatorId) -> Result<Operator> {
    let operator = store::operators::find(tx, id)?.ok_or(Error::NotFound("operator"))?;
    if context.actor.signed_in().is_none_or(|signed_in| signed_in.operator != *id) {
        operators::require(context, Permission::Operators, operator.council_id.as_ref())
            .map_err(|_| Error::NotFound("operator"))?;
    }
    Ok(operator)
}
