//! Which command is possible on which kind of device: one rule for the queue, the encoders and the pages.

use super::{CommandKind, Mode, Ownership};

const LOST_MODE: &str =
    "Lost Mode needs a supervised iPhone or iPad; this one is not supervised, so it can only be locked";
const SUPERVISED: &str = "this is possible on supervised iPhones and iPads only";
const PERSONAL: &str = "this is not done on a holder's own phone";
const PERSONAL_LOCK: &str =
    "a holder's own phone enrolled by profile gives the council no right to lock it or clear its PIN";
const ANDROID_REPORTS: &str = "an Android phone reports by itself and is not asked";
const NOT_ON_ANDROID: &str = "Android phones know no such command";

impl CommandKind {
    /// Whether it only asks: it changes nothing on the phone, and asking it twice does no harm.
    #[must_use]
    pub const fn is_question(self) -> bool {
        matches!(
            self,
            Self::DeviceInformation | Self::SecurityInfo | Self::ProfileList | Self::InstalledApplicationList
        )
    }

    /// Why this command is not possible on such a device, in words for the clerk; `None` when it is possible.
    #[must_use]
    pub fn refusal(self, mode: Mode, ownership: Ownership) -> Option<&'static str> {
        match mode {
            Mode::Supervised | Mode::Device | Mode::User => self.refusal_by_apple(mode, ownership),
            Mode::FullyManaged | Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
                self.refusal_by_android(mode, ownership)
            }
        }
    }

    /// Source: Apple's schema, `supportedOS` (`supervised`, `userenrollment.mode`) and the access rights of the profile.
    fn refusal_by_apple(self, mode: Mode, ownership: Ownership) -> Option<&'static str> {
        let supervised = mode == Mode::Supervised;
        match self {
            Self::DeviceInformation
            | Self::SecurityInfo
            | Self::ProfileList
            | Self::InstallProfile
            | Self::RenewIdentity => None,
            Self::InstalledApplicationList => (ownership == Ownership::Personal).then_some(PERSONAL),
            Self::DeviceLock => (ownership == Ownership::Personal && mode != Mode::User).then_some(PERSONAL_LOCK),
            Self::ClearPasscode => match (mode, ownership) {
                (Mode::User, _) => Some(PERSONAL),
                (_, Ownership::Personal) => Some(PERSONAL_LOCK),
                (_, Ownership::Council) => None,
            },
            Self::EnableLostMode | Self::DisableLostMode => {
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

    /// Source: the Android Management API's `Command.type`. What Google would acknowledge without the phone doing it is refused
    /// here, whatever Google says.
    fn refusal_by_android(self, mode: Mode, ownership: Ownership) -> Option<&'static str> {
        let personal = mode.is_personal() || ownership == Ownership::Personal;
        match self {
            Self::DeviceLock => None,
            Self::EnableLostMode | Self::DisableLostMode => {
                personal.then_some("lost mode exists on the council's own Android phones only; this one can be locked")
            }
            Self::ClearPasscode => match mode {
                Mode::FullyManaged if !personal => None,
                Mode::FullyManaged => Some(PERSONAL),
                _ => Some("the PIN of a phone with a work profile can be cleared by its holder only"),
            },
            Self::DeviceInformation | Self::SecurityInfo | Self::ProfileList | Self::InstalledApplicationList => {
                Some(ANDROID_REPORTS)
            }
            Self::InstallProfile | Self::RenewIdentity | Self::DeviceConfigured | Self::ActivationLockBypassCode => {
                Some(NOT_ON_ANDROID)
            }
        }
    }
}
