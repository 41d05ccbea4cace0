//! The kinds of phone under management, because what can be enforced depends on nothing else.

use crate::named::named_enum;

named_enum! {
    /// Whose system the phone runs.
    Platform, "platform" {
        /// iPhone and iPad.
        Apple = "apple",
        /// Android, through Google's Android Management API.
        Android = "android",
    }
}

named_enum! {
    /// How far management reaches on one enrolment.
    Mode, "management mode" {
        /// Apple, council-owned and supervised.
        Supervised = "supervised",
        /// Apple, enrolled by profile without supervision.
        Device = "device",
        /// Apple User Enrollment of a personal phone.
        User = "user",
        /// Android, council-owned, the whole phone is work.
        FullyManaged = "fully_managed",
        /// Android, council-owned with a work profile.
        CompanyWorkProfile = "company_work_profile",
        /// Android, personal with a work profile.
        PersonalWorkProfile = "personal_work_profile",
    }
}

named_enum! {
    /// Who owns the phone: a fact of the asset, kept beside the mode.
    Ownership, "ownership" {
        /// The council's own equipment.
        Council = "council",
        /// The holder's own phone.
        Personal = "personal",
    }
}

impl Mode {
    /// The platform this mode belongs to.
    pub const fn platform(self) -> Platform {
        match self {
            Self::Supervised | Self::Device | Self::User => Platform::Apple,
            Self::FullyManaged | Self::CompanyWorkProfile | Self::PersonalWorkProfile => Platform::Android,
        }
    }

    /// Whether this mode exists only on a holder's own phone, which is never given anything that erases all of it (W3).
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::User | Self::PersonalWorkProfile)
    }

    /// The words a clerk reads.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Supervised => "council iPhone or iPad, supervised",
            Self::Device => "council iPhone or iPad, not supervised",
            Self::User => "personal iPhone or iPad",
            Self::FullyManaged => "council Android phone, fully managed",
            Self::CompanyWorkProfile => "council Android phone with a work profile",
            Self::PersonalWorkProfile => "personal Android phone with a work profile",
        }
    }

    /// Position in [`Mode::all`], for tables with one entry per mode.
    pub(crate) const fn position(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_positions_match() {
        for (position, mode) in Mode::all().iter().enumerate() {
            assert_eq!(mode.as_str().parse::<Mode>().unwrap(), *mode);
            assert_eq!(mode.position(), position);
            assert_eq!(serde_json::to_string(mode).unwrap(), format!("\"{mode}\""));
        }
        let refused = "lorry".parse::<Mode>().unwrap_err();
        assert!(refused.to_string().contains("supervised"), "{refused}");
    }
}
