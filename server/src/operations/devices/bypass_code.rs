//! The code that opens a phone's Activation Lock, shown to a person who has just signed in again.

use serde_json::json;

use super::visible;
use crate::error::{Error, Result};
use crate::model::{CouncilId, DeviceId, Moment, Permission};
use crate::operations::{Context, audit};
use crate::store::{self, Transaction};

/// The code, still sealed: a transaction is no place to open it.
#[derive(Clone, Debug)]
pub struct BypassCode {
    /// Whose key it is sealed under.
    pub council: CouncilId,
    /// The device whose row it is sealed for.
    pub device: DeviceId,
    /// The code.
    pub sealed: Vec<u8>,
    /// When the phone gave it.
    pub given_at: Moment,
}

/// Hands the code out, which is on record before it is opened. Whoever has it can set the phone up as his own, so it takes
/// the same right as clearing a PIN.
///
/// # Errors
/// `Forbidden` without a sign-in with second factor confirmed within five minutes; `Conflict` where the phone gave none.
pub fn show_bypass_code(tx: &mut Transaction<'_>, context: &Context, id: &DeviceId) -> Result<BypassCode> {
    let device = visible(tx, context, id)?;
    context.actor.require(Permission::ClearPasscode, &device.council_id)?;
    context.actor.require_fresh(context.now)?;
    audit::lock(tx, &device.council_id)?;
    let Some((sealed, given_at)) = store::devices::bypass_code(tx, &device)? else {
        return Err(Error::conflict(
            "there is no code for this device: only supervised council phones give one, when they enrol, within 15 days \
             after they were supervised",
        ));
    };
    let details = json!({ "given_at": given_at });
    audit::record(tx, context, &device.council_id, "bypass code shown", device.id.as_str(), details)?;
    Ok(BypassCode { council: device.council_id, device: device.id, sealed, given_at })
}
