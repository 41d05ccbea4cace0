//! People: who may hold an item of the council's, or use their own phone for its work.

use serde_json::json;

use super::{Context, audit, councils, entry, invitations};
use crate::error::{Error, Result};
use crate::model::{AssetId, CouncilId, Moment, Ownership, Permission, PersonId};
use crate::store::custody::Custody;
use crate::store::people::Person;
use crate::store::{self, Transaction};

/// What a person is called and how to reach them; what is left out of a change stays, an empty text clears.
#[derive(Clone, Debug, Default)]
pub struct Description {
    /// The name; a new person needs one.
    pub name: Option<String>,
    /// The mail address.
    pub email: Option<String>,
    /// The telephone number at which to reach the person.
    pub phone: Option<String>,
    /// The council lets this person work with its own devices only, never with a personal one.
    pub council_device_only: Option<bool>,
}

impl Description {
    fn apply(&self, person: &mut Person) -> Result<()> {
        if let Some(name) = &self.name {
            person.name = entry::required("name", name, 100)?;
        }
        if let Some(email) = &self.email {
            person.email = entry::email("email", email)?;
        }
        if let Some(phone) = &self.phone {
            person.phone = entry::phone("phone", phone)?;
        }
        if let Some(only) = self.council_device_only {
            person.council_device_only = only;
        }
        Ok(())
    }
}

/// The most items of a person's past that are shown.
const MOST_HELD: i64 = 100;

/// An item that a person holds, or held.
#[derive(Clone, Debug)]
pub struct Held {
    /// The item.
    pub asset: AssetId,
    /// Its tag.
    pub tag: String,
    /// Since when.
    pub since: Moment,
    /// Until when; none while it lasts.
    pub until: Option<Moment>,
}

/// Adds a person to the council's register.
pub fn add(tx: &mut Transaction<'_>, context: &Context, council: &str, new: &Description) -> Result<Person> {
    let council = councils::permitted(tx, context, council, Permission::Register)?;
    audit::lock(tx, &council)?;
    let mut person = Person {
        council_id: council.clone(),
        id: PersonId::new(),
        name: String::new(),
        email: None,
        phone: None,
        council_device_only: false,
        created_at: context.now,
        ended_at: None,
    };
    let named = Description { name: Some(new.name.clone().unwrap_or_default()), ..new.clone() };
    named.apply(&mut person)?;
    store::people::insert(tx, &person)?;
    audit::record(tx, context, &council, "person added", person.id.as_str(), details(&person))?;
    Ok(person)
}

fn details(person: &Person) -> serde_json::Value {
    json!({
        "name": person.name,
        "email": person.email,
        "phone": person.phone,
        "council_device_only": person.council_device_only,
    })
}

/// The council's people after `after`, by id; with those who have left, or without.
pub fn list(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &str,
    ended_too: bool,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Person>> {
    let council = councils::permitted(tx, context, council, Permission::Read)?;
    store::people::page(tx, &council, ended_too, after, limit)
}

/// The council's people who are there, with a word in their name that begins so; the first `limit`.
///
/// # Errors
/// `NotFound` when the caller does not see the council; `Invalid` for a search that is none.
pub fn find(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &str,
    search: &str,
    limit: i64,
) -> Result<Vec<Person>> {
    let council = councils::permitted(tx, context, council, Permission::Read)?;
    let search = entry::required("search", search, 60)?;
    let mut found: Vec<Person> = Vec::new();
    for id in store::name_starts::people(tx, &council, &search, limit)? {
        if let Some(person) = store::people::find_of_council(tx, &council, &id)?
            && person.ended_at.is_none()
            && !found.iter().any(|other| other.id == person.id)
        {
            found.push(person);
        }
    }
    Ok(found)
}

fn visible(tx: &mut Transaction<'_>, context: &Context, id: &PersonId) -> Result<Person> {
    store::people::find(tx, id)?
        .filter(|person| context.actor.sees(&person.council_id))
        .ok_or(Error::NotFound("person"))
}

/// A person and what they hold now.
pub fn show(tx: &mut Transaction<'_>, context: &Context, id: &PersonId) -> Result<(Person, Vec<Held>)> {
    let person = visible(tx, context, id)?;
    context.actor.require(Permission::Read, &person.council_id)?;
    let held = held(tx, &person)?;
    Ok((person, held))
}

/// A person and what they hold and held, the newest first.
///
/// # Errors
/// `NotFound` when there is none that the caller sees.
pub fn show_with_past(tx: &mut Transaction<'_>, context: &Context, id: &PersonId) -> Result<(Person, Vec<Held>)> {
    let person = visible(tx, context, id)?;
    context.actor.require(Permission::Read, &person.council_id)?;
    let custody = store::custody::of_person(tx, &person.council_id, &person.id, MOST_HELD)?;
    let held = with_tags(tx, &person, custody)?;
    Ok((person, held))
}

fn held(tx: &mut Transaction<'_>, person: &Person) -> Result<Vec<Held>> {
    let custody = store::custody::current_of_person(tx, &person.council_id, &person.id)?;
    with_tags(tx, person, custody)
}

fn with_tags(tx: &mut Transaction<'_>, person: &Person, custody: Vec<Custody>) -> Result<Vec<Held>> {
    let ids = custody.iter().map(|held| held.asset_id.clone()).collect();
    let mut tags = store::assets::tags(tx, &person.council_id, ids)?;
    Ok(custody
        .into_iter()
        .map(|held| Held {
            tag: tags.remove(&held.asset_id).unwrap_or_default(),
            asset: held.asset_id,
            since: held.since,
            until: held.until,
        })
        .collect())
}

/// Changes what a person is called and how to reach them.
pub fn change(tx: &mut Transaction<'_>, context: &Context, id: &PersonId, change: &Description) -> Result<Person> {
    let person = visible(tx, context, id)?;
    context.actor.require(Permission::Register, &person.council_id)?;
    audit::lock(tx, &person.council_id)?;
    let mut person = visible(tx, context, id)?;
    refuse_ended(&person)?;
    change.apply(&mut person)?;
    store::people::update(tx, &person)?;
    audit::record(tx, context, &person.council_id, "person changed", id.as_str(), details(&person))?;
    Ok(person)
}

fn refuse_ended(person: &Person) -> Result<()> {
    match person.ended_at {
        None => Ok(()),
        Some(_) => Err(Error::conflict(format!("{} has left; add them again if they are back", person.name))),
    }
}

/// The council's person with this id, who has not left; `field` names where the id was given.
pub(crate) fn present(tx: &mut Transaction<'_>, council: &CouncilId, id: &PersonId, field: &str) -> Result<Person> {
    let person = store::people::find_of_council(tx, council, id)?
        .ok_or_else(|| Error::invalid(field, "the council has no such person on its register"))?;
    refuse_ended(&person)?;
    Ok(person)
}

/// The person has left. Refused while they hold an item, or a phone they enrolled is under management.
pub fn end(tx: &mut Transaction<'_>, context: &Context, id: &PersonId) -> Result<Person> {
    let person = visible(tx, context, id)?;
    context.actor.require(Permission::Register, &person.council_id)?;
    audit::lock(tx, &person.council_id)?;
    let mut person = visible(tx, context, id)?;
    if person.ended_at.is_some() {
        return Ok(person);
    }
    let held = held(tx, &person)?;
    if !held.is_empty() {
        let tags: Vec<&str> = held.iter().map(|held| held.tag.as_str()).collect();
        return Err(Error::conflict(format!(
            "{} still holds {}; hand it over or take it back first",
            person.name,
            tags.join(", ")
        )));
    }
    if let Some(tag) = enrolled(tx, &person)? {
        return Err(Error::conflict(format!(
            "{} enrolled {tag}, which is still under management; open a leaver's case and take it out of management, \
             or hand it over to somebody else first",
            person.name
        )));
    }
    for invitation in store::invitations::pending_of_person(tx, &person.council_id, &person.id)? {
        invitations::take_back(tx, context, &invitation, "the person has left")?;
    }
    person.ended_at = Some(context.now);
    store::people::update(tx, &person)?;
    audit::record(tx, context, &person.council_id, "person ended", id.as_str(), json!({ "name": person.name }))?;
    Ok(person)
}

/// The tag of a phone that is still under management by this person's invitation. A council phone that somebody else holds
/// by now is that person's concern.
fn enrolled(tx: &mut Transaction<'_>, person: &Person) -> Result<Option<String>> {
    let Some(asset) = still_managed(tx, person)?.into_iter().next() else { return Ok(None) };
    Ok(store::assets::tags(tx, &person.council_id, vec![asset.clone()])?.remove(&asset))
}

/// The phones under management by this person's invitations that keep them from having left.
pub(super) fn still_managed(tx: &mut Transaction<'_>, person: &Person) -> Result<Vec<AssetId>> {
    let council = &person.council_id;
    let mut assets = Vec::new();
    for invitation in store::invitations::in_use_of_person(tx, council, &person.id)? {
        let held = !store::custody::current_of_assets(tx, council, vec![invitation.asset_id.clone()])?.is_empty();
        if invitation.ownership == Ownership::Personal || !held {
            assets.push(invitation.asset_id);
        }
    }
    Ok(assets)
}

#[cfg(test)]
mod tests;
