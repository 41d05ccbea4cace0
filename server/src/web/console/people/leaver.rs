//! The return of one thing: begun from the checklist, and how it stands.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{AssetId, CaseId, CaseState, Ownership, Permission, PersonId};
use crate::operations::cases::CaseDetail;
use crate::operations::{assets, leavers};
use crate::web::console::dates::Zone;
use crate::web::console::failure::{Failure, go, sentence};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question, draw};
use crate::web::console::visitor::Visitor;

/// The address of a leaver's case.
pub(in crate::web::console) fn place_of(case: &CaseId) -> String {
    format!("/console/leavers/{case}")
}

#[derive(Template)]
#[template(path = "console/leaver.html")]
struct Page {
    frame: Frame,
    detail: CaseDetail,
    standing: String,
    /// Where the checklist is, and whose it is.
    leaver: Option<(String, String)>,
    asset: String,
    /// What may be done now.
    steps: Vec<(String, &'static str)>,
    zone: Zone,
}

/// GET: how it stands.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let id = CaseId::from(path.into_inner());
    let (place, detail, leaver) =
        visitor.read(&app, "show leaver case", move |tx, context| super::leaver_case(tx, context, &id)).await?;
    let case = &detail.case;
    let here = place_of(&case.id);
    let may = |permission| visitor.may(permission, &place.id);
    let mut steps = Vec::new();
    let open = detail.orders.iter().find(|order| order.state.is_open());
    let erased = detail.orders.iter().any(|order| order.state.counts_as_erased());
    if let Some(order) = open {
        steps.push((format!("/console/orders/{}", order.id), "See how the order to erase it stands"));
    } else if case.state == CaseState::Open {
        if case.device.is_some() && !erased && may(Permission::RequestOrder) {
            steps.push((format!("{here}/wipe"), "Ask for it to be erased"));
        }
        if may(Permission::CancelOrder) {
            steps.push((format!("{here}/close"), "Close its return"));
        }
    }
    let standing = match (case.state, detail.orders.last()) {
        (CaseState::Closed, _) => "Closed.".to_owned(),
        (_, Some(order)) => format!("{}.", sentence(&order.state_words)),
        (_, None) => "Being returned. Nothing has been erased.".to_owned(),
    };
    let page = Page {
        frame: Frame::new(&app, &visitor, format!("Return of {}", case.asset_tag), Some(&place))?,
        leaver: leaver.map(|(id, name)| (format!("{}/leaving", super::place_of(&id)), name)),
        asset: format!("/console/assets/{}", case.asset),
        zone: place.zone,
        standing,
        steps,
        detail,
    };
    draw(StatusCode::OK, &page)
}

fn ids(path: Path<(String, String)>) -> (PersonId, AssetId) {
    let (person, asset) = path.into_inner();
    (PersonId::from(person), AssetId::from(asset))
}

async fn page(app: &App, visitor: &Visitor, id: &PersonId, asset: &AssetId, errors: &Errors) -> Result<Question> {
    let (who, what) = (id.clone(), asset.clone());
    let (place, person, item): (Place, _, _) = visitor
        .read(app, "what is given back", move |tx, context| {
            let (place, person, _) = super::with_council(tx, context, &who)?;
            let item = assets::show(tx, context, &what)?.asset;
            if item.council_id != place.id {
                return Err(Error::NotFound("asset"));
            }
            Ok((place, person, item))
        })
        .await?;
    if !visitor.may(Permission::Register, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let action = format!("{}/begin/{asset}", super::place_of(id));
    let note = Field::lines("note", "Is there anything to know? (optional)")
        .hint("For example when it comes back, and with what.")
        .most(4000);
    let form = Form::new(&action, visitor.token(app, &action)?, "Begin").fields(vec![note]);
    let frame = Frame::new(app, visitor, format!("Begin the return of {}", item.tag), Some(&place))?.with(errors);
    let mut question = Question::new(frame, form)
        .back(format!("{}/leaving", super::place_of(id)), "Back to the checklist")
        .fact("Item", format!("{} {}", item.make, item.model).trim())
        .fact("From", person.name)
        .lead("Nothing is erased yet. Erasing is asked for afterwards, and a second person must approve it.");
    if item.ownership == Ownership::Council {
        question = question.lead(
            "Before it is erased: on an iPhone or iPad have them turn off Find My and sign out of their Apple Account, or the \
             next holder may not be able to use it. Have them move their own pictures and contacts off it.",
        );
    }
    Ok(question)
}

/// GET: the question.
pub(super) async fn ask(
    app: Data<App>,
    visitor: Visitor,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (person, asset) = ids(path);
    page(&app, &visitor, &person, &asset, &Errors::default()).await?.answer()
}

/// POST: begins.
pub(super) async fn begin(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (person, asset) = ids(path);
    let (who, what, note) = (person.clone(), asset.clone(), sent.text("note"));
    let done = visitor
        .change(&app, &sent, "open leaver case", move |tx, context| {
            let (place, ..) = super::with_council(tx, context, &who)?;
            leavers::open_in(tx, context, &place.id, &what, &note).map(drop)
        })
        .await;
    match done {
        Ok(()) => Ok(go(&format!("{}/leaving", super::place_of(&person)))),
        Err(error) => page(&app, &visitor, &person, &asset, &Errors::of(error)?).await?.filled(&sent).answer(),
    }
}
