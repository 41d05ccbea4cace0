//! The passcode payload, `com.apple.mobiledevice.passwordpolicy`.
//!
//! On iOS `maxFailedAttempts` erases the phone; several installed policies combine to the strictest. Under User Enrollment all
//! values are ignored and the payload's mere presence asks for six digits that are not simple.

use super::keys::{Payload, of_payload};
use super::{Context, payload};
use crate::policy::Policy;

pub(crate) const PAYLOAD_TYPE: &str = "com.apple.mobiledevice.passwordpolicy";

/// The payload, if the policy asks for a PIN.
pub(super) fn passcode(policy: &Policy, context: &Context<'_>) -> Option<plist::Dictionary> {
    let keys = of_payload(Payload::Passcode, policy, context);
    if keys.is_empty() {
        return None;
    }
    let mut dictionary = payload(context, PAYLOAD_TYPE, "passcode", "PIN and automatic lock");
    for key in keys {
        dictionary.insert(key.name.to_owned(), key.value.into());
    }
    Some(dictionary)
}
