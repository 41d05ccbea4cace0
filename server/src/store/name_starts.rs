//! Where the words of names and tags begin, so that the start of any word is found by an index.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};

use super::Transaction;
use super::assets::{length, range_end};
use super::schema::{asset_tag_starts, person_name_starts};
use crate::error::Result;
use crate::model::{AssetId, CouncilId, PersonId};

/// How much of a name is kept from each word on, in characters.
const LONGEST: usize = 60;
/// How many words of a name are kept.
const MOST: usize = 20;

/// `text` in small letters from the beginning of each of its words.
fn starts(text: &str) -> Vec<String> {
    let small: Vec<char> = text.trim().to_lowercase().chars().collect();
    let mut found: Vec<String> = Vec::new();
    let mut before = ' ';
    for (place, letter) in small.iter().copied().enumerate() {
        if letter.is_alphanumeric() && !before.is_alphanumeric() && found.len() < MOST {
            let start: String = small.iter().skip(place).take(LONGEST).collect();
            if !found.contains(&start) {
                found.push(start);
            }
        }
        before = letter;
    }
    found
}

/// Writes where the words of a person's name begin, in place of those of an earlier name.
pub fn put_person(tx: &mut Transaction<'_>, council: &CouncilId, person: &PersonId, name: &str) -> Result<()> {
    use person_name_starts as table;
    diesel::delete(table::table.filter(table::council_id.eq(council).and(table::person_id.eq(person))))
        .execute(tx.connection)?;
    for start in starts(name) {
        diesel::insert_into(table::table)
            .values((table::council_id.eq(council), table::start.eq(start), table::person_id.eq(person)))
            .execute(tx.connection)?;
    }
    Ok(())
}

/// Writes where the words of an asset's tag begin, in place of those of an earlier tag.
pub fn put_asset(tx: &mut Transaction<'_>, council: &CouncilId, asset: &AssetId, tag: &str) -> Result<()> {
    use asset_tag_starts as table;
    diesel::delete(table::table.filter(table::council_id.eq(council).and(table::asset_id.eq(asset))))
        .execute(tx.connection)?;
    for start in starts(tag) {
        diesel::insert_into(table::table)
            .values((table::council_id.eq(council), table::start.eq(start), table::asset_id.eq(asset)))
            .execute(tx.connection)?;
    }
    Ok(())
}

/// The council's people with a word in their name that begins so, however it is written; by that word.
pub fn people(tx: &mut Transaction<'_>, council: &CouncilId, begin: &str, limit: i64) -> Result<Vec<PersonId>> {
    use person_name_starts as table;
    let begin = begin.to_lowercase();
    let exactly = sql::<Bool>("substr(person_name_starts.start, 1, ")
        .bind::<Integer, _>(length(&begin))
        .sql(") = ")
        .bind::<Text, _>(begin.clone());
    let mut query = table::table
        .filter(table::council_id.eq(council.clone()).and(table::start.ge(begin.clone())))
        .filter(exactly)
        .order(table::start)
        .select(table::person_id)
        .limit(limit)
        .into_boxed();
    if let Some(end) = range_end(&begin) {
        query = query.filter(table::start.lt(end));
    }
    Ok(query.load(tx.connection)?)
}

/// The council's assets with a word in their tag that begins so, however it is written; by that word.
pub fn assets(tx: &mut Transaction<'_>, council: &CouncilId, begin: &str, limit: i64) -> Result<Vec<AssetId>> {
    use asset_tag_starts as table;
    let begin = begin.to_lowercase();
    let exactly = sql::<Bool>("substr(asset_tag_starts.start, 1, ")
        .bind::<Integer, _>(length(&begin))
        .sql(") = ")
        .bind::<Text, _>(begin.clone());
    let mut query = table::table
        .filter(table::council_id.eq(council.clone()).and(table::start.ge(begin.clone())))
        .filter(exactly)
        .order(table::start)
        .select(table::asset_id)
        .limit(limit)
        .into_boxed();
    if let Some(end) = range_end(&begin) {
        query = query.filter(table::start.lt(end));
    }
    Ok(query.load(tx.connection)?)
}

#[cfg(test)]
mod tests {
    use super::starts;

    #[test]
    fn every_word_begins_a_start() {
        assert_eq!(
            starts("Cllr Mary-Ann O'Brien"),
            ["cllr mary-ann o'brien", "mary-ann o'brien", "ann o'brien", "o'brien", "brien"]
        );
        assert_eq!(starts("GPC-014"), ["gpc-014", "014"]);
        assert_eq!(starts("  "), Vec::<String>::new());
        assert_eq!(starts("Zoë Ångström"), ["zoë ångström", "ångström"]);
        assert!(starts(&"ab ".repeat(100)).len() <= super::MOST);
    }
}
