//! Signing in, whichever door it comes through: count, hash outside any transaction, then open; alike in the API and in
//! pages.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::app::App;
use crate::error::{Error, Result};
use crate::keys::{random_bytes, sha256_hex};
use crate::model::{Actor, SignedIn};
use crate::operations::passkeys::{self, Verified};
use crate::operations::sign_in::{self, Checked, NewSession, Second, Shown, TOKEN_PREFIX, Try};
use crate::operations::{Context, accounts, passwords};
use crate::store::Transaction;
use crate::store::operators::Operator;
use crate::store::sessions::Session;

/// A session just opened, with the token that the client keeps.
pub(crate) struct Opened {
    pub(crate) token: Zeroizing<String>,
    pub(crate) session: Session,
    pub(crate) operator: Operator,
}

/// Whose password and code are to be checked.
#[derive(Clone, Copy)]
pub(crate) enum Who<'a> {
    /// Whoever has this login, for someone who is not known yet.
    Login(&'a str),
    /// Someone signed in, who shows it again. Guesses of strangers do not make him wait.
    SignedIn(&'a SignedIn),
}

/// Signs in. The answer to a wrong login, password or code is the same, and comes no sooner.
pub(crate) async fn sign_in(app: &App, login: &str, shown: &Shown, address: &str, agent: &str) -> Result<Opened> {
    let (tried, second) = check(app, Who::Login(login), shown, address).await?;
    open(app, &tried, &second, address, agent).await
}

async fn open(app: &App, tried: &Try, second: &Second, address: &str, agent: &str) -> Result<Opened> {
    let token = Zeroizing::new(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random_bytes::<32>()?)));
    let new =
        NewSession { token_hash: sha256_hex(token.as_bytes()), address: address.to_owned(), agent: agent.to_owned() };
    let context = app.context(Actor::System);
    let (tried, second, failed) = (tried.clone(), second.clone(), tried.clone());
    let opened = app.database.write("sign in", move |tx| sign_in::open(tx, &context, &tried, &second, &new)).await;
    match opened {
        Ok((session, operator)) => Ok(Opened { token, session, operator }),
        // A code that was used before, or an account changed meanwhile.
        Err(Error::Unauthenticated(problem)) => {
            fail(app, &failed, address).await?;
            Err(Error::Unauthenticated(problem))
        }
        Err(other) => Err(other),
    }
}

/// Counts a try and checks what was shown; a wrong one ends here.
pub(crate) async fn check(app: &App, who: Who<'_>, shown: &Shown, address: &str) -> Result<(Try, Second)> {
    let now = app.clock.now();
    let tried = match who {
        Who::Login(login) => {
            let (login, from) = (login.to_owned(), address.to_owned());
            app.database.write("count a sign-in", move |tx| sign_in::begin(tx, &login, &from, now)).await?
        }
        Who::SignedIn(signed_in) => count_again(app, signed_in).await?,
    };
    match tried.check(&app.keys, shown, now).await? {
        Checked::Right(second) => Ok((tried, second)),
        Checked::Wrong => {
            fail(app, &tried, address).await?;
            Err(Error::Unauthenticated("login, password or code is wrong".to_owned()))
        }
        Checked::SecondFactorMissing => {
            app.database.write("take a try back", move |tx| tried.take_back(tx, now)).await?;
            Err(Error::invalid("totp", "the code of your authenticator app is needed too, or a recovery code"))
        }
    }
}

/// Signs in with a passkey's answer to the question that was put to this visit. The answer to every wrong one is the same.
pub(crate) async fn sign_in_with_passkey(
    app: &App,
    binding: &str,
    answer: &str,
    address: &str,
    agent: &str,
) -> Result<Opened> {
    let (tried, second) = check_passkey(app, Who::Login(""), binding, answer, address).await?;
    open(app, &tried, &second, address, agent).await
}

/// Counts a try with a passkey and checks its answer; a wrong one ends here. Who it is, is what the passkey says.
pub(crate) async fn check_passkey(
    app: &App,
    who: Who<'_>,
    binding: &str,
    answer: &str,
    address: &str,
) -> Result<(Try, Second)> {
    let wrong = || Error::Unauthenticated("the passkey was not accepted".to_owned());
    let now = app.clock.now();
    let answer = passkeys::answer(answer).ok_or_else(wrong)?;
    let (asked, from, bound) = (answer.clone(), address.to_owned(), binding.to_owned());
    let tried = match who {
        Who::Login(_) => {
            let counted = move |tx: &mut Transaction<'_>| sign_in::begin_passkey(tx, &bound, &asked, &from, now);
            app.database.write("count a passkey", counted).await?
        }
        Who::SignedIn(signed_in) => {
            let signed_in = signed_in.clone();
            let counted =
                move |tx: &mut Transaction<'_>| sign_in::begin_passkey_again(tx, &signed_in, &bound, &asked, now);
            app.database.write("count a confirmation", counted).await?
        }
    };
    match tried.verify(&answer)? {
        Verified::Right(used) => Ok((tried.tried().clone(), Second::Passkey(used))),
        Verified::Wrong => {
            fail(app, tried.tried(), address).await?;
            Err(wrong())
        }
        Verified::WentBack => {
            let (copied, context, from) = (tried.clone(), app.context(Actor::System), address.to_owned());
            app.database.write("raise copied passkey", move |tx| copied.raise_copied(tx, &context, &from)).await?;
            fail(app, tried.tried(), address).await?;
            Err(wrong())
        }
    }
}

async fn count_again(app: &App, signed_in: &SignedIn) -> Result<Try> {
    let (now, signed_in) = (app.clock.now(), signed_in.clone());
    app.database.write("count a confirmation", move |tx| sign_in::begin_again(tx, &signed_in, now)).await
}

/// Checks the password alone, of someone signed in.
async fn check_password(app: &App, signed_in: &SignedIn, password: Zeroizing<String>, address: &str) -> Result<Try> {
    let tried = count_again(app, signed_in).await?;
    let stored = tried.password_hash().map(str::to_owned);
    if !passwords::verify(password, stored).await? {
        fail(app, &tried, address).await?;
        return Err(Error::invalid("current", "is not your password"));
    }
    Ok(tried)
}

/// A new password that may be kept: the old one was right, and the new one is hashed.
#[derive(Clone, Debug)]
pub(crate) struct NewPassword {
    was: String,
    hash: String,
    tried: Try,
}

/// Checks the old password of someone signed in, and hashes the new one; slow, and outside any transaction.
///
/// # Errors
/// `Invalid` for a wrong old password or a weak new one; `TooMany` for too many tries.
pub(crate) async fn new_password(
    app: &App,
    signed_in: &SignedIn,
    current: Zeroizing<String>,
    new: Zeroizing<String>,
    address: &str,
) -> Result<NewPassword> {
    let operator = signed_in.operator.clone();
    let login = app
        .database
        .read("own login", move |tx| {
            let found = crate::store::operators::find(tx, &operator)?;
            found.map(|operator| operator.login).ok_or(Error::NotFound("operator"))
        })
        .await?;
    passwords::check_strength(&new, &login)?;
    if *current == *new {
        return Err(Error::invalid("new", "must be another one than before"));
    }
    let tried = check_password(app, signed_in, current, address).await?;
    let was = tried.password_hash().unwrap_or_default().to_owned();
    Ok(NewPassword { was, hash: passwords::hash(new).await?, tried })
}

impl NewPassword {
    /// Keeps it, which ends the caller's other sign-ins.
    ///
    /// # Errors
    /// `Conflict` when it was changed meanwhile.
    pub(crate) fn keep(&self, tx: &mut Transaction<'_>, context: &Context) -> Result<()> {
        accounts::change_password(tx, context, &self.was, &self.hash)?;
        sign_in::settle_password(tx, context, &self.tried)
    }
}

/// Tells whom it concerns when it is too often, and makes the answer's time say nothing.
async fn fail(app: &App, tried: &Try, address: &str) -> Result<()> {
    if tried.is_incident() {
        let (tried, context, from) = (tried.clone(), app.context(Actor::System), address.to_owned());
        app.database.write("raise sign-in incident", move |tx| tried.raise_incident(tx, &context, &from)).await?;
    }
    let [random] = random_bytes::<1>()?;
    tokio::time::sleep(Duration::from_millis(100 + u64::from(random))).await;
    Ok(())
}
