//! One-operator working as it is shown.

use serde::Serialize;
use utoipa::ToSchema;

use super::{NOTICE, in_effect};
use crate::error::Result;
use crate::model::{CouncilId, Moment, Permission};
use crate::operations::{Context, mail};
use crate::store::{self, Transaction};

/// Who was told of the announcement.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Told {
    /// The name.
    pub name: String,
    /// The mail address.
    pub address: String,
    /// Whether he is told of each order, too.
    pub hears_of_orders: bool,
    /// Whether nothing takes effect before he was told.
    pub needed: bool,
    /// When the mail server accepted the mail to him; nothing until then.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub accepted_at: Option<Moment>,
}

/// Whether one operator works alone in a council.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OneOperatorView {
    /// Whether it is announced.
    pub announced: bool,
    /// Whether an order asked for now needs no second person.
    pub in_effect: bool,
    /// Why, in the words of whoever announced it.
    pub reason: Option<String>,
    /// Who announced it.
    pub begun_by: Option<String>,
    /// When it was announced.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub begun_at: Option<Moment>,
    /// From when on it counts, once everyone was told.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Moment>,
    /// Who was told.
    pub told: Vec<Told>,
}

/// Whether one operator works alone in this council, since when, and who was told.
///
/// # Errors
/// `NotFound` when the caller does not see the council.
pub fn show(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<OneOperatorView> {
    context.actor.require(Permission::Read, council)?;
    let Some(standing) = store::one_operator_settings::standing(tx, council)? else {
        return Ok(OneOperatorView {
            announced: false,
            in_effect: false,
            reason: None,
            begun_by: None,
            begun_at: None,
            from: None,
            told: Vec::new(),
        });
    };
    let told = store::one_operator_notices::of_setting(tx, council, &standing.id)?;
    let begun_by = store::operators::find(tx, &standing.begun_by)?.map(|operator| operator.name);
    let server = match store::mail_servers::find(tx)? {
        Some(server) => mail::proven_since(tx, context, &server)?,
        None => None,
    };
    let from = standing.told_at.zip(server).map(|(told, server)| told.max(server) + NOTICE);
    Ok(OneOperatorView {
        announced: true,
        in_effect: in_effect(tx, context, council, context.now)?.is_some(),
        reason: Some(standing.reason),
        begun_by,
        begun_at: Some(standing.begun_at),
        from,
        told: told
            .into_iter()
            .map(|notice| Told {
                name: notice.name,
                address: notice.address,
                hears_of_orders: notice.hears_of_orders,
                needed: notice.needed,
                accepted_at: notice.accepted_at,
            })
            .collect(),
    })
}
