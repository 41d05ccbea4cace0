//! Idempotency keys: a request repeated under the same key is answered again and not done again.

use chrono::Duration;

use super::Context;
use crate::error::{Error, Result};
use crate::model::Actor;
use crate::sealing::Purpose;
use crate::store::idempotency_keys::IdempotencyKey;
use crate::store::{self, Transaction};

/// How long a key is remembered.
pub const REMEMBERED: Duration = Duration::hours(24);

/// What a key turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// New: do the work, then [`keep`] its answer.
    New,
    /// The same request was done before; this was the answer.
    Done {
        /// The HTTP status.
        status: u16,
        /// The JSON body.
        body: Vec<u8>,
    },
    /// The key was used for another request.
    OtherRequest,
}

/// The council whose rows the actor's keys stand beside, or "installation" for those who have all councils.
fn scope(actor: &Actor) -> String {
    match actor {
        Actor::Operator(signed_in) => signed_in.council.as_ref().map(ToString::to_string),
        Actor::Token { council, .. }
        | Actor::Device { council, .. }
        | Actor::Invitee { council, .. }
        | Actor::Holder { council, .. } => Some(council.to_string()),
        Actor::Local | Actor::System => None,
    }
    .unwrap_or_else(|| super::audit::INSTALLATION.to_owned())
}

fn row(actor: &str, key: &str) -> String {
    format!("{actor} {key}")
}

/// What is known of `key`, without taking it: [`Key::New`] also where its request is still under way.
pub fn look(tx: &mut Transaction<'_>, context: &Context, key: &str, request_hash: &str) -> Result<Key> {
    let (scope, actor) = (scope(&context.actor), context.actor.label());
    match store::idempotency_keys::find(tx, &scope, &actor, key)? {
        Some(earlier) if earlier.created_at >= context.now - REMEMBERED && earlier.sealed_answer.is_some() => {
            answer_of(context, &scope, &actor, key, request_hash, earlier)
        }
        _ => Ok(Key::New),
    }
}

fn answer_of(
    context: &Context,
    scope: &str,
    actor: &str,
    key: &str,
    request_hash: &str,
    earlier: IdempotencyKey,
) -> Result<Key> {
    if earlier.request_hash != request_hash {
        return Ok(Key::OtherRequest);
    }
    let sealed = earlier.sealed_answer.ok_or_else(|| Error::internal("an idempotency key without its answer"))?;
    let body = context.keys.sealer.open(Purpose::StoredAnswer, scope, &row(actor, key), &sealed)?;
    Ok(Key::Done { status: u16::try_from(earlier.status).unwrap_or(200), body: body.to_vec() })
}

/// Takes `key` for the request with this hash, in the transaction that does the work.
pub fn begin(tx: &mut Transaction<'_>, context: &Context, key: &str, request_hash: &str) -> Result<Key> {
    let (scope, actor) = (scope(&context.actor), context.actor.label());
    store::idempotency_keys::forget_old(tx, &scope, &actor, key, context.now - REMEMBERED)?;
    if store::idempotency_keys::take(tx, &scope, &actor, key, request_hash, context.now)? {
        return Ok(Key::New);
    }
    let earlier = store::idempotency_keys::find(tx, &scope, &actor, key)?
        .ok_or_else(|| Error::Unavailable("the earlier request with this key is still under way".to_owned()))?;
    answer_of(context, &scope, &actor, key, request_hash, earlier)
}

/// Keeps the answer under `key`: sealed, since it may hold an initial password or a token.
pub fn keep(tx: &mut Transaction<'_>, context: &Context, key: &str, status: u16, body: &[u8]) -> Result<()> {
    let (scope, actor) = (scope(&context.actor), context.actor.label());
    let sealed = context.keys.sealer.seal(Purpose::StoredAnswer, &scope, &row(&actor, key), body)?;
    store::idempotency_keys::answer(tx, &scope, &actor, key, i64::from(status), &sealed)
}
