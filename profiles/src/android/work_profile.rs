//! The border between the work profile and the personal side, and what the council leaves alone on the personal side of its own phones.

use super::Draft;
use super::message::{members, message};
use crate::mode::Mode;

message! {
    /// `CrossProfilePolicies`; phones without a work profile would report every field as not complying.
    CrossProfilePolicies {
        cross_profile_copy_paste: CopyPaste,
        cross_profile_data_sharing: DataSharing,
        show_work_contacts_in_personal_profile: WorkContacts,
    }
}

members! {
    /// Whether copied text crosses the border.
    CopyPaste { Allowed = "CROSS_PROFILE_COPY_PASTE_ALLOWED", NotOutOfWork = "COPY_FROM_WORK_TO_PERSONAL_DISALLOWED" }
}

members! {
    /// Whether files and links cross the border.
    DataSharing { Allowed = "CROSS_PROFILE_DATA_SHARING_ALLOWED", Disallowed = "CROSS_PROFILE_DATA_SHARING_DISALLOWED" }
}

members! {
    /// Whether personal apps look up work contacts; Google's default lets them.
    WorkContacts { Shown = "SHOW_WORK_CONTACTS_IN_PERSONAL_PROFILE_ALLOWED", Hidden = "SHOW_WORK_CONTACTS_IN_PERSONAL_PROFILE_DISALLOWED" }
}

message! {
    /// `PersonalUsagePolicies`, for company-owned phones with a work profile only.
    PersonalUsagePolicies {
        camera_disabled: bool,
        max_days_with_work_off: u16,
        personal_play_store_mode: PersonalPlayStoreMode,
        screen_capture_disabled: bool,
    }
}

members! {
    /// Which apps the personal side may have. `BLOCKLIST` with an empty list leaves them all.
    PersonalPlayStoreMode { Blocklist = "BLOCKLIST" }
}

/// What Google's `CrossProfilePolicies` says on this phone, where it has a work profile at all.
pub(crate) fn border(draft: &mut Draft) -> Option<&mut CrossProfilePolicies> {
    draft.has_work_profile().then(|| draft.resource.cross_profile_policies.get_or_insert_default())
}

/// The personal side of a council phone is the holder's: nothing is taken from it, and a work profile that is switched off for the
/// holidays suspends nothing.
pub(super) fn personal_side(mode: Mode) -> Option<PersonalUsagePolicies> {
    (mode == Mode::CompanyWorkProfile).then_some(PersonalUsagePolicies {
        camera_disabled: Some(false),
        max_days_with_work_off: Some(0),
        personal_play_store_mode: Some(PersonalPlayStoreMode::Blocklist),
        screen_capture_disabled: Some(false),
    })
}
