//! Which command is possible on which kind of device: one rule for the queue, the encoders and the pages.

use super::{CommandKind, Mode, Ownership};

impl CommandKind {
    /// Why this command is not possible on such a device, in words for the clerk; `None` when it is possible.
    ///
    /// Source: Apple's schema, `supportedOS` (`supervised`, `userenrollment.mode`) and the access rights of the profile.
    #[must_use]
    pub fn refusal(self, mode: Mode, ownership: Ownership) -> Option<&'static str> {
        const LOST_MODE: &str =
            "Lost Mode needs a supervised iPhone or iPad; this one is not supervised, so it can only be locked";
        const SUPERVISED: &str = "this is possible on supervised iPhones and iPads only";
        const PERSONAL: &str = "this is not done on a holder's own phone";
        const PERSONAL_LOCK: &str =
            "a holder's own phone enrolled by profile gives the council no right to lock it or clear its PIN";
        let supervised = mode == Mode::Supervised;
        match mode {
            Mode::FullyManaged | Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
                return Some("Android phones are not served yet");
            }
            Mode::Supervised | Mode::Device | Mode::User => {}
        }
        match self {
            Self::DeviceInformation
            | Self::SecurityInfo
            | Self::ProfileList
            | Self::CertificateList
            | Self::InstallProfile
            | Self::RemoveProfile
            | Self::RenewIdentity => None,
            Self::InstalledApplicationList => (ownership == Ownership::Personal).then_some(PERSONAL),
            Self::DeviceLock => (ownership == Ownership::Personal && mode != Mode::User).then_some(PERSONAL_LOCK),
            Self::ClearPasscode => match (mode, ownership) {
                (Mode::User, _) => Some(PERSONAL),
                (_, Ownership::Personal) => Some(PERSONAL_LOCK),
                (_, Ownership::Council) => None,
            },
            Self::EnableLostMode | Self::DisableLostMode | Self::DeviceLocation | Self::PlayLostModeSound => {
                if ownership == Ownership::Personal {
                    Some(PERSONAL)
                } else {
                    (!supervised).then_some(LOST_MODE)
                }
            }
            Self::DeviceConfigured => (!supervised).then_some(SUPERVISED),
            // With the code the council could take the lock of a holder's own Apple Account off his own phone.
            Self::ActivationLockBypassCode if ownership == Ownership::Personal => Some(PERSONAL),
            Self::ActivationLockBypassCode => (!supervised).then_some(SUPERVISED),
        }
    }
}
