//! Legal holds: while one lies on a device, nothing on it is destroyed.

pub(super) mod add;
pub(super) mod end;
pub(super) mod find;
pub(super) mod list;

use crate::web::console::page::Place;

/// What it is, in one sentence.
const MEANING: &str = "A legal hold keeps what is on a device as evidence, for example while somebody has asked for information or \
                       a court case is open: nobody can have the device erased until the hold has ended.";

/// Where a council's holds are.
fn place_of(place: &Place) -> String {
    format!("{}/holds", place.home())
}
