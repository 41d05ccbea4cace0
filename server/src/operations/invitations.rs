//! Invitations: the one link by which a holder enrols a phone as an item of the register.

mod invite;

pub use invite::{Holder, Item, invite};

use beadle_enrollment::invitation::Code;
use chrono::Duration;
use serde_json::json;

use super::{Context, android, assets, audit, councils, people};
use crate::error::{Error, Result};
use crate::keys::random_bytes;
use crate::model::{
    AssetKind, CaseKind, CouncilId, InvitationId, InvitationState, Mode, Moment, Ownership, Permission, PersonId,
    Platform,
};
use crate::store::assets::Asset;
use crate::store::invitations::Invitation;
use crate::store::people::Person;
use crate::store::{self, Transaction};

/// How long an invitation can be used unless asked otherwise: a week, in hours.
pub const STANDS_HOURS: i64 = 7 * 24;
/// The longest that an invitation may be usable: thirty days, in hours.
pub const MOST_HOURS: i64 = 30 * 24;

const PERSONAL_APPLE: &str = "an ordinary enrolment profile would give the council too much; personal iPhones wait for \
                              account-driven enrolment";

/// An invitation to make.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// The item that the phone is: its id or tag.
    pub asset: String,
    /// Who is invited; the item's only holder unless given.
    pub person: Option<PersonId>,
    /// How far management is to reach; `device` unless given.
    pub mode: Option<Mode>,
    /// How long it can be used, in hours.
    pub expires_in_hours: Option<i64>,
}

/// An invitation with what it is about in words.
#[derive(Clone, Debug)]
pub struct Named {
    /// The invitation.
    pub invitation: Invitation,
    /// The item's tag.
    pub asset_tag: String,
    /// The name of who is invited.
    pub person_name: String,
}

/// An invitation just made. The code is in here and nowhere else: only its hash is stored.
#[derive(Clone, Debug)]
pub struct Made {
    /// The invitation.
    pub named: Named,
    /// The link to send to the holder.
    pub link: String,
    /// The code of the link, in groups, for reading it out.
    pub code: String,
    /// What the clerk should know before sending it.
    pub warnings: Vec<String>,
}

/// Makes an invitation; an older one for the same item is withdrawn.
pub fn create(tx: &mut Transaction<'_>, context: &Context, council: &str, new: &NewInvitation) -> Result<Made> {
    let council = councils::permitted(tx, context, council, Permission::Register)?;
    audit::lock(tx, &council)?;
    let row = store::councils::find(tx, &council)?.ok_or(Error::NotFound("council"))?;
    if row.ended_at.is_some() {
        return Err(Error::conflict("the council has left; nothing can be enrolled for it any more"));
    }
    let asset = assets::of_council(tx, &council, &new.asset)?;
    assets::refuse_disposed(&asset)?;
    let person = invited(tx, &asset, new.person.as_ref())?;
    let mode = new.mode.unwrap_or_else(|| usual_mode(&asset));
    refuse_unsuitable(&asset, &person, mode)?;
    let hours = new.expires_in_hours.unwrap_or(STANDS_HOURS);
    if !(1..=MOST_HOURS).contains(&hours) {
        return Err(Error::invalid("expires_in_hours", format!("must be 1 to {MOST_HOURS}, which is thirty days")));
    }
    let warnings = warnings(tx, context, &asset, &person, mode)?;
    for older in store::invitations::pending_of_asset(tx, &council, &asset.id)? {
        take_back(tx, context, &older, "a newer invitation took its place")?;
    }
    let code = Code::from_random(random_bytes::<16>()?);
    let invitation = Invitation {
        council_id: council.clone(),
        id: InvitationId::new(),
        code_hash: code.hash(),
        asset_id: asset.id.clone(),
        person_id: person.id.clone(),
        mode,
        ownership: asset.ownership,
        state: InvitationState::Open,
        created_by: context.actor.label(),
        created_at: context.now,
        expires_at: context.now + Duration::hours(hours),
        accepted_at: None,
        notice_version: None,
        used_at: None,
    };
    store::invitations::insert(tx, &invitation)?;
    let details = json!({
        "asset": asset.tag,
        "person": person.name,
        "mode": mode,
        "ownership": asset.ownership,
        "expires_at": invitation.expires_at,
    });
    audit::record(tx, context, &council, "invitation made", invitation.id.as_str(), details)?;
    let named = Named { invitation, asset_tag: asset.tag, person_name: person.name };
    Ok(Made { named, link: format!("{}/i/{code}", row.public_url), code: code.grouped(), warnings })
}

fn invited(tx: &mut Transaction<'_>, asset: &Asset, asked: Option<&PersonId>) -> Result<Person> {
    if let Some(person) = asked {
        return people::present(tx, &asset.council_id, person, "person");
    }
    let holders = store::custody::current_of_assets(tx, &asset.council_id, vec![asset.id.clone()])?;
    match holders.as_slice() {
        [only] => people::present(tx, &asset.council_id, &only.person_id, "person"),
        [] => Err(Error::invalid("person", format!("nobody holds {}; say who is invited", asset.tag))),
        _ => Err(Error::invalid("person", format!("several people hold {}; say who of them is invited", asset.tag))),
    }
}

/// Refuses what could not be enrolled, or must not be.
fn refuse_unsuitable(asset: &Asset, person: &Person, mode: Mode) -> Result<()> {
    if person.council_device_only && asset.ownership == Ownership::Personal {
        return Err(Error::conflict(format!(
            "{} works with the council's own devices only and cannot be invited with a personal one",
            person.name
        )));
    }
    if ![AssetKind::Phone.as_str(), AssetKind::Tablet.as_str()].contains(&asset.kind.as_str()) {
        return Err(Error::conflict(format!(
            "{} is neither a phone nor a tablet, so it cannot be enrolled",
            asset.tag
        )));
    }
    if asset.platform.is_some_and(|platform| platform != mode.platform()) {
        return Err(Error::invalid(
            "mode",
            format!("does not fit: {} is another kind of phone on the register", asset.tag),
        ));
    }
    if mode.platform() == Platform::Android {
        return match (asset.ownership, mode.is_personal()) {
            (Ownership::Personal, true) | (Ownership::Council, false) => Ok(()),
            (Ownership::Personal, false) => Err(Error::invalid(
                "mode",
                format!(
                    "must be personal_work_profile: {} is its holder's own, and only a work profile is managed on it",
                    asset.tag
                ),
            )),
            (Ownership::Council, true) => Err(Error::invalid(
                "mode",
                format!("must be fully_managed or company_work_profile: {} is the council's own", asset.tag),
            )),
        };
    }
    if asset.ownership == Ownership::Personal {
        return Err(Error::conflict(PERSONAL_APPLE));
    }
    if mode == Mode::User {
        return Err(Error::invalid(
            "mode",
            format!(
                "must be device or supervised: {} is the council's own, and user is for personal phones",
                asset.tag
            ),
        ));
    }
    Ok(())
}

/// The mode that an item is invited to unless another is named.
fn usual_mode(asset: &Asset) -> Mode {
    match (asset.platform, asset.ownership) {
        (Some(Platform::Android), Ownership::Personal) => Mode::PersonalWorkProfile,
        (Some(Platform::Android), Ownership::Council) => Mode::FullyManaged,
        (Some(Platform::Apple) | None, _) => Mode::Device,
    }
}

fn warnings(
    tx: &mut Transaction<'_>,
    context: &Context,
    asset: &Asset,
    person: &Person,
    mode: Mode,
) -> Result<Vec<String>> {
    let council = &asset.council_id;
    let mut warnings = Vec::new();
    let android = mode.platform() == Platform::Android;
    if android && store::google_enterprises::current(tx, council)?.is_none() {
        warnings.push(
            "the council is not connected to Google yet: until it is, the link says that it is not ready".to_owned(),
        );
    }
    match store::authorities::enrolment_topic(tx, council)? {
        _ if android => {}
        None => warnings.push(
            "the council has no push certificate from Apple yet: until it has one, the link says that it is not ready"
                .to_owned(),
        ),
        Some((_, not_after)) if not_after < context.now => warnings.push(
            "the council's push certificate has expired: until it is renewed, the link says that it is not ready"
                .to_owned(),
        ),
        Some(_) => {}
    }
    if assets::live_enrolment(tx, asset)?.is_some() {
        warnings.push(format!("{} is under management now: a new enrolment replaces that one", asset.tag));
    }
    if store::cases::unclosed_of_asset(tx, council, &asset.id, CaseKind::Loss)?.is_some() {
        warnings.push(format!("{} is reported lost: make sure that you know who has it", asset.tag));
    }
    let holders = store::custody::current_of_assets(tx, council, vec![asset.id.clone()])?;
    if !holders.iter().any(|held| held.person_id == person.id) {
        warnings.push(format!("{} is not on the register as holder of {}", person.name, asset.tag));
    }
    Ok(warnings)
}

/// Whether an invitation could be accepted or used at `now`.
#[must_use]
pub fn is_open(invitation: &Invitation, now: Moment) -> bool {
    matches!(invitation.state, InvitationState::Open | InvitationState::Accepted) && now <= invitation.expires_at
}

/// The council's invitations after `after`, by id; all, or those that can still be used.
pub fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &str,
    open_only: bool,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Named>> {
    let council = councils::permitted(tx, context, council, Permission::Read)?;
    let rows = store::invitations::page(tx, &council, open_only.then_some(context.now), after, limit)?;
    named(tx, &council, rows)
}

fn named(tx: &mut Transaction<'_>, council: &CouncilId, rows: Vec<Invitation>) -> Result<Vec<Named>> {
    let tags = store::assets::tags(tx, council, rows.iter().map(|row| row.asset_id.clone()).collect())?;
    let names = store::people::names(tx, council, rows.iter().map(|row| row.person_id.clone()).collect())?;
    Ok(rows
        .into_iter()
        .map(|invitation| Named {
            asset_tag: tags.get(&invitation.asset_id).cloned().unwrap_or_default(),
            person_name: names.get(&invitation.person_id).cloned().unwrap_or_default(),
            invitation,
        })
        .collect())
}

/// One invitation.
///
/// # Errors
/// `NotFound` when there is none that the caller sees.
pub fn show(tx: &mut Transaction<'_>, context: &Context, id: &InvitationId) -> Result<Named> {
    let invitation = visible(tx, context, id)?;
    let council = invitation.council_id.clone();
    context.actor.require(Permission::Read, &council)?;
    named(tx, &council, vec![invitation])?.pop().ok_or(Error::NotFound("invitation"))
}

/// Withdraws an invitation: its link leads nowhere from now on.
pub fn withdraw(tx: &mut Transaction<'_>, context: &Context, id: &InvitationId) -> Result<Named> {
    let invitation = visible(tx, context, id)?;
    context.actor.require(Permission::Register, &invitation.council_id)?;
    audit::lock(tx, &invitation.council_id)?;
    let invitation = visible(tx, context, id)?;
    if invitation.state == InvitationState::Used {
        return Err(Error::conflict(
            "a phone has enrolled with this invitation already; withdrawing it would change nothing",
        ));
    }
    take_back(tx, context, &invitation, "withdrawn by hand")?;
    let council = invitation.council_id.clone();
    let invitation = visible(tx, context, id)?;
    named(tx, &council, vec![invitation])?.pop().ok_or(Error::NotFound("invitation"))
}

fn visible(tx: &mut Transaction<'_>, context: &Context, id: &InvitationId) -> Result<Invitation> {
    store::invitations::find(tx, id)?
        .filter(|invitation| context.actor.sees(&invitation.council_id))
        .ok_or(Error::NotFound("invitation"))
}

/// Takes an invitation back, unless it was used or taken back before. The caller has the permission and the lock.
pub(super) fn take_back(tx: &mut Transaction<'_>, context: &Context, invitation: &Invitation, why: &str) -> Result<()> {
    if store::invitations::withdraw(tx, invitation)? {
        android::tokens::withdraw(tx, context, &invitation.council_id, &invitation.id)?;
        let details = json!({ "asset": invitation.asset_id, "person": invitation.person_id, "why": why });
        audit::record(tx, context, &invitation.council_id, "invitation withdrawn", invitation.id.as_str(), details)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
