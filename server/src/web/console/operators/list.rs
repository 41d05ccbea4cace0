//! Who signs in: a council's operators, or the providers.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::{list_of, place_of, role_word};
use crate::app::App;
use crate::error::Result;
use crate::model::{OperatorId, Permission};
use crate::operations::operators::{self, Named};
use crate::operations::{Context, councils};
use crate::store::Transaction;
use crate::store::operators::Operator;
use crate::web::console::dates::Zone;
use crate::web::console::failure::{Failure, go};
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// How many are on one page.
const MOST: usize = 25;

/// Where a list goes on.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    after: Option<String>,
}

/// An operator in the list.
struct Line {
    name: String,
    login: String,
    place: String,
    role: &'static str,
    notes: Vec<String>,
}

#[derive(Template)]
#[template(path = "console/operators.html")]
struct Page {
    frame: Frame,
    /// Where people are, on a council's page.
    people: Option<String>,
    here: String,
    lines: Vec<Line>,
    /// Providers whom the council named as approvers: name and address.
    providers: Vec<(String, String)>,
    next: Option<String>,
    may_add: bool,
    /// Where a provider is named as approver, for the council's own operators.
    name_provider: Option<String>,
}

struct Found {
    place: Option<Place>,
    operators: Vec<Operator>,
    named: Vec<Named>,
}

fn find(tx: &mut Transaction<'_>, context: &Context, name: Option<&str>, after: Option<&str>) -> Result<Found> {
    let council = name.map(|name| councils::permitted(tx, context, name, Permission::Read)).transpose()?;
    let operators = operators::list(tx, context, council.as_ref(), after, MOST as i64 + 1)?;
    let (place, named) = match &council {
        Some(council) => (Some(Place::of(tx, council)?), operators::named_approvers(tx, context, council)?),
        None => (None, Vec::new()),
    };
    Ok(Found { place, operators, named })
}

/// GET: a council's operators.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, Some(path.into_inner()), asked.into_inner().after).await
}

/// GET: the providers, or on to one's own council.
pub(super) async fn show_providers(
    app: Data<App>,
    visitor: Visitor,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    if let Some(own) = visitor.signed_in.council.clone() {
        let place = visitor.read(&app, "own council", move |tx, _| Place::of(tx, &own)).await?;
        return Ok(go(&list_of(Some(&place))));
    }
    page(&app, &visitor, None, asked.into_inner().after).await
}

async fn page(
    app: &App,
    visitor: &Visitor,
    council: Option<String>,
    after: Option<String>,
) -> Result<HttpResponse, Failure> {
    let Found { place, mut operators, named } = visitor
        .read(app, "list operators", move |tx, context| find(tx, context, council.as_deref(), after.as_deref()))
        .await?;
    let here = list_of(place.as_ref());
    let more = operators.len() > MOST;
    operators.truncate(MOST);
    let last = operators.last().map(|operator| operator.id.clone()).filter(|_| more);
    let zone = place.as_ref().map_or_else(Zone::default, |place| place.zone);
    let is_named = |id: &OperatorId| named.iter().any(|named| named.operator == *id);
    let lines = operators.into_iter().map(|operator| Line {
        notes: notes(&operator, zone, is_named(&operator.id)),
        role: role_word(operator.role),
        place: place_of(&operator.id),
        name: operator.name,
        login: operator.login,
    });
    let providers = match &place {
        Some(place) => named
            .iter()
            .filter(|named| named.provider)
            .map(|named| (named.name.clone(), format!("{}/approvers/{}", place.home(), named.operator)))
            .collect(),
        None => Vec::new(),
    };
    let title = if place.is_some() { "Who signs in to Beadle" } else { "Providers" };
    let may_add = match &place {
        Some(place) => visitor.may(Permission::Operators, &place.id),
        None => visitor.actor().require_installation(Permission::Installation).is_ok(),
    };
    let page = Page {
        lines: lines.collect(),
        frame: Frame::new(app, visitor, title, place.as_ref())?,
        people: place.as_ref().map(|place| format!("{}/people", place.home())),
        next: last.map(|id| format!("{here}?after={id}")),
        providers,
        may_add,
        // Only an operator of the council itself names its approvers.
        name_provider: place
            .as_ref()
            .filter(|place| {
                visitor.signed_in.council.as_ref() == Some(&place.id)
                    && visitor.may(Permission::ApproveOrder, &place.id)
            })
            .map(|place| format!("{}/approvers", place.home())),
        here,
    };
    draw(StatusCode::OK, &page)
}

fn notes(operator: &Operator, zone: Zone, named: bool) -> Vec<String> {
    if let Some(at) = operator.ended_at {
        return vec![format!("Account ended on {}", zone.when(at))];
    }
    let mut notes = Vec::new();
    if named {
        notes.push("Named as approver, too".to_owned());
    }
    if operator.must_change_password {
        notes.push("Has not chosen a password yet".to_owned());
    } else if !operator.has_second_factor() {
        notes.push("Has not set up an authenticator app or a passkey yet".to_owned());
    }
    notes
}
