//! A new initial password for somebody who cannot sign in, shown once.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::{initial_password, place_of};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::OperatorId;
use crate::operations::{operators, passwords};
use crate::store::operators::Operator;
use crate::web::console::failure::Failure;
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

async fn look(app: &App, visitor: &Visitor, id: &OperatorId) -> Result<(Option<Place>, Operator)> {
    let wanted = id.clone();
    visitor
        .read(app, "may reset operator", move |tx, context| {
            operators::require_change(tx, context, &wanted)?;
            super::with_council(tx, context, &wanted)
        })
        .await
}

async fn page(app: &App, visitor: &Visitor, id: &OperatorId, errors: &Errors) -> Result<Question> {
    let (place, operator) = look(app, visitor, id).await?;
    let action = format!("{}/reset", place_of(id));
    let choice = Field::choice(
        "second_factor",
        "Do they still have their authenticator app or passkey?",
        &[
            ("keep", "Yes, they only forgot the password"),
            ("take", "No, that is gone too: they set up a new one when they sign in"),
        ],
    );
    let form = Form::new(&action, visitor.token(app, &action)?, "Give them a new password").fields(vec![choice]);
    let title = format!("New password for {}", operator.name);
    let frame = Frame::new(app, visitor, title, place.as_ref())?.with(errors);
    Ok(Question::new(frame, form)
        .back(place_of(id), "Back to this operator")
        .lead("Speak to them first, in person or on a number that you know: somebody else may pretend to be them.")
        .lead("They are signed out everywhere, the tokens that they issued stop working, and they wait 72 hours before they \
               may approve again. You two can then not decide together about erasing a phone."))
}

/// GET: the question.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &OperatorId::from(path.into_inner()), &Errors::default()).await?.answer()
}

/// POST: resets, and shows the password once.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let id = OperatorId::from(path.into_inner());
    // Before any password is hashed.
    let (place, _) = look(&app, &visitor, &id).await?;
    let second_factor = match sent.text("second_factor").as_str() {
        "keep" => Ok(false),
        "take" => Ok(true),
        _ => Err(Error::invalid("second_factor", "Choose one")),
    };
    let done = match second_factor {
        Err(error) => Err(error),
        Ok(second_factor) => {
            let initial = passwords::initial().await?;
            let (operator, hash, words) = (id.clone(), initial.hash, initial.words.to_string());
            visitor
                .change(&app, &sent, "reset operator", move |tx, context| {
                    let operator = operators::reset(tx, context, &operator, &hash, second_factor)?;
                    Ok((operator.login, words.clone()))
                })
                .await
        }
    };
    match done {
        Ok((login, words)) => initial_password(&app, &visitor, place.as_ref(), &id, login, words),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?).await?.filled(&sent).answer(),
    }
}
