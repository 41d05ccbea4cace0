//! Managed phones and tablets.

use diesel::prelude::*;

use super::Transaction;
use super::connection::directly;
use super::schema::{assets, cases, devices};
use super::written::CaseIsUnclosed;
use crate::error::Result;
use crate::model::{AssetId, CaseId, CaseKind, CaseState, CouncilId, DeviceId, Moment, Platform};

/// A row of `devices`; the migration says what each column means.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = devices)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Device {
    pub council_id: CouncilId,
    pub id: DeviceId,
    pub asset_id: AssetId,
    pub platform: Platform,
    pub udid: String,
    pub serial: Option<String>,
    pub product: Option<String>,
    pub name: Option<String>,
    pub os_version: Option<String>,
    pub imei: Option<String>,
    pub iccid: Option<String>,
    pub phone_number: Option<String>,
    pub created_at: Moment,
    pub retired_at: Option<Moment>,
}

/// Adds a device.
pub fn insert(tx: &mut Transaction<'_>, device: &Device) -> Result<()> {
    diesel::insert_into(devices::table).values(device).execute(tx.connection)?;
    Ok(())
}

/// The device with this id, of whichever council.
pub fn find(tx: &mut Transaction<'_>, id: &DeviceId) -> Result<Option<Device>> {
    Ok(directly!(tx, |connection| Device::query().filter(devices::id.eq(id)).first(connection)).optional()?)
}

/// The council's device with this UDID.
pub fn find_by_udid(tx: &mut Transaction<'_>, council: &CouncilId, udid: &str) -> Result<Option<Device>> {
    Ok(Device::query()
        .filter(devices::council_id.eq(council))
        .filter(devices::udid.eq(udid))
        .first(tx.connection)
        .optional()?)
}

/// The device that is this asset now.
pub fn of_asset(tx: &mut Transaction<'_>, council: &CouncilId, asset: &AssetId) -> Result<Option<Device>> {
    Ok(Device::query()
        .filter(devices::council_id.eq(council))
        .filter(devices::asset_id.eq(asset))
        .filter(devices::retired_at.is_null())
        .first(tx.connection)
        .optional()?)
}

/// The council's devices after `after`, by id.
pub fn page(tx: &mut Transaction<'_>, council: &CouncilId, after: Option<&str>, limit: i64) -> Result<Vec<Device>> {
    let mut query =
        Device::query().filter(devices::council_id.eq(council)).order(devices::id).limit(limit).into_boxed();
    if let Some(after) = after {
        query = query.filter(devices::id.gt(after.to_owned()));
    }
    Ok(query.load(tx.connection)?)
}

/// What a device says about itself; what it does not say stays as it was.
#[derive(Clone, Debug, Default, PartialEq, AsChangeset)]
#[diesel(table_name = devices)]
#[allow(missing_docs, reason = "the migration says what each column means")]
pub struct Description {
    pub serial: Option<String>,
    pub product: Option<String>,
    pub name: Option<String>,
    pub os_version: Option<String>,
    pub imei: Option<String>,
    pub iccid: Option<String>,
    pub phone_number: Option<String>,
}

impl Description {
    /// Whether it says nothing that the device's row does not say already.
    fn is_known(&self, device: &Device) -> bool {
        let Self { serial, product, name, os_version, imei, iccid, phone_number } = self;
        [
            (serial, &device.serial),
            (product, &device.product),
            (name, &device.name),
            (os_version, &device.os_version),
            (imei, &device.imei),
            (iccid, &device.iccid),
            (phone_number, &device.phone_number),
        ]
        .iter()
        .all(|(said, known)| said.is_none() || *said == *known)
    }
}

/// Notes what a device says about itself, `device` being its row as it stands.
pub fn describe(tx: &mut Transaction<'_>, device: &Device, description: &Description) -> Result<()> {
    if !description.is_known(device) {
        diesel::update(devices::table.find((&device.council_id, &device.id)))
            .set(description)
            .execute(tx.connection)?;
    }
    Ok(())
}

/// When the code that opens the device's Activation Lock was given, if it was.
pub fn bypass_code_at(tx: &mut Transaction<'_>, device: &Device) -> Result<Option<Moment>> {
    Ok(devices::table
        .find((&device.council_id, &device.id))
        .select(devices::bypass_code_at)
        .first::<Option<Moment>>(tx.connection)
        .optional()?
        .flatten())
}

/// The code that opens the device's Activation Lock, sealed for the device, and when it was given.
pub fn bypass_code(tx: &mut Transaction<'_>, device: &Device) -> Result<Option<(Vec<u8>, Moment)>> {
    let (sealed, at): (Option<Vec<u8>>, Option<Moment>) = devices::table
        .find((&device.council_id, &device.id))
        .select((devices::sealed_bypass_code, devices::bypass_code_at))
        .first(tx.connection)?;
    Ok(sealed.zip(at))
}

/// Keeps the code that opens the device's Activation Lock; a newer one takes the place of the former.
pub fn keep_bypass_code(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    id: &DeviceId,
    sealed: &[u8],
    at: Moment,
) -> Result<()> {
    diesel::update(devices::table.find((council, id)))
        .set((devices::sealed_bypass_code.eq(Some(sealed)), devices::bypass_code_at.eq(Some(at))))
        .execute(tx.connection)?;
    Ok(())
}

/// Takes a device off its asset, which another phone may then be.
pub fn retire(tx: &mut Transaction<'_>, device: &Device, at: Moment) -> Result<()> {
    diesel::update(devices::table.find((&device.council_id, &device.id)))
        .set(devices::retired_at.eq(Some(at)))
        .execute(tx.connection)?;
    Ok(())
}

/// Puts a retired device back into use as `asset`.
pub fn reinstate(tx: &mut Transaction<'_>, device: &Device, asset: &AssetId) -> Result<()> {
    diesel::update(devices::table.find((&device.council_id, &device.id)))
        .set((devices::retired_at.eq(None::<Moment>), devices::asset_id.eq(asset)))
        .execute(tx.connection)?;
    Ok(())
}

/// Gives an asset without a serial number the one that its phone reports.
pub fn take_serial_over(tx: &mut Transaction<'_>, council: &CouncilId, asset: &AssetId, serial: &str) -> Result<bool> {
    let changed = diesel::update(assets::table.find((council, asset)))
        .filter(assets::serial.is_null().or(assets::serial.eq("")))
        .set(assets::serial.eq(Some(serial)))
        .execute(tx.connection)?;
    Ok(changed == 1)
}

/// Whether the asset's serial number is this one, whatever the case of its letters.
pub fn asset_serial_is(tx: &mut Transaction<'_>, council: &CouncilId, asset: &AssetId, serial: &str) -> Result<bool> {
    let known: Option<Option<String>> =
        assets::table.find((council, asset)).select(assets::serial).first(tx.connection).optional()?;
    Ok(known.flatten().is_some_and(|known| known.trim().eq_ignore_ascii_case(serial.trim())))
}

/// The tag and serial number of an asset.
pub fn asset_tag_and_serial(
    tx: &mut Transaction<'_>,
    council: &CouncilId,
    asset: &AssetId,
) -> Result<Option<(String, Option<String>)>> {
    Ok(assets::table.find((council, asset)).select((assets::tag, assets::serial)).first(tx.connection).optional()?)
}

/// Whether the asset that the device is, is lost, or was found and has not been heard from since.
pub fn is_not_back_from_loss(tx: &mut Transaction<'_>, device: &Device) -> Result<bool> {
    let not_back = cases::state.eq(CaseState::Found).and(cases::back_in_use_at.is_null());
    Ok(cases::table
        .filter(cases::council_id.eq(&device.council_id))
        .filter(cases::asset_id.eq(&device.asset_id))
        .filter(cases::kind.eq(CaseKind::Loss))
        .filter(CaseIsUnclosed)
        .filter(cases::state.eq(CaseState::Open).or(not_back))
        .select(cases::id)
        .first::<CaseId>(tx.connection)
        .optional()?
        .is_some())
}

/// Whether a loss case of the device, or of the asset that it is, is not closed and its device not found.
pub fn has_open_loss(tx: &mut Transaction<'_>, device: &Device) -> Result<bool> {
    Ok(cases::table
        .filter(cases::council_id.eq(&device.council_id))
        .filter(cases::asset_id.eq(&device.asset_id))
        .filter(cases::kind.eq(CaseKind::Loss))
        .filter(CaseIsUnclosed)
        .filter(cases::state.eq(CaseState::Open))
        .select(cases::id)
        .first::<CaseId>(tx.connection)
        .optional()?
        .is_some())
}
