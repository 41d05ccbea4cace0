//! Keeps for each account whose hands it has been in, so that nobody is both persons of an order through accounts that he
//! made or reset. `docs/decisions/0006-whose-hands-an-account-is-in.md` says why it is done like this.

use super::Context;
use crate::error::{Error, Result};
use crate::model::{Actor, Hands, Moment, OperatorId};
use crate::store::operators::Operator;
use crate::store::{self, Transaction};

/// Everyone who could have signed in as `operator`, himself too.
pub(crate) fn of(operator: &Operator) -> Hands {
    Hands::read(&operator.hands).and(&format!("operator:{}", operator.id))
}

/// Everyone who may stand behind `actor`; behind a token stands whoever issued it.
fn behind(tx: &mut Transaction<'_>, actor: &Actor) -> Result<Hands> {
    let operator = match actor {
        Actor::Operator(signed_in) => signed_in.operator.clone(),
        Actor::Token { id, .. } => store::api_tokens::find(tx, id)?.ok_or(Error::NotFound("token"))?.issued_by,
        Actor::Local | Actor::Device { .. } | Actor::Invitee { .. } | Actor::Holder { .. } | Actor::System => {
            return Ok(Hands::default().and(&actor.label()));
        }
    };
    store::operators::find(tx, &operator)?.map(|operator| of(&operator)).ok_or(Error::NotFound("operator"))
}

/// The actor made the account, or changed its login or role. Before the first device that leaves no hand: there is nothing
/// to destroy yet, and one person has to make the first accounts. Nor does what someone changes about himself.
pub(crate) fn made_or_changed(tx: &mut Transaction<'_>, context: &Context, operator: &mut Operator) -> Result<()> {
    let own = context.actor.signed_in().is_some_and(|signed_in| signed_in.operator == operator.id);
    if !own && store::operators::any_device(tx, operator.council_id.as_ref())? {
        add(tx, context, operator)?;
    }
    Ok(())
}

/// The actor knows the account's new password. Where its second factor went too, earlier hands let go: nothing that they had
/// signs in any more. Otherwise his are on it besides those.
pub(crate) fn reset(
    tx: &mut Transaction<'_>,
    context: &Context,
    operator: &mut Operator,
    second_factor: bool,
) -> Result<()> {
    if second_factor {
        operator.hands.clear();
    }
    add(tx, context, operator)
}

fn add(tx: &mut Transaction<'_>, context: &Context, operator: &mut Operator) -> Result<()> {
    operator.hands = Hands::read(&operator.hands).and_all(&behind(tx, &context.actor)?).to_string();
    Ok(())
}

/// The account was made with a code that this operator had made, and may have kept: his hands are on it, whatever was there.
pub(crate) fn by_code_of(tx: &mut Transaction<'_>, maker: &OperatorId, operator: &mut Operator) -> Result<()> {
    let maker = store::operators::find(tx, maker)?.ok_or(Error::NotFound("operator"))?;
    operator.hands = Hands::read(&operator.hands).and_all(&of(&maker)).to_string();
    Ok(())
}

/// Whether the actor, or someone behind him, had the account `about` in hand, or is it.
pub(crate) fn touch(tx: &mut Transaction<'_>, actor: &Actor, about: &Operator) -> Result<bool> {
    Ok(behind(tx, actor)?.meet(&of(about)))
}

/// Refuses unless `second` cannot be the same person as `first`, who asked at `asked_at`: nobody had both accounts in hand,
/// and the first is still as it was when it asked.
pub(crate) fn require_apart(
    tx: &mut Transaction<'_>,
    second: &Operator,
    first: &OperatorId,
    asked_at: Moment,
) -> Result<()> {
    let first = store::operators::find(tx, first)?.ok_or(Error::NotFound("operator"))?;
    // A reset in between lets earlier hands go, which may be those that asked.
    if first.standing_since > asked_at {
        return Err(Error::forbidden(
            "the account of the one who asked was changed or reset since; it must be asked for again",
        ));
    }
    if of(second).meet(&of(&first)) {
        return Err(Error::forbidden(
            "your account and that of the one who asked were made or reset by one and the same person, or one of you made \
             or reset the other; another approver must decide this",
        ));
    }
    Ok(())
}
