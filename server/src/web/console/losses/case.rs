//! A loss: how it stands, as far as the phone itself has said so, and everything that is to be done.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::{place_of, with_council};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{BreachDecision, CaseId, CaseState, OrderState, Permission};
use crate::operations::cases::{CaseDetail, TimelineEntry};
use crate::operations::losses::{self, LockState, Standing};
use crate::operations::{Context, orders};
use crate::store::Transaction;
use crate::web::console::dates::Zone;
use crate::web::console::failure::{Failure, sentence};
use crate::web::console::live;
use crate::web::console::page::{Frame, Place, draw, or_unknown};
use crate::web::console::visitor::Visitor;

/// What happened, oldest first.
#[derive(Template)]
#[template(path = "console/timeline.html")]
struct Timeline {
    zone: Zone,
    entries: Vec<TimelineEntry>,
}

/// The part of the page that moves, but for the timeline, which stands at its end.
#[derive(Template)]
#[template(path = "console/case_live.html")]
struct Moving {
    zone: Zone,
    detail: CaseDetail,
    standing: Standing,
    /// What matters most, in one sentence.
    headline: String,
    /// How far the lock is, where something else matters more.
    lock_words: Option<String>,
    open: bool,
    locked: bool,
    failed: bool,
    /// What may be done now, the most urgent first: where it is, and its words.
    steps: Vec<(String, String)>,
    /// Changes where what may be done changes.
    version: String,
    timeline: Timeline,
}

#[derive(Template)]
#[template(path = "console/case.html")]
struct Page {
    frame: Frame,
    place: Place,
    here: String,
    moving: Moving,
    /// The token of the form that locks again, where that may be done.
    lock_again: Option<String>,
    imei: String,
    sim: String,
    number: String,
    decision: &'static str,
    /// What was decided against or for needs no clock any more.
    decided: bool,
    may_note: bool,
}

fn moving(tx: &mut Transaction<'_>, context: &Context, id: &CaseId, visitor: &Visitor) -> Result<(Place, Moving)> {
    let (place, detail) = with_council(tx, context, id)?;
    let standing = losses::standing(tx, context, id)?;
    let steps = steps(tx, context, visitor, &detail)?;
    let lock = standing.lock;
    // Once a phone counts as erased, its lock is history.
    let erased = [OrderState::Confirmed, OrderState::PresumedErased];
    let last = detail.orders.iter().rev().find(|order| erased.contains(&order.state));
    let confirmed = last.is_some_and(|order| order.state == OrderState::Confirmed);
    let (headline, lock_words) = match last {
        None => (standing.lock_words.clone(), None),
        Some(order) => (format!("{}.", sentence(&order.state_words)), Some(standing.lock_words.clone())),
    };
    let version = steps.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>().join(" ");
    let moving = Moving {
        timeline: Timeline { zone: place.zone, entries: detail.timeline.clone() },
        zone: place.zone,
        open: detail.case.state == CaseState::Open,
        locked: confirmed || (last.is_none() && lock == LockState::Locked),
        failed: last.is_none() && lock == LockState::Failed,
        headline,
        lock_words,
        version: format!("{} {version}", detail.case.state),
        steps,
        detail,
        standing,
    };
    Ok((place, moving))
}

fn steps(
    tx: &mut Transaction<'_>,
    context: &Context,
    visitor: &Visitor,
    detail: &CaseDetail,
) -> Result<Vec<(String, String)>> {
    let (case, here) = (&detail.case, place_of(&detail.case.id));
    let mut steps = Vec::new();
    let mut add = |to: String, words: &str| steps.push((to, words.to_owned()));
    let ordered = detail.orders.iter().any(|order| !order.state.is_rest());
    if case.state == CaseState::Open {
        let possible = visitor.may(Permission::RequestOrder, &case.council) && !ordered;
        if possible && orders::preview(tx, context, &case.id).is_ok() {
            add(format!("{here}/wipe"), "Ask for the phone to be erased");
        }
        if visitor.may(Permission::CancelOrder, &case.council) {
            add(format!("{here}/found"), "The phone has been found");
        }
    }
    if case.state != CaseState::Closed && visitor.may(Permission::CancelOrder, &case.council) && !ordered {
        add(format!("{here}/close"), "Close this case");
    }
    Ok(steps)
}

/// GET: the page.
pub(in crate::web::console) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let (id, own) = (CaseId::from(path.into_inner()), visitor.clone());
    let (place, moving) = visitor.read(&app, "show loss", move |tx, context| moving(tx, context, &id, &own)).await?;
    let case = &moving.detail.case;
    let here = place_of(&case.id);
    let lock_again =
        if moving.open && moving.standing.last_seen_at.is_some() && visitor.may(Permission::Report, &place.id) {
            Some(visitor.token(&app, &format!("{here}/lock"))?)
        } else {
            None
        };
    let decision = moving.standing.breach.as_ref().map_or(BreachDecision::Undecided, |breach| breach.decision);
    let page = Page {
        frame: Frame::new(&app, &visitor, format!("{}: lost phone", case.asset_tag), Some(&place))?,
        here,
        lock_again,
        imei: or_unknown(case.imei.as_deref()),
        sim: or_unknown(case.sim.as_deref()),
        number: or_unknown(case.phone_number.as_deref()),
        decision: super::breach::words(decision),
        decided: decision != BreachDecision::Undecided,
        may_note: case.state != CaseState::Closed && visitor.may(Permission::Report, &place.id),
        place,
        moving,
    };
    draw(StatusCode::OK, &page)
}

/// GET: the moving part, whenever it changes.
pub(in crate::web::console) async fn watch(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = CaseId::from(path.into_inner());
    Ok(live::watch(&app, visitor, move |tx, context, visitor| {
        let moving = moving(tx, context, &id, visitor)?.1;
        let now = moving.render().map_err(Error::internal)?;
        Ok(now + &moving.timeline.render().map_err(Error::internal)?)
    }))
}
