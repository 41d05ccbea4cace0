//! One-operator working: one person may have a phone erased alone, in a council where everyone was told of that 72 hours before,
//! and each time only after 30 minutes in which whoever was told by mail can stop it.

mod announce;
mod notices;
mod proof;
mod stop;
#[cfg(test)]
pub(crate) mod tests;
mod view;

pub use announce::{NewSetting, begin, end};
pub(super) use announce::{end_after_restore, end_of_account, own_established};
pub(super) use notices::tell_of_order;
pub use notices::{accepted, purge_notices};
pub(super) use proof::{Untold, in_effect, told_since};
pub use stop::{Stoppable, Stopped, look, stop};
pub use view::{OneOperatorView, Told, show};

use chrono::Duration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long after everyone was told it takes effect, and how long the mail server must have been the same.
pub const NOTICE: Duration = Duration::hours(72);

/// The kinds of the audit rows about an announcement; their subject is the council.
const BEGUN: &str = "one_operator.begun";
const TOLD: &str = "one_operator.told";
const ENDED: &str = "one_operator.ended";
/// The mail server took the announcement to one of those who must be told; the subject is the announcement.
const NOTICE_ACCEPTED: &str = "one_operator.notice_accepted";
/// About an order: who must be told of it, and that the mail server took the notice to one of them.
const ORDER_WANTED: &str = "order notice wanted";
const ORDER_ACCEPTED: &str = "order notice accepted";

/// The kinds of the rows by which it is known whether the setting stands: their details are kept while it does.
pub(super) const KINDS: [&str; 4] = [BEGUN, TOLD, ENDED, NOTICE_ACCEPTED];

/// Someone outside Beadle, or in it, who is told of each order by mail: as a rule the chair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hearer {
    /// The name.
    pub name: String,
    /// The mail address.
    pub address: String,
}
