//! Councils: added with everything they need from the first moment, found by id or short name, and set.

use beadle_enrollment::authority::{Authority, Serial};
use beadle_profiles::policy::{Policy, Preset};
use chrono::Duration;
use serde_json::json;
use url::{Host, Url};

use super::{Context, audit};
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::model::{AuthorityId, CouncilId, Moment, Permission};
use crate::sealing::Purpose;
use crate::store::authorities::AuthorityRow;
use crate::store::councils::{Council, Counts};
use crate::store::policies::PolicyVersion;
use crate::store::{self, Transaction};

/// How long a council's own certificate authority lasts; phones that trust it cannot be given another one silently.
const AUTHORITY_LIFE: Duration = Duration::days(20 * 365);

/// What a new council is to be.
#[derive(Clone, Debug)]
pub struct NewCouncil {
    /// Its name, as it signs letters.
    pub name: String,
    /// Its short name, for URLs and the command line.
    pub slug: String,
    /// The https address that its devices will know for ever.
    pub public_url: String,
    /// Its time zone, as in "Europe/London".
    pub time_zone: String,
    /// The policy it starts from.
    pub preset: Preset,
}

/// A checked new council with its certificate authority; made outside any transaction, since making a key is slow.
#[derive(Clone, Debug)]
pub struct PreparedCouncil {
    council: Council,
    authority: AuthorityRow,
    settings: String,
    preset: Preset,
}

/// Checks a new council and makes its certificate authority. Slow: run it where blocking is allowed.
pub fn prepare(keys: &Keys, now: Moment, new: &NewCouncil) -> Result<PreparedCouncil> {
    let name = checked_name(&new.name)?;
    let council = Council {
        id: CouncilId::new(),
        slug: checked_slug(&new.slug)?,
        public_url: checked_url(&new.public_url)?,
        time_zone: checked_zone(&new.time_zone)?,
        name,
        scep_legacy: false,
        created_at: now,
        ended_at: None,
    };
    let begins = (now - Duration::days(1)).utc();
    let authority = Serial::random()
        .and_then(|serial| {
            Authority::create(&format!("{} devices", council.name), serial, begins, (now + AUTHORITY_LIFE).utc())
        })
        .map_err(Error::internal)?;
    let (id, (not_before, not_after)) = (AuthorityId::new(), authority.validity());
    let key = zeroize::Zeroizing::new(authority.private_key_der());
    let authority = AuthorityRow {
        council_id: council.id.clone(),
        sealed_key: keys.sealer.seal(Purpose::AuthorityKey, council.id.as_str(), id.as_str(), &key)?,
        id,
        certificate: authority.certificate_der(),
        not_before: not_before.into(),
        not_after: not_after.into(),
        created_at: now,
    };
    let settings = serde_json::to_string(&Policy::preset(new.preset))?;
    Ok(PreparedCouncil { council, authority, settings, preset: new.preset })
}

fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", "must have 1 to 100 characters"));
    }
    Ok(name.to_owned())
}

fn checked_slug(slug: &str) -> Result<String> {
    let right = (2..=32).contains(&slug.len())
        && slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && slug.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && !slug.ends_with('-');
    if !right || slug == audit::INSTALLATION {
        return Err(Error::invalid(
            "slug",
            "must have 2 to 32 small letters, digits and hyphens, and begin with a letter, as in \"germoe\"",
        ));
    }
    Ok(slug.to_owned())
}

fn checked_url(text: &str) -> Result<String> {
    let wrong = || {
        Error::invalid(
            "public_url",
            "must be the council's own address, as in \"https://devices.example-parish.gov.uk\", without a path",
        )
    };
    let url = Url::parse(text.trim()).map_err(|_| wrong())?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(wrong()),
    };
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !bare || !(url.scheme() == "https" || (url.scheme() == "http" && loopback)) {
        return Err(wrong());
    }
    Ok(url.origin().ascii_serialization())
}

fn checked_zone(zone: &str) -> Result<String> {
    zone.parse::<chrono_tz::Tz>()
        .map(|zone| zone.name().to_owned())
        .map_err(|_| Error::invalid("time_zone", "must be a time zone's name, as in \"Europe/London\""))
}

/// Adds a council with its authority, the first version of its policy and its audit trail.
pub fn add(tx: &mut Transaction<'_>, context: &Context, new: &PreparedCouncil) -> Result<Council> {
    context.actor.require_installation(Permission::Installation)?;
    if let Some(other) = store::councils::find_taken(tx, &new.council.slug, &new.council.public_url)? {
        let what = if other.slug == new.council.slug { "short name" } else { "public address" };
        return Err(Error::conflict(format!("another council has this {what}")));
    }
    let policy = PolicyVersion {
        council_id: new.council.id.clone(),
        version: 1,
        settings: new.settings.clone(),
        note: format!("Preset: {}", new.preset.title()),
        changed_by: context.actor.label(),
        changed_at: context.now,
    };
    store::councils::insert_whole(tx, &new.council, &new.authority, &policy)?;
    audit::start(tx, context, new.council.id.as_str())?;
    let details = json!({
        "name": new.council.name,
        "public_url": new.council.public_url,
        "authority_not_after": new.authority.not_after,
    });
    audit::record(tx, context, &new.council.id, "council.added", new.council.id.as_str(), details.clone())?;
    audit::record_installation(tx, context, "council.added", new.council.id.as_str(), details)?;
    Ok(new.council.clone())
}

/// The id of the council that a URL or the command line names by id or short name. Says nothing about who may see it.
pub fn named(tx: &mut Transaction<'_>, name: &str) -> Result<CouncilId> {
    let by_id = store::councils::find(tx, &CouncilId::from(name))?;
    let council = match by_id {
        Some(council) => Some(council),
        None => store::councils::find_by_slug(tx, name)?,
    };
    council.map(|council| council.id).ok_or(Error::NotFound("council"))
}

/// Like [`named`], for an actor who may do `permission` there; a stranger hears that there is no such council.
pub fn permitted(tx: &mut Transaction<'_>, context: &Context, name: &str, permission: Permission) -> Result<CouncilId> {
    let council = named(tx, name)?;
    context.actor.require(permission, &council)?;
    Ok(council)
}

/// The councils that the actor sees, by id, after the council with the id `after`.
pub fn list(tx: &mut Transaction<'_>, context: &Context, after: Option<&str>, limit: i64) -> Result<Vec<Council>> {
    use crate::model::Actor;
    let only = match &context.actor {
        Actor::Operator(signed_in) => signed_in.council.clone(),
        Actor::Token { council, .. }
        | Actor::Device { council, .. }
        | Actor::Invitee { council, .. }
        | Actor::Holder { council, .. } => Some(council.clone()),
        Actor::Local | Actor::System => None,
    };
    match &only {
        Some(council) => context.actor.require(Permission::Read, council)?,
        None => context.actor.require_installation(Permission::Read)?,
    }
    store::councils::page(tx, only.as_ref(), after, limit)
}

/// A council and how much there is of it.
pub fn show(tx: &mut Transaction<'_>, context: &Context, name: &str) -> Result<(Council, Counts)> {
    let id = permitted(tx, context, name, Permission::Read)?;
    let council = store::councils::find(tx, &id)?.ok_or(Error::NotFound("council"))?;
    let counts = store::councils::counts(tx, &id)?;
    Ok((council, counts))
}

/// What may be changed of a council. Its public address may not: the devices know it for ever.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Its name.
    pub name: Option<String>,
    /// Its time zone.
    pub time_zone: Option<String>,
    /// Whether devices that know only single DES and MD5 may enrol.
    pub scep_legacy: Option<bool>,
}

/// Changes the settings of a council.
pub fn change(tx: &mut Transaction<'_>, context: &Context, name: &str, change: &Change) -> Result<Council> {
    let id = permitted(tx, context, name, Permission::Settings)?;
    audit::lock(tx, &id)?;
    let mut council = store::councils::find(tx, &id)?.ok_or(Error::NotFound("council"))?;
    if let Some(name) = &change.name {
        council.name = checked_name(name)?;
    }
    if let Some(zone) = &change.time_zone {
        council.time_zone = checked_zone(zone)?;
    }
    if let Some(legacy) = change.scep_legacy {
        council.scep_legacy = legacy;
    }
    store::councils::update(tx, &council)?;
    let details = json!({ "name": council.name, "time_zone": council.time_zone, "scep_legacy": council.scep_legacy });
    audit::record(tx, context, &id, "council.changed", id.as_str(), details)?;
    Ok(council)
}
