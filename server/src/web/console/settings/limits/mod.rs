//! Limits on how many phones may be erased, of a council and of all councils together, and the freeze when one is reached.

pub(super) mod change;
pub(super) mod raise;
pub(super) mod show;
pub(super) mod thaw;

use actix_web::web::Path;

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::Permission;
use crate::operations::caps::{self, CapScope, CapsView};
use crate::operations::{Context, councils};
use crate::store::Transaction;
use crate::web::console::dates::Zone;
use crate::web::console::page::Place;
use crate::web::console::visitor::Visitor;

/// Where the limits of all councils together are.
pub(in crate::web::console) const ALL_COUNCILS: &str = "/console/limits";

/// Where a council's limits are.
pub(in crate::web::console) fn place_of(place: &Place) -> String {
    format!("{}/limits", place.home())
}

/// Limits as they stand, with whose they are.
struct Limits {
    /// The council; none for all councils together.
    place: Option<Place>,
    view: CapsView,
    /// Where their first page is.
    home: String,
    zone: Zone,
    /// Whether the visitor's role may decide about them.
    may: bool,
}

impl Limits {
    /// Refuses whoever only reads.
    fn require(&self) -> Result<()> {
        if self.may { Ok(()) } else { Err(Error::forbidden("your role does not allow this")) }
    }

    /// Whether these are frozen themselves: a council's orders are also when those of all councils are.
    fn own_freeze(&self) -> bool {
        self.view.freeze.as_ref().is_some_and(|freeze| freeze.scope == self.view.scope)
    }
}

/// The council that the address names, if it names one.
fn named(path: Option<Path<String>>) -> Option<String> {
    path.map(Path::into_inner)
}

fn scope(tx: &mut Transaction<'_>, context: &Context, council: Option<&String>) -> Result<CapScope> {
    match council {
        Some(council) => councils::permitted(tx, context, council, Permission::Read).map(CapScope::Council),
        None => Ok(CapScope::Installation),
    }
}

async fn look(app: &App, visitor: &Visitor, council: Option<&String>) -> Result<Limits> {
    let council = council.cloned();
    let (place, view) = visitor
        .read(app, "show caps", move |tx, context| {
            let scope = scope(tx, context, council.as_ref())?;
            let place = match &scope {
                CapScope::Council(council) => Some(Place::of(tx, council)?),
                CapScope::Installation => None,
            };
            Ok((place, caps::show(tx, context, &scope)?))
        })
        .await?;
    let may = match &place {
        Some(place) => visitor.may(Permission::ApproveOrder, &place.id),
        None => visitor.actor().require_installation(Permission::Installation).is_ok(),
    };
    Ok(Limits {
        home: place.as_ref().map_or_else(|| ALL_COUNCILS.to_owned(), place_of),
        zone: place.as_ref().map_or_else(Zone::default, |place| place.zone),
        place,
        view,
        may,
    })
}

/// So many phones an hour and a day, in words.
fn words_of(per_hour: i64, per_day: i64) -> String {
    format!("{per_hour} in an hour, {per_day} in a day")
}
