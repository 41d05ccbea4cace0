//! Whether a clerk of the council, or a provider, may approve that a phone is erased, too.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::{list_of, place_of};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{OperatorId, Permission};
use crate::operations::{councils, operators};
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

struct Asked {
    place: Place,
    id: OperatorId,
    name: String,
    provider: bool,
    named: bool,
}

async fn look(app: &App, visitor: &Visitor, path: Path<(String, String)>) -> Result<Asked> {
    let (council, operator) = path.into_inner();
    let id = OperatorId::from(operator);
    visitor
        .read(app, "show approver", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::ApproveOrder)?;
            let place = Place::of(tx, &council)?;
            let named = operators::named_approvers(tx, context, &council)?;
            // A provider is not the council's own; one that it named may be looked at all the same.
            if let Some(named) = named.iter().find(|named| named.operator == id) {
                return Ok(Asked { place, name: named.name.clone(), provider: named.provider, named: true, id });
            }
            let operator = operators::show(tx, context, &id)?;
            if operator.council_id.as_ref() != Some(&council) {
                return Err(Error::NotFound("operator"));
            }
            Ok(Asked { place, name: operator.name, provider: false, named: false, id })
        })
        .await
}

fn page(app: &App, visitor: &Visitor, asked: &Asked, errors: &Errors) -> Result<Question> {
    let action = format!("{}/approvers/{}", asked.place.home(), asked.id);
    let choice = Field::choice(
        "approves",
        "May they approve that a phone is erased?",
        &[("yes", "Yes, what somebody else asked for"), ("no", "No")],
    )
    .value(if asked.named { "yes" } else { "no" });
    let form = Form::new(&action, visitor.token(app, &action)?, "Save").fields(vec![choice]);
    let frame = Frame::new(app, visitor, format!("{} as approver", asked.name), Some(&asked.place))?.with(errors);
    Ok(Question::new(frame, form).back(back(asked), "Back").lead(
        "Nobody ever approves what they asked for themselves. Whoever approves must have had the account for 72 hours.",
    ))
}

fn back(asked: &Asked) -> String {
    if asked.provider { list_of(Some(&asked.place)) } else { place_of(&asked.id) }
}

/// GET: the question.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let asked = look(&app, &visitor, path).await?;
    page(&app, &visitor, &asked, &Errors::default())?.answer()
}

/// POST: names, or takes the naming back.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let asked = look(&app, &visitor, path).await?;
    let (council, operator, named) = (asked.place.id.clone(), asked.id.clone(), asked.named);
    let done = match sent.text("approves").as_str() {
        "yes" => {
            visitor
                .change(&app, &sent, "name approver", move |tx, context| {
                    operators::name_approver(tx, context, &council, &operator).map(drop)
                })
                .await
        }
        "no" if named => {
            visitor
                .change(&app, &sent, "unname approver", move |tx, context| {
                    operators::unname_approver(tx, context, &council, &operator)
                })
                .await
        }
        "no" => Ok(()),
        _ => Err(Error::invalid("approves", "Choose one")),
    };
    match done {
        Ok(()) => Ok(go(&back(&asked))),
        Err(error) => page(&app, &visitor, &asked, &Errors::of(error)?)?.filled(&sent).answer(),
    }
}
