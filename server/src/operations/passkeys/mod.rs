//! Passkeys: a key on an operator's phone, computer or security key, opened by his finger, face or PIN; a second factor by
//! itself, and nothing that a false page could ask him for.

mod ceremony;
mod own;

pub use ceremony::{
    Answer, Begun, Ceremony, GOOD_FOR, Purpose, Right, Verified, address, begin_confirmation, begin_registration,
    begin_sign_in, register, take,
};
pub use own::{MOST, forget_all, keep, list, one, remove, rename};

use super::Context;
use crate::error::Result;
use crate::keys::sha256_hex;
use crate::model::{OperatorId, PasskeyId};
use crate::store::passkeys::PasskeyRow;
use crate::store::{self, Transaction};

/// A passkey that gave a right answer, and what is to be kept of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// Which.
    pub passkey: PasskeyId,
    /// Its state afterwards.
    pub credential: String,
    /// Its count afterwards.
    pub counter: i64,
}

/// How a credential's id, which its holder chooses, stands in the database.
fn credential_hash(id: &[u8]) -> String {
    sha256_hex(id)
}

/// The passkey that gave an answer, if it is known.
///
/// # Errors
/// Of the database.
pub fn of_answer(tx: &mut Transaction<'_>, answer: &Answer) -> Result<Option<PasskeyRow>> {
    store::passkeys::find_by_credential(tx, &credential_hash(answer.get_credential_id()))
}

/// What a browser sends back, if it can be read at all.
#[must_use]
pub fn answer(text: &str) -> Option<Answer> {
    serde_json::from_str(text).ok().filter(|_| text.len() <= ceremony::MOST)
}

/// Writes down that a passkey was used; `false` when it is another's, was removed, or its count went back meanwhile.
pub(crate) fn take_used(tx: &mut Transaction<'_>, context: &Context, owner: &OperatorId, used: &Used) -> Result<bool> {
    match store::passkeys::find(tx, &used.passkey)? {
        Some(row) if row.operator_id == *owner => {
            store::passkeys::used(tx, &used.passkey, &used.credential, used.counter, context.now)
        }
        _ => Ok(false),
    }
}
