//! `keyguardDisabledFeatures`: what the locked screen does not show or take.

use super::message::members;
use super::{Draft, Posture};
use crate::mode::Mode;

members! {
    /// Something taken off the locked screen.
    KeyguardFeature {
        /// Every notification.
        Notifications = "NOTIFICATIONS",
        /// What notifications say.
        UnredactedNotifications = "UNREDACTED_NOTIFICATIONS",
        /// Unlocking by a watch, a place or a voice.
        TrustAgents = "TRUST_AGENTS",
        /// Unlocking by finger, face or eye.
        Biometrics = "BIOMETRICS",
    }
}

/// Takes something off the locked screen, once.
pub(crate) fn take_off(draft: &mut Draft, feature: KeyguardFeature) {
    let features = draft.resource.keyguard_disabled_features.get_or_insert_default();
    if !features.contains(&feature) {
        features.push(feature);
        features.sort_unstable();
    }
}

/// A lost phone shows nothing to whoever found it and opens for nobody's finger; all of it comes back with the everyday posture.
/// From inside a personal phone's work profile, Android lets only the words of work notifications be hidden.
pub(super) fn when_lost(draft: &mut Draft) {
    if draft.posture != Posture::Lost {
        return;
    }
    if draft.mode != Mode::PersonalWorkProfile {
        take_off(draft, KeyguardFeature::Notifications);
    }
    for feature in [KeyguardFeature::UnredactedNotifications, KeyguardFeature::TrustAgents, KeyguardFeature::Biometrics]
    {
        take_off(draft, feature);
    }
}
