//! How the API draws an item of the register: in lists, and with all that belongs to it.

use serde::Serialize;

use crate::model::{
    AssetId, CaseId, CaseKind, CaseState, Confirmation, CouncilId, DeviceId, EnrolmentId, EnrolmentState, FaultId,
    InvitationId, Mode, Moment, Ownership, PersonId, Platform,
};
use crate::operations::assets::{Holder, Listed, Shown};
use crate::store::assets::Asset;

/// Who holds or held an item.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct HolderView {
    person: PersonId,
    name: String,
    since: Moment,
    /// Until when; nothing while it lasts.
    until: Option<Moment>,
}

impl From<Holder> for HolderView {
    fn from(holder: Holder) -> Self {
        Self { person: holder.person, name: holder.name, since: holder.since, until: holder.until }
    }
}

/// An item of the equipment register.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AssetView {
    id: AssetId,
    council: CouncilId,
    /// What is written on its label.
    tag: String,
    /// phone, tablet, dongle or other.
    kind: String,
    make: String,
    model: String,
    platform: Option<Platform>,
    ownership: Ownership,
    serial: Option<String>,
    imei: Option<String>,
    sim: Option<String>,
    phone_number: Option<String>,
    note: String,
    /// What is known of how it is backed up.
    backup_note: String,
    created_at: Moment,
    /// When it was disposed of, if it was.
    disposed_at: Option<Moment>,
    /// Who holds it now.
    holders: Vec<HolderView>,
}

impl AssetView {
    fn of(asset: Asset, holders: Vec<HolderView>) -> Self {
        Self {
            id: asset.id,
            council: asset.council_id,
            tag: asset.tag,
            kind: asset.kind,
            make: asset.make,
            model: asset.model,
            platform: asset.platform,
            ownership: asset.ownership,
            serial: asset.serial,
            imei: asset.imei,
            sim: asset.sim,
            phone_number: asset.phone_number,
            note: asset.note,
            backup_note: asset.backup_note,
            created_at: asset.created_at,
            disposed_at: asset.disposed_at,
            holders,
        }
    }
}

impl From<Listed> for AssetView {
    fn from(listed: Listed) -> Self {
        Self::of(listed.asset, listed.holders.into_iter().map(HolderView::from).collect())
    }
}

/// The phone or tablet that an item is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AssetDevice {
    id: DeviceId,
    platform: Platform,
    /// The serial number that it reports.
    serial: Option<String>,
    /// The name that it reports.
    name: Option<String>,
    /// Its newest enrolment.
    enrolment: Option<AssetEnrolment>,
}

/// The newest enrolment of the phone or tablet that an item is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AssetEnrolment {
    id: EnrolmentId,
    state: EnrolmentState,
    mode: Mode,
    /// Whether the clerk must confirm that this phone is the item.
    confirmation: Confirmation,
    last_seen_at: Moment,
    ended_at: Option<Moment>,
}

/// A loss or leaver's case that is not closed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AssetCase {
    id: CaseId,
    kind: CaseKind,
    state: CaseState,
    reported_at: Moment,
}

/// An invitation that waits to be used, or ran out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AssetInvitation {
    id: InvitationId,
    person: PersonId,
    mode: Mode,
    expires_at: Moment,
}

/// What is wrong, or was wrong, with an item.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct FaultView {
    id: FaultId,
    what: String,
    noticed_at: Moment,
    /// When it was mended, or given up.
    ended_at: Option<Moment>,
    /// How it ended.
    outcome: Option<String>,
}

impl From<crate::store::faults::Fault> for FaultView {
    fn from(fault: crate::store::faults::Fault) -> Self {
        Self {
            id: fault.id,
            what: fault.what,
            noticed_at: fault.noticed_at,
            ended_at: fault.ended_at,
            outcome: fault.outcome,
        }
    }
}

/// An item with all that belongs to it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AssetDetail {
    #[serde(flatten)]
    asset: AssetView,
    /// Who held it, now and before, in order of time.
    custody: Vec<HolderView>,
    /// The phone or tablet that it is, if one ever enrolled as it.
    device: Option<AssetDevice>,
    /// Its losses and leaver's cases that are not closed.
    open_cases: Vec<AssetCase>,
    /// Its invitations that no phone has enrolled with and nobody has withdrawn.
    invitations: Vec<AssetInvitation>,
    /// Its faults, the newest first.
    faults: Vec<FaultView>,
}

impl From<Shown> for AssetDetail {
    fn from(shown: Shown) -> Self {
        let holders = shown.custody.iter().filter(|held| held.until.is_none()).cloned().map(HolderView::from).collect();
        let device = shown.device.map(|(device, enrolment)| AssetDevice {
            id: device.id,
            platform: device.platform,
            serial: device.serial,
            name: device.name,
            enrolment: enrolment.map(|enrolment| AssetEnrolment {
                id: enrolment.id,
                state: enrolment.state,
                mode: enrolment.mode,
                confirmation: enrolment.confirmation,
                last_seen_at: enrolment.last_seen_at,
                ended_at: enrolment.ended_at,
            }),
        });
        let case = |case: crate::store::cases::Case| AssetCase {
            id: case.id,
            kind: case.kind,
            state: case.state,
            reported_at: case.reported_at,
        };
        let invitation = |invitation: crate::store::invitations::Invitation| AssetInvitation {
            id: invitation.id,
            person: invitation.person_id,
            mode: invitation.mode,
            expires_at: invitation.expires_at,
        };
        Self {
            asset: AssetView::of(shown.asset, holders),
            custody: shown.custody.into_iter().map(HolderView::from).collect(),
            device,
            open_cases: shown.cases.into_iter().map(case).collect(),
            invitations: shown.invitations.into_iter().map(invitation).collect(),
            faults: shown.faults.into_iter().map(FaultView::from).collect(),
        }
    }
}
