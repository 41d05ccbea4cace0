//! Android phones by the thousand: the rows of one that enrolled, copied for devices that the stand-in for Google holds.

use beadle_server::model::{AssetId, CouncilId, DeviceId, EnrolmentId};
use beadle_server::store::android_enrolments::{self, AndroidEnrolment};
use beadle_server::store::assets::{self, Asset};
use beadle_server::store::devices::{self, Device};
use beadle_server::store::enrolments::{self, Enrolment};
use beadle_server::store::{Database, Transaction};
use beadle_simulator::android::GoogleCloud;

/// How many go into one transaction.
const BATCH: usize = 500;

/// Adds `count` phones to a council, on its register and at Google, each like the one that enrolled there first.
///
/// # Panics
/// When none has enrolled.
pub async fn multiply(database: &Database, google: &GoogleCloud, council: &str, count: usize) {
    let council = CouncilId::from(council);
    let of = council.clone();
    let first = database
        .read("the first phone", move |tx| android_enrolments::live_page(tx, &of, "", 1))
        .await
        .expect("read")
        .pop()
        .expect("a phone has enrolled");
    for names in google.copy_device(&first.device_name, count).chunks(BATCH) {
        let (first, names) = (first.clone(), names.to_vec());
        database
            .write("more phones", move |tx| {
                let enrolment = enrolments::find(tx, &first.council_id, &first.enrolment_id)?.expect("is there");
                let device = devices::find(tx, &enrolment.device_id)?.expect("is there");
                let asset = assets::find(tx, &device.asset_id)?.expect("is there");
                names.iter().try_for_each(|name| insert(tx, (&asset, &device, &enrolment, &first), name))
            })
            .await
            .expect("written");
    }
}

fn insert(
    tx: &mut Transaction<'_>,
    (asset, device, enrolment, android): (&Asset, &Device, &Enrolment, &AndroidEnrolment),
    name: &str,
) -> beadle_server::Result<()> {
    let asset = Asset { id: AssetId::new(), tag: format!("SEED-{name}"), serial: None, ..asset.clone() };
    assets::insert(tx, &asset)?;
    let device = Device { id: DeviceId::new(), asset_id: asset.id, udid: name.to_owned(), ..device.clone() };
    devices::insert(tx, &device)?;
    let enrolment = Enrolment {
        id: EnrolmentId::new(),
        device_id: device.id,
        fingerprint: android_enrolments::fingerprint(name),
        ..enrolment.clone()
    };
    enrolments::insert(tx, &enrolment)?;
    android_enrolments::insert(
        tx,
        &AndroidEnrolment { enrolment_id: enrolment.id, device_name: name.to_owned(), ..android.clone() },
    )
}

/// The most calls of the Android Management API that were counted in any hundred seconds; those that Google refused for their
/// number are in `refused`.
#[must_use]
pub fn busiest_hundred_seconds(google: &GoogleCloud, from: u64) -> Busiest {
    let log = google.log();
    let counted = log.iter().filter(|call| call.number > from && call.call.starts_with("enterprises."));
    let mut times: Vec<i64> = counted.clone().map(|call| call.at).collect();
    times.sort_unstable();
    let ends = times.iter().enumerate().map(|(place, end)| {
        let begin = times.partition_point(|at| *at <= end - 100_000);
        place + 1 - begin
    });
    Busiest { calls: ends.max().unwrap_or(0), refused: counted.filter(|call| call.status == Some(429)).count() }
}

/// What [`busiest_hundred_seconds`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busiest {
    /// Calls in the busiest hundred seconds.
    pub calls: usize,
    /// Calls refused with 429.
    pub refused: usize,
}
