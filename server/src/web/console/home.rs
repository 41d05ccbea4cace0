//! A council's first page: report a lost phone, then what needs attention, each with its one next step; nothing else.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use super::failure::{Failure, sentence};
use super::page::{Frame, Place, draw};
use super::settings;
use super::visitor::Visitor;
use crate::app::App;
use crate::error::Result;
use crate::model::{CaseState, DeviceId, OrderState, Permission};
use crate::operations::attention::{self, Attention};
use crate::operations::{councils, getting_started};

/// Alerts whose subject is a device.
const ABOUT_DEVICES: [&str; 2] = ["serial_differs", "left_management"];

/// One thing that needs attention.
struct Item {
    what: String,
    detail: String,
    /// The next step: where it is and its words.
    step: Option<(String, String)>,
    /// The form that says somebody has seen to it: where it goes, and its token.
    seen: Option<(String, String)>,
}

/// Things of one kind.
struct Group {
    title: &'static str,
    items: Vec<Item>,
}

#[derive(Template)]
#[template(path = "console/home.html")]
struct Home {
    frame: Frame,
    lost: String,
    may_report: bool,
    groups: Vec<Group>,
    /// Where all alerts are.
    alerts: String,
}

/// GET: the page.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let name = path.into_inner();
    let (place, attention, progress) = visitor
        .read(&app, "what needs attention", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            let progress = getting_started::progress(tx, context, &council)?;
            Ok((Place::of(tx, &council)?, attention::of_council(tx, context, &council)?, progress))
        })
        .await?;
    let frame = Frame::new(&app, &visitor, place.name.clone(), Some(&place))?;
    let mut groups = groups(&app, &visitor, &place, attention)?;
    if !progress.is_complete() && visitor.may(Permission::Settings, &place.id) {
        groups.push(Group { title: "Getting started", items: vec![started(&place)] });
    }
    let page = Home {
        frame,
        lost: format!("{}/lost", place.home()),
        may_report: visitor.may(Permission::Report, &place.id),
        groups,
        alerts: format!("{}/alerts", place.home()),
    };
    draw(StatusCode::OK, &page)
}

fn started(place: &Place) -> Item {
    Item {
        what: "Something is still missing before phones are looked after".to_owned(),
        detail: "A connection to Apple or Google, a second person, or the first phone".to_owned(),
        step: Some((format!("{}/set-up", place.home()), "See what is left".to_owned())),
        seen: None,
    }
}

fn groups(app: &App, visitor: &Visitor, place: &Place, found: Attention) -> Result<Vec<Group>> {
    let zone = place.zone;
    let step = |where_to: String, words: &str| Some((where_to, words.to_owned()));
    let losses = found.losses.into_iter().map(|case| Item {
        what: match case.state {
            CaseState::Found => format!("{} was found", case.tag),
            CaseState::Open | CaseState::Closed => format!("{} is lost", case.tag),
        },
        detail: format!("Reported {}", zone.when(case.reported_at)),
        step: step(format!("/console/losses/{}", case.id), "Go on with this loss"),
        seen: None,
    });
    let orders = found.orders.into_iter().map(|order| {
        let waits = order.state == OrderState::Requested;
        let own = order.requested_by == visitor.signed_in.operator;
        let cools_off = order.cooling_off.is_some();
        Item {
            what: format!("Erase {}: {}", order.asset_tag, order.state_words),
            detail: if waits {
                format!("Asked for by {}. Lapses {}", order.requested_by_name, zone.when(order.lapses_at))
            } else {
                format!("Asked for by {}", order.requested_by_name)
            },
            step: step(
                format!("/console/orders/{}", order.id),
                if waits && !own && !cools_off { "Approve or refuse" } else { "See how it stands" },
            ),
            seen: None,
        }
    });
    let device = |id: &DeviceId| step(format!("/console/devices/{id}"), "Look at this device");
    let silent = found.silent.into_iter().map(|silent| Item {
        detail: format!("Last heard from {}", zone.when(silent.last_seen_at)),
        step: device(&silent.device_id),
        what: silent.tag,
        seen: None,
    });
    let unmet = found.unmet.into_iter().map(|unmet| Item {
        detail: match unmet.settings {
            1 => "One setting of the policy is not in force".to_owned(),
            many => format!("{many} settings of the policy are not in force"),
        },
        step: device(&unmet.device_id),
        what: unmet.tag,
        seen: None,
    });
    let may_end = visitor.may(Permission::Register, &place.id);
    let mut alerts = Vec::new();
    for alert in found.alerts {
        let action = format!("/console/alerts/{}/acknowledge", alert.id);
        let seen = if may_end { Some((action.clone(), visitor.token(app, &action)?)) } else { None };
        let step = if alert.kind.starts_with("order_") {
            step(format!("/console/orders/{}", alert.subject), "See how it stands")
        } else if alert.kind == "push_certificate_ends" {
            step(format!("{}/apple", place.home()), "Renew the certificate")
        } else if alert.kind == "caps_raise" && alert.subject == place.id.as_str() {
            step(settings::limits_of(place), "Look at it and decide")
        } else if alert.kind == "caps_raise" && visitor.signed_in.council.is_none() {
            step(settings::LIMITS_OF_ALL.to_owned(), "Look at it and decide")
        } else if ABOUT_DEVICES.contains(&alert.kind.as_str()) {
            step(format!("/console/devices/{}", alert.subject), "Look at this device")
        } else {
            None
        };
        alerts.push(Item { what: sentence(&alert.message), detail: zone.when(alert.raised_at), step, seen });
    }
    let freeze = found.freeze.map(|(since, reason)| Item {
        what: "Erasing is frozen: no phone is erased".to_owned(),
        detail: format!("Since {}. {}.", zone.when(since), sentence(&reason)),
        step: step(settings::limits_of(place), "See why, and thaw"),
        seen: None,
    });
    let quarantine = found.quarantine.map(|since| Item {
        what: "The server is in quarantine: no phone is erased".to_owned(),
        detail: format!("It was set back to an earlier state. Since {}", zone.when(since)),
        step: step(settings::QUARANTINE.to_owned(), "See what must be gone through"),
        seen: None,
    });
    let groups = [
        ("No phone is erased", quarantine.into_iter().chain(freeze).collect()),
        ("Lost phones", losses.collect::<Vec<_>>()),
        ("Orders to erase a phone", orders.collect()),
        ("Alerts", alerts),
        ("Settings not in force", unmet.collect()),
        ("Not heard from for a week", silent.collect()),
    ];
    Ok(groups.into_iter().filter(|(_, items)| !items.is_empty()).map(|(title, items)| Group { title, items }).collect())
}
