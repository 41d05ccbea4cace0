//! One thing comes back from somebody.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::place_of;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{AssetId, Ownership, Permission, PersonId};
use crate::operations::assets;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Form, Sent};
use crate::web::console::page::{Frame, Question};
use crate::web::console::visitor::Visitor;

fn here(person: &PersonId, asset: &AssetId) -> String {
    format!("{}/give-back/{asset}", place_of(person))
}

async fn page(app: &App, visitor: &Visitor, id: &PersonId, asset: &AssetId, errors: &Errors) -> Result<Question> {
    let (person, wanted) = (id.clone(), asset.clone());
    let (place, person, shown) = visitor
        .read(app, "what is given back", move |tx, context| {
            let (place, person, _) = super::with_council(tx, context, &person)?;
            let shown = assets::show(tx, context, &wanted)?;
            if shown.asset.council_id != place.id {
                return Err(Error::NotFound("asset"));
            }
            Ok((place, person, shown))
        })
        .await?;
    if !visitor.may(Permission::Register, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let action = here(id, asset);
    let item = &shown.asset;
    let others = shown.custody.iter().filter(|held| held.until.is_none() && held.person != *id);
    let others: Vec<&str> = others.map(|held| held.name.as_str()).collect();
    let personal = item.ownership == Ownership::Personal;
    let (title, button, lead) = if personal {
        (
            format!("Take {} off the name of {}", item.tag, person.name),
            "They no longer use it for the council",
            "It is their own and stays with them. The register says that they used it for the council until now.",
        )
    } else {
        (
            format!("Take {} back from {}", item.tag, person.name),
            "It is back",
            "Say so once you have it in your hands, with its charger and whatever else belongs to it.",
        )
    };
    let form = Form::new(&action, visitor.token(app, &action)?, button);
    let mut question = Question::new(Frame::new(app, visitor, title, Some(&place))?.with(errors), form)
        .back(format!("{}/leaving", place_of(id)), "Back to the checklist")
        .lead(lead)
        .fact("Item", format!("{} {}", item.make, item.model).trim());
    if !others.is_empty() {
        question = question.fact("Stays with", others.join(", "));
    }
    Ok(question)
}

fn ids(path: Path<(String, String)>) -> (PersonId, AssetId) {
    let (person, asset) = path.into_inner();
    (PersonId::from(person), AssetId::from(asset))
}

/// GET: the question.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (person, asset) = ids(path);
    page(&app, &visitor, &person, &asset, &Errors::default()).await?.answer()
}

/// POST: it is back.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (person, asset) = ids(path);
    let (who, what) = (person.clone(), asset.clone());
    let done = visitor
        .change(&app, &sent, "give back", move |tx, context| assets::give_up(tx, context, &what, &who).map(drop))
        .await;
    match done {
        Ok(()) => Ok(go(&format!("{}/leaving", place_of(&person)))),
        Err(error) => page(&app, &visitor, &person, &asset, &Errors::of(error)?).await?.answer(),
    }
}
