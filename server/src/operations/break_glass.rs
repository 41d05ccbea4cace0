//! The break-glass code: printed once for the council's envelope, it makes one clerk's account for whoever must act while nobody
//! can sign in, and everyone is told. Such an account reports and locks at once; like any new one it approves nothing for 72
//! hours, and it is in the hands of whoever made the code.

use serde_json::json;
use zeroize::Zeroizing;

use super::operators::{self, NewOperator};
use super::sign_in_limits::{self, Subjects};
use super::{Context, alerts, audit, hands, second_factor};
use crate::error::{Error, Result};
use crate::keys::sha256_hex;
use crate::model::{CouncilId, Moment, OperatorId, Permission, Role};
use crate::store::break_glass_codes::BreakGlassCode;
use crate::store::operators::Operator;
use crate::store::{self, Transaction};

/// How a code is stored; typed in any case, with or without hyphens, misread letters forgiven.
fn hash(code: &str) -> String {
    let plain = Zeroizing::new(second_factor::plain_code(code));
    sha256_hex(format!("beadle break-glass code {}", plain.as_str()).as_bytes())
}

/// When the council's code was made, and by whom; none where there is none, or it was used.
///
/// # Errors
/// `NotFound` when the caller does not see the council; `Forbidden` for whoever keeps no accounts.
pub fn show(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<Option<(Moment, String)>> {
    context.actor.require(Permission::Operators, council)?;
    let Some(code) = store::break_glass_codes::find(tx, council)? else { return Ok(None) };
    let name = store::operators::find(tx, &code.made_by)?.map(|operator| operator.name).unwrap_or_default();
    Ok(Some((code.made_at, name)))
}

/// Makes a code in place of the one before, which is good for nothing any more. It is shown once.
///
/// # Errors
/// As [`show`]; `Forbidden` without a recent sign-in.
pub fn make(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<Zeroizing<String>> {
    context.actor.require(Permission::Operators, council)?;
    let made_by = context.actor.require_fresh(context.now)?.operator.clone();
    audit::lock(tx, council)?;
    let code = second_factor::recovery_code()?;
    let row = BreakGlassCode { council_id: council.clone(), code_hash: hash(&code), made_by, made_at: context.now };
    store::break_glass_codes::replace(tx, &row)?;
    audit::record(tx, context, council, "break_glass.code_made", council.as_str(), json!({}))?;
    let message = "A break-glass code was printed. Whatever lies in the envelope from before is useless now. If nobody should have \
                   done that, look at who did, and print a new one.";
    alerts::raise_anew(tx, context, council, MADE, council.as_str(), message)?;
    Ok(code)
}

const MADE: &str = "break_glass_made";

/// Makes the codes useless that an account made which was ended or reset: he may have kept them. Tells the councils.
pub(super) fn forget_of(tx: &mut Transaction<'_>, context: &Context, operator: &OperatorId) -> Result<()> {
    for council in store::break_glass_codes::forget_of(tx, operator)? {
        alerts::end(tx, context, &council, MADE, council.as_str())?;
        let message = "The break-glass code in the envelope is useless now, for the account that printed it was ended or reset. \
                       Print a new one.";
        alerts::raise(tx, context, &council, "break_glass_gone", council.as_str(), message)?;
    }
    Ok(())
}

/// Whether a code is right, before the costly hash of the password. Counts a wrong one, and refuses it while it has to wait; a
/// right one never waits for what others behind the same address tried.
///
/// # Errors
/// `TooMany`.
pub fn begin(tx: &mut Transaction<'_>, code: &str, address: &str, now: Moment) -> Result<bool> {
    let hash = hash(code);
    if store::break_glass_codes::find_by_hash(tx, &hash)?.is_some() {
        return Ok(true);
    }
    sign_in_limits::count(tx, &Subjects::of_code(&hash, address), now)?;
    Ok(false)
}

/// Who uses the code.
#[derive(Clone, Debug)]
pub struct Breaker {
    /// His name.
    pub name: String,
    /// What he signs in with from now on.
    pub login: String,
    /// The hash of the password that he chose.
    pub password_hash: String,
}

/// Makes a clerk's account with the code, which is spent, and tells everyone.
///
/// # Errors
/// `Forbidden` for a code that is none, or was used; `Invalid` or `Conflict` for a name or login that cannot be.
pub fn spend(tx: &mut Transaction<'_>, context: &Context, code: &str, breaker: &Breaker) -> Result<Operator> {
    let wrong = || Error::forbidden("this is not a break-glass code, or it was used or replaced");
    let found = store::break_glass_codes::find_by_hash(tx, &hash(code))?.ok_or_else(wrong)?;
    let council = found.council_id.clone();
    audit::lock(tx, &council)?;
    if store::councils::find(tx, &council)?.is_none_or(|council| council.ended_at.is_some())
        || !store::break_glass_codes::take(tx, &found)?
    {
        return Err(wrong());
    }
    let new = NewOperator {
        council: Some(council.clone()),
        login: breaker.login.clone(),
        name: breaker.name.clone(),
        role: Role::Clerk,
        password_hash: breaker.password_hash.clone(),
    };
    let mut operator = operators::add_unchecked(tx, context, &new)?;
    operator.must_change_password = false;
    // Never one of the first accounts, whatever the council has by now.
    operator.made_at_set_up = false;
    hands::by_code_of(tx, &found.made_by, &mut operator)?;
    store::operators::update(tx, &operator)?;
    let details = json!({ "code_made_by": found.made_by, "code_made_at": found.made_at.unix_micros() });
    audit::record(tx, context, &council, "break_glass.used", operator.id.as_str(), details)?;
    let message = format!(
        "The break-glass code was used: {} has a clerk's account now. If nobody should have opened the envelope, end that account \
         at once. Then print a new code.",
        operator.name
    );
    alerts::raise(tx, context, &council, "break_glass_used", operator.id.as_str(), &message)?;
    Ok(operator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Actor;
    use crate::operations::mail::tests::with_mail;
    use crate::operations::orders::tests::scene::Scene;
    use crate::operations::standing::{self, Standing};
    use crate::testing::on_both;

    fn deputy(login: &str) -> Breaker {
        Breaker { name: "Cllr Deputy".to_owned(), login: login.to_owned(), password_hash: "hash".to_owned() }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_makes_one_account_that_acts_but_does_not_approve_and_everyone_is_told() {
        on_both(|bench| async move {
            let scene = Scene::new(bench).await;
            with_mail(&scene).await;
            let council = scene.council.clone();
            let made = |actor: Actor| {
                let council = council.clone();
                scene.run(actor, move |tx, context| make(tx, context, &council))
            };
            assert!(made(scene.chair()).await.is_err(), "she keeps no accounts");
            let first = made(scene.clerk()).await.expect("a code");
            let code = made(scene.clerk()).await.expect("a code");
            let used = |code: &str, login: &str| {
                let (code, breaker) = (code.to_lowercase().replace('-', " "), deputy(login));
                scene.run(Actor::System, move |tx, context| spend(tx, context, &code, &breaker))
            };
            assert!(matches!(used(&first, "deputy").await, Err(Error::Forbidden(_))), "replaced");
            assert!(matches!(used(&code, "x").await, Err(Error::Invalid { .. })), "a login that cannot be");
            let operator = used(&code, "deputy").await.expect("an account: the code was not spent on the error");
            assert!(matches!(used(&code, "another").await, Err(Error::Forbidden(_))), "once");
            assert_eq!((operator.role, operator.mfa_since), (Role::Clerk, None));
            assert!(!operator.made_at_set_up && operator.hands.contains(scene.clerk.as_str()), "{}", operator.hands);
            assert!(scene.alerted("break_glass_used", operator.id.as_str()).await);
            let told = scene
                .run(Actor::System, |tx, context| store::jobs::claim(tx, "test", context.now, context.now, 100))
                .await
                .expect("jobs");
            let told = told.iter().filter(|job| job.payload.contains("break-glass code was used")).count();
            assert_eq!(told, 3, "the clerk, the chair and the provider");
            let (id, council) = (operator.id.clone(), scene.council.clone());
            let standing = scene
                .run(Actor::System, move |tx, context| standing::standing(tx, &id, &council, context.now))
                .await
                .expect("reads");
            assert!(matches!(standing, Standing::No(_)), "{standing:?}");
            // What he printed goes with his account, for he may have kept it.
            let code = made(scene.provider()).await.expect("a code");
            let provider = crate::model::OperatorId::new();
            scene.add_operator(&provider, "provider", None);
            let (by, id) = (Actor::Operator(scene.signed_in(&provider, Role::Provider)), scene.provider.clone());
            scene.run(by, move |tx, context| operators::end(tx, context, &id)).await.expect("ended");
            assert!(matches!(used(&code, "third").await, Err(Error::Forbidden(_))));
            assert!(scene.alerted("break_glass_gone", scene.council.as_str()).await);
            scene.check().await;
        })
        .await;
    }
}
