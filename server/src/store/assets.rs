//! The equipment register.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};

use super::Transaction;
use super::schema::assets;
use crate::error::Result;
use crate::model::{AssetId, CouncilId, Moment, Ownership, Platform};

/// A row of `assets`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = assets)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Asset {
    pub council_id: CouncilId,
    pub id: AssetId,
    pub tag: String,
    pub kind: String,
    pub make: String,
    pub model: String,
    pub platform: Option<Platform>,
    pub ownership: Ownership,
    pub serial: Option<String>,
    pub imei: Option<String>,
    pub sim: Option<String>,
    pub phone_number: Option<String>,
    pub phone_digits: Option<String>,
    pub note: String,
    pub created_at: Moment,
    pub disposed_at: Option<Moment>,
    pub backup_note: String,
}

/// Adds an asset.
pub fn insert(tx: &mut Transaction<'_>, asset: &Asset) -> Result<()> {
    diesel::insert_into(assets::table).values(asset).execute(tx.connection)?;
    super::name_starts::put_asset(tx, &asset.council_id, &asset.id, &asset.tag)
}

/// The asset with this id, of whichever council.
pub fn find(tx: &mut Transaction<'_>, id: &AssetId) -> Result<Option<Asset>> {
    Ok(Asset::query().filter(assets::id.eq(id)).first(tx.connection).optional()?)
}

/// The council's asset with this id.
pub fn find_of_council(tx: &mut Transaction<'_>, council: &CouncilId, id: &AssetId) -> Result<Option<Asset>> {
    Ok(Asset::query().filter(assets::council_id.eq(council).and(assets::id.eq(id))).first(tx.connection).optional()?)
}

/// A text as typed, in capitals, and in small letters: what somebody types may differ from the register in that.
fn spellings(text: &str) -> Vec<String> {
    let mut spellings = vec![text.to_owned(), text.to_uppercase(), text.to_lowercase()];
    spellings.dedup();
    spellings
}

/// The council's assets with this tag, disposed of or not; the one that is spelled so comes first.
pub fn find_by_tag(tx: &mut Transaction<'_>, council: &CouncilId, tag: &str) -> Result<Vec<Asset>> {
    let mut found: Vec<Asset> = Asset::query()
        .filter(assets::council_id.eq(council).and(assets::tag.eq_any(spellings(tag))))
        .load(tx.connection)?;
    found.sort_by_key(|asset| asset.tag != tag);
    Ok(found)
}

/// The council's assets with this serial number, those in use first.
pub fn find_by_serial(tx: &mut Transaction<'_>, council: &CouncilId, serial: &str) -> Result<Vec<Asset>> {
    let mut found: Vec<Asset> = Asset::query()
        .filter(assets::council_id.eq(council))
        .filter(assets::serial.is_not_null().and(assets::serial.eq_any(spellings(serial))))
        .order(assets::id)
        .load(tx.connection)?;
    found.sort_by_key(|asset| asset.disposed_at.is_some());
    Ok(found)
}

/// The council's assets with this IMEI.
pub fn find_by_imei(tx: &mut Transaction<'_>, council: &CouncilId, imei: &str) -> Result<Vec<Asset>> {
    Ok(Asset::query()
        .filter(assets::council_id.eq(council))
        .filter(assets::imei.is_not_null().and(assets::imei.eq(imei)))
        .order(assets::id)
        .load(tx.connection)?)
}

/// An end for an index range that holds every text with this start, if one can be named for any order of letters that
/// the database may have been set up with. It may hold more.
pub(in crate::store) fn range_end(start: &str) -> Option<String> {
    let mut end: Vec<char> = start.chars().take_while(char::is_ascii_alphanumeric).collect();
    while let Some(last) = end.pop() {
        if !matches!(last, '9' | 'Z' | 'z')
            && let Some(next) = char::from_u32(u32::from(last) + 1)
        {
            end.push(next);
            return Some(end.into_iter().collect());
        }
    }
    None
}

pub(in crate::store) fn length(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(i32::MAX)
}

/// The council's assets in use whose tag starts so, by tag.
pub fn tag_starts_with(tx: &mut Transaction<'_>, council: &CouncilId, start: &str, limit: i64) -> Result<Vec<Asset>> {
    let exactly = sql::<Bool>("substr(assets.tag, 1, ")
        .bind::<Integer, _>(length(start))
        .sql(") = ")
        .bind::<Text, _>(start.to_owned());
    let mut query = Asset::query()
        .filter(assets::council_id.eq(council.clone()).and(assets::disposed_at.is_null()))
        .filter(assets::tag.ge(start.to_owned()))
        .filter(exactly)
        .order(assets::tag)
        .limit(limit)
        .into_boxed();
    if let Some(end) = range_end(start) {
        query = query.filter(assets::tag.lt(end));
    }
    Ok(query.load(tx.connection)?)
}

/// The council's assets in use whose serial number starts so, by serial number.
pub fn serial_starts_with(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    start: &str,
    limit: i64,
) -> Result<Vec<Asset>> {
    let exactly = sql::<Bool>("substr(assets.serial, 1, ")
        .bind::<Integer, _>(length(start))
        .sql(") = ")
        .bind::<Text, _>(start.to_owned());
    let mut query = Asset::query()
        .filter(assets::council_id.eq(council.clone()).and(assets::disposed_at.is_null()))
        .filter(assets::serial.is_not_null())
        .filter(assets::serial.ge(start.to_owned()))
        .filter(exactly)
        .order(assets::serial)
        .limit(limit)
        .into_boxed();
    if let Some(end) = range_end(start) {
        query = query.filter(assets::serial.lt(end));
    }
    Ok(query.load(tx.connection)?)
}

/// The council's assets in use whose telephone number ends in these digits. `backwards` are the digits from the last to
/// the first, as `phone_digits` has them.
pub fn phone_ends_with(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    backwards: &str,
    limit: i64,
) -> Result<Vec<Asset>> {
    let exactly = sql::<Bool>("substr(assets.phone_digits, 1, ")
        .bind::<Integer, _>(length(backwards))
        .sql(") = ")
        .bind::<Text, _>(backwards.to_owned());
    let mut query = Asset::query()
        .filter(assets::council_id.eq(council.clone()).and(assets::disposed_at.is_null()))
        .filter(assets::phone_digits.is_not_null().and(assets::phone_digits.ge(backwards.to_owned())))
        .filter(exactly)
        .order(assets::phone_digits)
        .limit(limit)
        .into_boxed();
    if let Some(end) = range_end(backwards) {
        query = query.filter(assets::phone_digits.lt(end));
    }
    Ok(query.load(tx.connection)?)
}

/// The council's assets after `after`, by id, which is by the time they were added: those disposed of, those that were not, or
/// both.
pub fn page(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    disposed: Option<bool>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Asset>> {
    let mut query =
        Asset::query().filter(assets::council_id.eq(council.clone())).order(assets::id).limit(limit).into_boxed();
    match disposed {
        Some(false) => query = query.filter(assets::disposed_at.is_null()),
        Some(true) => query = query.filter(assets::disposed_at.is_not_null()),
        None => {}
    }
    if let Some(after) = after {
        query = query.filter(assets::id.gt(after.to_owned()));
    }
    Ok(query.load(tx.connection)?)
}

/// These assets of the council, in any order.
pub fn with_ids(tx: &mut Transaction<'_>, council: &CouncilId, ids: Vec<AssetId>) -> Result<Vec<Asset>> {
    Ok(Asset::query().filter(assets::council_id.eq(council).and(assets::id.eq_any(ids))).load(tx.connection)?)
}

/// The tags of these assets of the council.
pub fn tags(tx: &mut Transaction<'_>, council: &CouncilId, ids: Vec<AssetId>) -> Result<HashMap<AssetId, String>> {
    Ok(assets::table
        .filter(assets::council_id.eq(council).and(assets::id.eq_any(ids)))
        .select((assets::id, assets::tag))
        .load(tx.connection)?
        .into_iter()
        .collect())
}

/// Writes what may change of an asset.
pub fn update(tx: &mut Transaction<'_>, asset: &Asset) -> Result<()> {
    diesel::update(assets::table.find((&asset.council_id, &asset.id)))
        .set((
            assets::tag.eq(&asset.tag),
            assets::kind.eq(&asset.kind),
            assets::make.eq(&asset.make),
            assets::model.eq(&asset.model),
            assets::platform.eq(asset.platform),
            assets::ownership.eq(asset.ownership),
            assets::serial.eq(&asset.serial),
            assets::imei.eq(&asset.imei),
            assets::sim.eq(&asset.sim),
            assets::phone_number.eq(&asset.phone_number),
            assets::phone_digits.eq(&asset.phone_digits),
            assets::note.eq(&asset.note),
            assets::disposed_at.eq(asset.disposed_at),
            assets::backup_note.eq(&asset.backup_note),
        ))
        .execute(tx.connection)?;
    // What was disposed of is searched for no more.
    let tag = if asset.disposed_at.is_none() { asset.tag.as_str() } else { "" };
    super::name_starts::put_asset(tx, &asset.council_id, &asset.id, tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_range_comes_after_all_that_starts_so() {
        let ends = [
            ("GPC", Some("GPD")),
            ("GPC-0", Some("GPD")),
            ("PH9", Some("PI")),
            ("Zz9", None),
            ("éa", None),
            ("", None),
            ("321", Some("322")),
            ("399", Some("4")),
        ];
        for (start, end) in ends {
            assert_eq!(range_end(start).as_deref(), end, "{start}");
        }
    }
}
