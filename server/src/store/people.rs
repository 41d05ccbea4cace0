//! People: who may hold a device.

use std::collections::HashMap;

use diesel::prelude::*;

use super::Transaction;
use super::schema::people;
use crate::error::Result;
use crate::model::{CouncilId, Moment, PersonId};

/// A row of `people`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = people)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Person {
    pub council_id: CouncilId,
    pub id: PersonId,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub council_device_only: bool,
    pub created_at: Moment,
    pub ended_at: Option<Moment>,
}

/// Adds a person.
pub fn insert(tx: &mut Transaction<'_>, person: &Person) -> Result<()> {
    diesel::insert_into(people::table).values(person).execute(tx.connection)?;
    super::name_starts::put_person(tx, &person.council_id, &person.id, &person.name)
}

/// The person with this id, of whichever council.
pub fn find(tx: &mut Transaction<'_>, id: &PersonId) -> Result<Option<Person>> {
    Ok(Person::query().filter(people::id.eq(id)).first(tx.connection).optional()?)
}

/// The council's person with this id.
pub fn find_of_council(tx: &mut Transaction<'_>, council: &CouncilId, id: &PersonId) -> Result<Option<Person>> {
    Ok(Person::query().filter(people::council_id.eq(council).and(people::id.eq(id))).first(tx.connection).optional()?)
}

/// The council's people after `after`, by id, which is by the time they were added; with those who have left, or without.
pub fn page(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    ended_too: bool,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Person>> {
    let mut query =
        Person::query().filter(people::council_id.eq(council.clone())).order(people::id).limit(limit).into_boxed();
    if !ended_too {
        query = query.filter(people::ended_at.is_null());
    }
    if let Some(after) = after {
        query = query.filter(people::id.gt(after.to_owned()));
    }
    Ok(query.load(tx.connection)?)
}

/// The names of these people of the council.
pub fn names(tx: &mut Transaction<'_>, council: &CouncilId, ids: Vec<PersonId>) -> Result<HashMap<PersonId, String>> {
    Ok(people::table
        .filter(people::council_id.eq(council).and(people::id.eq_any(ids)))
        .select((people::id, people::name))
        .load(tx.connection)?
        .into_iter()
        .collect())
}

/// Writes what may change of a person.
pub fn update(tx: &mut Transaction<'_>, person: &Person) -> Result<()> {
    diesel::update(people::table.find((&person.council_id, &person.id)))
        .set((
            people::name.eq(&person.name),
            people::email.eq(&person.email),
            people::phone.eq(&person.phone),
            people::council_device_only.eq(person.council_device_only),
            people::ended_at.eq(person.ended_at),
        ))
        .execute(tx.connection)?;
    // Whoever has left is searched for no more.
    let name = if person.ended_at.is_none() { person.name.as_str() } else { "" };
    super::name_starts::put_person(tx, &person.council_id, &person.id, name)
}
