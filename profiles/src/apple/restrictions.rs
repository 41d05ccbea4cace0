//! The restrictions payload, `com.apple.applicationaccess`.

use super::keys::{Payload, of_payload};
use super::{Context, payload};
use crate::policy::Policy;

pub(crate) const PAYLOAD_TYPE: &str = "com.apple.applicationaccess";

/// The payload, if the policy restricts anything on this kind of phone.
pub(super) fn restrictions(policy: &Policy, context: &Context<'_>) -> Option<plist::Dictionary> {
    let keys = of_payload(Payload::Restrictions, policy, context);
    if keys.is_empty() {
        return None;
    }
    let mut dictionary = payload(context, PAYLOAD_TYPE, "restrictions", "Restrictions");
    for key in keys {
        dictionary.insert(key.name.to_owned(), key.value.into());
    }
    Some(dictionary)
}
