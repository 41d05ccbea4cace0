//! The day an operator's own phone is the lost one: what was on it signs nobody in any more, and it is locked, in one step.

use serde_json::json;

use super::losses::{self, NewLoss};
use super::standing::restart;
use super::{Context, accounts, alerts, assets, operators, passkeys};
use crate::error::{Error, Result};
use crate::model::{AssetId, CaseId, Permission};
use crate::operations::assets::{Listed, Wanted};
use crate::operations::cases::CaseAnswer;
use crate::store::{self, Transaction};

/// How many phones are offered.
const MOST: i64 = 20;

/// What of his own was lost.
#[derive(Clone, Debug)]
pub struct Mine {
    /// The phone, if it is on the register.
    pub asset: Option<AssetId>,
    /// Whether his authenticator app was on it.
    pub app: bool,
}

/// The phones that a person of the caller's name holds.
///
/// # Errors
/// Of the database.
pub fn candidates(tx: &mut Transaction<'_>, context: &Context) -> Result<Vec<Listed>> {
    let (signed_in, operator) = accounts::own(tx, context)?;
    let Some(council) = signed_in.council else { return Ok(Vec::new()) };
    if context.actor.require(Permission::Report, &council).is_err() {
        return Ok(Vec::new());
    }
    let wanted = Wanted { search: Some(operator.name.chars().take(60).collect()), ..Wanted::default() };
    let mut found = match assets::list(tx, context, council.as_str(), &wanted, None, MOST) {
        // A name that nothing can be looked for by.
        Err(Error::Invalid { .. }) => return Ok(Vec::new()),
        found => found?,
    };
    let name = operator.name.to_lowercase();
    found.retain(|listed| listed.holders.iter().any(|holder| holder.name.to_lowercase() == name));
    Ok(found)
}

/// Ends the caller's other sign-ins, forgets his passkeys and, if it was on the phone, his authenticator app; then reports the
/// phone lost, which locks it. This one sign-in stays, and so does what is on paper. The loss, if there is one.
///
/// # Errors
/// `Forbidden` unless he showed lately who he is; `NotFound` for an item that he does not see.
pub fn lose(tx: &mut Transaction<'_>, context: &Context, mine: &Mine) -> Result<Option<CaseId>> {
    let council = accounts::own(tx, context)?.1.council_id;
    operators::lock(tx, council.as_ref())?;
    let (signed_in, mut operator) = accounts::own(tx, context)?;
    context.actor.require_fresh(context.now)?;
    let sessions = store::sessions::revoke_all_of(tx, &operator.id, Some(&signed_in.session), context.now)?;
    let passkeys = passkeys::forget_all(tx, &operator.id)?;
    if mine.app {
        operator.sealed_totp = None;
        operator.sealed_totp_pending = None;
        operator.totp_last_step = None;
    }
    // Without either, his password and a recovery code still open the account; the password alone never does.
    operator.mfa_since = operator.mfa_since.or(Some(context.now));
    restart(&mut operator, context);
    store::operators::update(tx, &operator)?;
    let details = json!({ "sessions_ended": sessions, "passkeys_removed": passkeys, "app_removed": mine.app });
    operators::record(tx, context, council.as_ref(), "operator.own_phone_lost", &operator.id, details)?;
    if let Some(council) = &council {
        let message = format!(
            "{} said that the lost phone is the one used for signing in. Other sign-ins were ended. If {} did not say so, end \
             that account.",
            operator.name, operator.name
        );
        alerts::raise(tx, context, council, "own_phone_lost", operator.id.as_str(), &message)?;
    }
    let Some(asset) = &mine.asset else { return Ok(None) };
    let new = NewLoss {
        asset: asset.clone(),
        reporter: operator.name.clone(),
        happened_at: None,
        place: String::new(),
        circumstances: String::new(),
        aware_at: None,
        contact_message: String::new(),
        contact_number: String::new(),
        police_reference: String::new(),
    };
    Ok(Some(match losses::report(tx, context, &new)?.case {
        CaseAnswer::Case(case) => case.id,
        CaseAnswer::Receipt(receipt) => receipt.id,
    }))
}
