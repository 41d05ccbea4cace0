//! An order to erase: the second person's page, and afterwards how it goes, to its truthful end.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::confirm;
use super::dates::Zone;
use super::devices;
use super::failure::{Failure, go, sentence};
use super::form::{Errors, Field, Form, Sent};
use super::live;
use super::page::{Frame, Place, draw, or_unknown};
use super::settings;
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{CONFIRM_FIRST, CaseKind, HeldReason, OrderId, OrderState, Permission};
use crate::operations::orders::{self, OrderView};
use crate::operations::{Context, reports};
use crate::store::{self, Transaction};

/// The part of the page that moves.
#[derive(Template)]
#[template(path = "console/order_live.html")]
struct Moving {
    zone: Zone,
    headline: String,
    order: OrderView,
    ended: bool,
    confirmed: bool,
}

#[derive(Template)]
#[template(path = "console/order.html")]
struct Page {
    frame: Frame,
    moving: Moving,
    here: String,
    case: Option<(String, &'static str)>,
    backup: String,
    model: String,
    serial: String,
    number: String,
    waits: bool,
    /// It waits for nobody's approval, but for its 30 minutes.
    cools_off: bool,
    /// Asked for by whoever looks: another must decide.
    own: bool,
    /// Where to confirm who one is, before the decision is offered.
    confirm: Option<String>,
    approve: Option<Form>,
    refuse: Option<Form>,
    cancel: Option<Form>,
    resume: Option<Form>,
    /// What must be seen to before a held order may go on: where, and the words that lead there.
    first: Option<(String, &'static str)>,
}

fn place_of(id: &OrderId) -> String {
    format!("/console/orders/{id}")
}

fn moving(place: &Place, order: OrderView) -> Moving {
    Moving {
        zone: place.zone,
        headline: sentence(&order.state_words),
        ended: order.state.is_rest() && order.state != OrderState::PresumedErased,
        confirmed: order.state == OrderState::Confirmed,
        order,
    }
}

/// Where what holds an order is seen to.
fn first(place: &Place, order: &OrderView) -> Option<(String, &'static str)> {
    match order.held_reason? {
        HeldReason::Frozen => Some((settings::limits_of(place), "See why erasing is frozen, and thaw")),
        HeldReason::Quarantine => Some((settings::QUARANTINE.to_owned(), "See what the quarantine is")),
        HeldReason::LegalHold => Some((devices::place_of(&order.device), "See the legal hold on the device")),
        _ => None,
    }
}

/// What a page shows of an order.
struct Looked {
    place: Place,
    order: OrderView,
    backup: String,
    /// The case that it serves: where it is, and the words that lead there.
    case: Option<(String, &'static str)>,
}

fn look(tx: &mut Transaction<'_>, context: &Context, id: &OrderId) -> Result<Looked> {
    let order = orders::show(tx, context, id)?;
    let place = Place::of(tx, &order.council)?;
    let backup = match store::enrolments::find(tx, &order.council, &order.enrolment)? {
        Some(enrolment) => reports::backup(tx, &enrolment)?,
        None => "Not known".to_owned(),
    };
    let case = store::cases::find(tx, &order.case)?.map(|case| match case.kind {
        CaseKind::Loss => (format!("/console/losses/{}", case.id), "Back to the lost phone"),
        CaseKind::Leaver => (super::people::place_of_leaver(&case.id), "Back to its return"),
    });
    Ok(Looked { case, place, order, backup })
}

async fn page(app: &App, visitor: &Visitor, id: &OrderId, errors: &Errors) -> Result<HttpResponse, Failure> {
    let wanted = id.clone();
    let Looked { place, order, backup, case } =
        visitor.read(app, "show order", move |tx, context| look(tx, context, &wanted)).await?;
    let (here, council) = (place_of(id), &place.id);
    let form = |name: &str, button: &str| -> Result<Form> {
        let action = format!("{here}/{name}");
        Ok(Form::new(&action, visitor.token(app, &action)?, button))
    };
    let waits = order.state == OrderState::Requested;
    let cools_off = order.cooling_off.is_some();
    let own = order.requested_by == visitor.signed_in.operator;
    let decides = waits && !own && visitor.may(Permission::ApproveOrder, council);
    let fresh = visitor.is_fresh(app);
    let (mut approve, mut refuse, mut cancel, mut resume) = (None, None, None, None);
    if decides && fresh {
        approve = Some(form("approve", &format!("Approve: erase {}", order.asset_tag))?.danger());
    }
    if decides {
        let reason = Field::line("reason", "Why not? (optional)").most(500);
        refuse = Some(form("refuse", "Refuse")?.second().fields(vec![reason]));
    }
    if order.cancellable && !decides && visitor.may(Permission::CancelOrder, council) {
        cancel = Some(form("cancel", "Cancel the order")?.second());
    }
    if order.state == OrderState::Held && visitor.may(Permission::RequestOrder, council) {
        resume = match order.held_reason {
            // These can only be cancelled.
            Some(HeldReason::ReEnrolled | HeldReason::Distrusted) => None,
            Some(HeldReason::Paused) => Some(form("resume", "Begin its 30 minutes anew")?),
            _ => Some(form("resume", "Let the order go on")?),
        };
    }
    let title = match order.state {
        OrderState::Requested => format!("Erase {}?", order.asset_tag),
        _ => format!("Order to erase {}", order.asset_tag),
    };
    let confirm = (decides && !fresh).then(|| format!("/console/confirm?then={here}"));
    let page = Page {
        frame: Frame::new(app, visitor, title, Some(&place))?.with(errors),
        case,
        backup,
        model: or_unknown(order.reported_model.as_deref()),
        serial: or_unknown(order.reported_serial.as_deref()),
        number: or_unknown(order.reported_number.as_deref()),
        waits,
        cools_off,
        own,
        confirm,
        approve,
        refuse,
        cancel,
        resume,
        first: first(&place, &order),
        moving: moving(&place, order),
        here,
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    draw(status, &page)
}

/// GET: the order.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &OrderId::from(path.into_inner()), &Errors::default()).await
}

/// GET: the moving part, whenever it changes.
pub(super) async fn watch(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let id = OrderId::from(path.into_inner());
    Ok(live::watch(&app, visitor, move |tx, context, _| {
        let Looked { place, order, .. } = look(tx, context, &id)?;
        moving(&place, order).render().map_err(Error::internal)
    }))
}

async fn decided(app: &App, visitor: &Visitor, id: OrderId, done: Result<()>) -> Result<HttpResponse, Failure> {
    match done {
        Ok(()) => Ok(go(&place_of(&id))),
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => Err(confirm::first(&place_of(&id))),
        Err(error) => page(app, visitor, &id, &Errors::of(error)?).await,
    }
}

/// POST: approves, as the second person.
pub(super) async fn approve(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = OrderId::from(path.into_inner());
    let order = id.clone();
    let done = visitor
        .change(&app, &sent, "approve order", move |tx, context| orders::approve(tx, context, &order).map(drop))
        .await;
    decided(&app, &visitor, id, done).await
}

/// POST: refuses.
pub(super) async fn refuse(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = OrderId::from(path.into_inner());
    let (order, reason) = (id.clone(), sent.text("reason").chars().take(1000).collect::<String>());
    let done = visitor
        .change(&app, &sent, "refuse order", move |tx, context| orders::refuse(tx, context, &order, &reason).map(drop))
        .await;
    decided(&app, &visitor, id, done).await
}

/// POST: takes it back.
pub(super) async fn cancel(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = OrderId::from(path.into_inner());
    let order = id.clone();
    let done = visitor
        .change(&app, &sent, "cancel order", move |tx, context| orders::cancel(tx, context, &order).map(drop))
        .await;
    decided(&app, &visitor, id, done).await
}

/// POST: lets a held order go on.
pub(super) async fn resume(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = OrderId::from(path.into_inner());
    let order = id.clone();
    let done = visitor
        .change(&app, &sent, "resume order", move |tx, context| orders::resume(tx, context, &order).map(drop))
        .await;
    decided(&app, &visitor, id, done).await
}
