//! A council's devices in a list: what each is, who has it, and how it stands, read row by row from what is indexed.

use crate::error::Result;
use crate::model::{CaseKind, Permission};
use crate::operations::assets::{self, Listed, Wanted};
use crate::operations::{Context, councils};
use crate::store::devices::Device;
use crate::store::enrolments::Enrolment;
use crate::store::{self, Transaction};

/// A device as a list shows it.
#[derive(Clone, Debug)]
pub struct Glance {
    /// The device.
    pub device: Device,
    /// The item that it is, and who holds that.
    pub item: Listed,
    /// Its newest enrolment, ended or not.
    pub enrolment: Option<Enrolment>,
    /// Whether a loss of it is not closed.
    pub lost: bool,
    /// How many settings of the policy it reports as not in force.
    pub unmet: i64,
}

/// The council's devices after `after`, by id; or, with a search, those of the first `limit` items that fit, without pages.
///
/// # Errors
/// `NotFound` when the caller does not see the council; `Invalid` for a search that is none.
pub fn glances(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &str,
    search: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Glance>> {
    let id = councils::permitted(tx, context, council, Permission::Read)?;
    let mut pairs = Vec::new();
    if let Some(search) = search {
        let wanted = Wanted { search: Some(search.to_owned()), ..Wanted::default() };
        for item in assets::list(tx, context, council, &wanted, None, limit)? {
            if let Some(device) = store::devices::of_asset(tx, &id, &item.asset.id)? {
                pairs.push((device, item));
            }
        }
    } else {
        let devices = store::devices::page(tx, &id, after, limit)?;
        let mut items = assets::listed(tx, &id, devices.iter().map(|device| device.asset_id.clone()).collect())?;
        for device in devices {
            // A phone that another took the place of shares its item with that one.
            if let Some(item) = items.get_mut(&device.asset_id) {
                pairs.push((device, item.clone()));
            }
        }
    }
    pairs.into_iter().map(|(device, item)| glance(tx, device, item)).collect()
}

fn glance(tx: &mut Transaction<'_>, device: Device, item: Listed) -> Result<Glance> {
    let council = &device.council_id;
    let enrolment = store::enrolments::latest_of_device(tx, council, &device.id)?;
    let unmet = match &enrolment {
        Some(enrolment) if enrolment.ended_at.is_none() => {
            store::setting_states::count_unmet(tx, council, &enrolment.id)?
        }
        _ => 0,
    };
    let lost = device.retired_at.is_none()
        && store::cases::unclosed_of_asset(tx, council, &device.asset_id, CaseKind::Loss)?.is_some();
    Ok(Glance { device, item, enrolment, lost, unmet })
}
