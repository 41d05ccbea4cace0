//! Managed phones and tablets.

use diesel::prelude::*;

use super::schema::devices;
use crate::model::{AssetId, CouncilId, DeviceId, Moment, Platform};

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
