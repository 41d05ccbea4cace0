//! Faults of an item: written down, and how they ended.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::place_of;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{AssetId, FaultId, Permission};
use crate::operations::faults;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::visitor::Visitor;

const LABELS: [(&str, &str); 3] = [("what", "The fault"), ("noticed_at", "The time"), ("outcome", "How it ended")];

async fn new_page(app: &App, visitor: &Visitor, id: &AssetId, errors: &Errors) -> Result<Question> {
    let (place, shown) = super::changeable(app, visitor, id).await?;
    let action = format!("{}/fault", place_of(id));
    let fields = vec![
        Field::lines("what", "What is wrong with it?").most(1000),
        Field::moment("noticed_at", "When was it noticed? (optional)").hint("Leave this empty if it is now.").short(),
    ];
    let form = Form::new(&action, visitor.token(app, &action)?, "Write it down").fields(fields);
    let title = format!("A fault of {}", shown.asset.tag);
    let frame = Frame::new(app, visitor, title, Some(&place))?.with(errors);
    Ok(Question::new(frame, form).back(place_of(id), "Back to this item"))
}

/// GET: the form.
pub(super) async fn show_new(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    new_page(&app, &visitor, &AssetId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: writes it down.
pub(super) async fn send_new(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = AssetId::from(path.into_inner());
    let (place, _) = super::changeable(&app, &visitor, &id).await?;
    let done = match place.zone.entered("noticed_at", &sent.text("noticed_at")) {
        Err(error) => Err(error),
        Ok(noticed_at) => {
            let (asset, what) = (id.clone(), sent.text("what"));
            visitor
                .change(&app, &sent, "note fault", move |tx, context| {
                    faults::note(tx, context, &asset, &what, noticed_at).map(drop)
                })
                .await
        }
    };
    match done {
        Ok(()) => Ok(go(&place_of(&id))),
        Err(error) => new_page(&app, &visitor, &id, &Errors::of(error)?.named(&LABELS)).await?.filled(&sent).answer(),
    }
}

async fn page(app: &App, visitor: &Visitor, id: &FaultId, errors: &Errors) -> Result<Question> {
    let wanted = id.clone();
    let (place, shown, fault) = visitor
        .read(app, "show fault", move |tx, context| {
            let fault = faults::show(tx, context, &wanted)?;
            let (place, shown) = super::with_council(tx, context, &fault.asset_id)?;
            Ok((place, shown, fault))
        })
        .await?;
    if !visitor.may(Permission::Register, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let action = format!("/console/faults/{id}");
    let field = Field::lines("outcome", "How did it end?")
        .hint("For example: mended by the shop in Helston for 40 pounds.")
        .most(1000);
    let form = Form::new(&action, visitor.token(app, &action)?, "Save").fields(vec![field]);
    let title = format!("A fault of {}", shown.asset.tag);
    let frame = Frame::new(app, visitor, title, Some(&place))?.with(errors);
    Ok(Question::new(frame, form)
        .back(place_of(&fault.asset_id), "Back to this item")
        .fact("The fault", fault.what)
        .fact("Noticed", place.zone.when(fault.noticed_at)))
}

/// GET: the question.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &FaultId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: keeps how it ended.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = FaultId::from(path.into_inner());
    let (fault, outcome) = (id.clone(), sent.text("outcome"));
    let done = visitor
        .change(&app, &sent, "end fault", move |tx, context| Ok(faults::end(tx, context, &fault, &outcome)?.asset_id))
        .await;
    match done {
        Ok(asset) => Ok(go(&place_of(&asset))),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?.named(&LABELS)).await?.filled(&sent).answer(),
    }
}
