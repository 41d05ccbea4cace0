//! The words for the state of everything: one list each, the same in the database, the API and the pages.

use super::text_enum::text_enum;

text_enum! {
    /// What an operator may do; see the table "Who may do what" in the guide.
    pub enum Role {
        /// The IT provider: every council.
        Provider => "provider",
        /// The clerk of one council.
        Clerk => "clerk",
        /// The second person, usually the chair.
        Approver => "approver",
        /// Reads only.
        Auditor => "auditor",
    }
}

text_enum! {
    /// Who makes the device's management protocol.
    pub enum Platform {
        /// iPhone and iPad, by the MDM protocol.
        Apple => "apple",
        /// Android, through Google's Android Management API.
        Android => "android",
    }
}

text_enum! {
    /// How far management reaches, as the device itself reports.
    pub enum Mode {
        /// Apple, supervised.
        Supervised => "supervised",
        /// Apple, enrolled by profile, not supervised.
        Device => "device",
        /// Apple, User Enrollment of a personal device.
        User => "user",
        /// Android, fully managed.
        FullyManaged => "fully_managed",
        /// Android, company-owned with a work profile.
        CompanyWorkProfile => "company_work_profile",
        /// Android, a work profile on a personal device.
        PersonalWorkProfile => "personal_work_profile",
    }
}

text_enum! {
    /// Whose the item is; a fact of the asset, stored beside the mode.
    pub enum Ownership {
        /// The council's.
        Council => "council",
        /// The holder's own.
        Personal => "personal",
    }
}

text_enum! {
    /// Where an invitation stands.
    pub enum InvitationState {
        /// Made, not yet accepted.
        Open => "open",
        /// The holder accepted the notice.
        Accepted => "accepted",
        /// A device enrolled with it.
        Used => "used",
        /// Taken back.
        Withdrawn => "withdrawn",
    }
}

text_enum! {
    /// Where an enrolment stands.
    pub enum EnrolmentState {
        /// Authenticate was received, TokenUpdate not yet.
        Authenticated => "authenticated",
        /// Under management.
        Enrolled => "enrolled",
        /// Over: left, replaced by a newer one, or erased.
        Ended => "ended",
    }
}

text_enum! {
    /// Whether the clerk must confirm that this phone is the asset's.
    pub enum Confirmation {
        /// The serial is the asset's.
        NotNeeded => "not_needed",
        /// The serial is not the asset's: waits for the clerk.
        Waiting => "waiting",
        /// The clerk confirmed it.
        Confirmed => "confirmed",
    }
}

text_enum! {
    /// What is asked of a device. None of these destroys data: that is an order.
    pub enum CommandKind {
        /// DeviceInformation.
        DeviceInformation => "device_information",
        /// SecurityInfo.
        SecurityInfo => "security_info",
        /// ProfileList.
        ProfileList => "profile_list",
        /// InstalledApplicationList; council devices only.
        InstalledApplicationList => "installed_application_list",
        /// InstallProfile with the council's policy.
        InstallProfile => "install_profile",
        /// InstallProfile with a new SCEP challenge for the same management profile.
        RenewIdentity => "renew_identity",
        /// DeviceLock.
        DeviceLock => "device_lock",
        /// ClearPasscode.
        ClearPasscode => "clear_passcode",
        /// EnableLostMode; supervised only.
        EnableLostMode => "enable_lost_mode",
        /// DisableLostMode; supervised only.
        DisableLostMode => "disable_lost_mode",
        /// DeviceConfigured; supervised only.
        DeviceConfigured => "device_configured",
        /// ActivationLockBypassCode; supervised only.
        ActivationLockBypassCode => "activation_lock_bypass_code",
    }
}

text_enum! {
    /// Where a command stands.
    pub enum CommandState {
        /// Waits to be fetched.
        Queued => "queued",
        /// Was written to the device; no answer yet.
        Sent => "sent",
        /// The device said NotNow (or not in Lost Mode): offered again later.
        Deferred => "deferred",
        /// The device said it is done.
        Acknowledged => "acknowledged",
        /// The device said it cannot.
        Failed => "failed",
        /// Its time ran out before an answer.
        Expired => "expired",
        /// Taken back before it was answered.
        Cancelled => "cancelled",
        /// A newer command took its place.
        Superseded => "superseded",
    }
}

text_enum! {
    /// Where an order stands; W1 says it is always exactly one of these.
    pub enum OrderState {
        /// Asked for; waits for a second person.
        Requested => "requested",
        /// Approved; the device is being woken.
        Approved => "approved",
        /// The push service accepted the wake-up.
        Pushed => "pushed",
        /// The device fetched it; no answer yet.
        Fetched => "fetched",
        /// Waits for a person: see the reason.
        Held => "held",
        /// Approved, but the device has not been heard from; still stands.
        Unreachable => "unreachable",
        /// The device reported that it erases itself.
        Confirmed => "confirmed",
        /// Fetched, then silence for 24 hours.
        PresumedErased => "presumed_erased",
        /// A second person refused it.
        Refused => "refused",
        /// Nobody approved it within 72 hours.
        Lapsed => "lapsed",
        /// Taken back before the device fetched it.
        Cancelled => "cancelled",
        /// The device reported an error.
        Failed => "failed",
        /// The device left management before it fetched the order.
        LeftManagement => "left_management",
    }
}

text_enum! {
    /// Why an order waits for a person.
    pub enum HeldReason {
        /// The device enrolled again since.
        ReEnrolled => "re_enrolled",
        /// A legal hold lies on the device.
        LegalHold => "legal_hold",
        /// The cap was reached.
        Frozen => "frozen",
        /// The server was restored from a backup.
        Quarantine => "quarantine",
        /// The clerk has not confirmed that this phone is the asset's.
        IdentityWaiting => "identity_waiting",
        /// A rule forbids it as things stand now: the device became personal, its case was closed.
        Forbidden => "forbidden",
        /// The row does not agree with its seal or with the audit trail.
        Distrusted => "distrusted",
        /// Somebody who was told of it by mail stopped it.
        Paused => "paused",
    }
}

text_enum! {
    /// What an order destroys.
    pub enum Scope {
        /// The whole device.
        EraseDevice => "erase_device",
        /// The work profile only.
        EraseWorkProfile => "erase_work_profile",
        /// The record at Google, after a confirmed end.
        ForgetRecord => "forget_record",
    }
}

text_enum! {
    /// Why a case was opened.
    pub enum CaseKind {
        /// Lost or stolen.
        Loss => "loss",
        /// The holder leaves, or the item is disposed of.
        Leaver => "leaver",
    }
}

text_enum! {
    /// What the council decided about personal data that may have been exposed.
    pub enum BreachDecision {
        /// Nothing yet: the clock runs.
        Undecided => "undecided",
        /// The Information Commissioner is told.
        Notify => "notify",
        /// The Commissioner is not told, for a reason that is written down.
        DoNotNotify => "do_not_notify",
    }
}

text_enum! {
    /// Where a case stands.
    pub enum CaseState {
        /// Open.
        Open => "open",
        /// The item was found; not yet back in use.
        Found => "found",
        /// Closed.
        Closed => "closed",
    }
}

text_enum! {
    /// Where a push certificate stands.
    pub enum PushCertificateState {
        /// A key and request exist; Apple's answer does not yet.
        Requested => "requested",
        /// Serves new enrolments.
        Current => "current",
        /// Another topic replaced it; serves until its last phone has enrolled again.
        Retiring => "retiring",
        /// No longer used.
        Retired => "retired",
    }
}

text_enum! {
    /// Whether the device reports a setting as obeyed.
    pub enum SettingState {
        /// The device reports it.
        InForce => "in_force",
        /// The device reports the contrary.
        NotInForce => "not_in_force",
        /// The device has not said.
        Unknown => "unknown",
    }
}

text_enum! {
    /// What an item on the register is.
    pub enum AssetKind {
        /// A telephone.
        Phone => "phone",
        /// A tablet.
        Tablet => "tablet",
        /// A key or modem that plugs in; never managed.
        Dongle => "dongle",
        /// Anything else; never managed.
        Other => "other",
    }
}

text_enum! {
    /// Which of a council's two Android policies a phone has.
    pub enum Posture {
        /// In its holder's hands.
        Everyday => "everyday",
        /// Reported lost: nothing on the lock screen, no biometrics, no USB data.
        Lost => "lost",
    }
}

text_enum! {
    /// Where an enrolment token stands.
    pub enum AndroidTokenState {
        /// Google was asked; its answer has not been written down.
        Asked => "asked",
        /// Google made it.
        Made => "made",
        /// A phone enrolled with it.
        Used => "used",
        /// Taken back.
        Withdrawn => "withdrawn",
    }
}

text_enum! {
    /// Where an operation at Google stands.
    pub enum GoogleOperationState {
        /// Asked for; Google's answer has not been written down.
        Calling => "calling",
        /// Google gave it a name: it waits for the phone.
        Issued => "issued",
        /// Over; see its outcome.
        Ended => "ended",
    }
}

text_enum! {
    /// How an operation at Google ended.
    pub enum GoogleOutcome {
        /// The phone reported it done.
        Done => "done",
        /// The phone, or Google, said that it cannot be done.
        Failed => "failed",
        /// Taken back before the phone had it.
        Cancelled => "cancelled",
        /// Its time ran out before the phone had it.
        Expired => "expired",
        /// Google never had it.
        NotMade => "not_made",
        /// Neither Google nor the phone can be asked any more.
        LostSight => "lost_sight",
    }
}

impl Mode {
    /// Whose management protocol devices of this mode speak.
    #[must_use]
    pub const fn platform(self) -> Platform {
        match self {
            Self::Supervised | Self::Device | Self::User => Platform::Apple,
            Self::FullyManaged | Self::CompanyWorkProfile | Self::PersonalWorkProfile => Platform::Android,
        }
    }

    /// Whether this mode exists only on a holder's own device, of which the work part alone is managed.
    #[must_use]
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::User | Self::PersonalWorkProfile)
    }

    /// What an order for a device of this mode destroys.
    #[must_use]
    pub const fn order_scope(self) -> Scope {
        match self {
            Self::PersonalWorkProfile => Scope::EraseWorkProfile,
            Self::Supervised | Self::Device | Self::User | Self::FullyManaged | Self::CompanyWorkProfile => {
                Scope::EraseDevice
            }
        }
    }
}
