//! Ending a token, at once.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::place_of;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Permission, TokenId};
use crate::operations::tokens;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Form, Sent};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

async fn page(app: &App, visitor: &Visitor, id: &TokenId, errors: &Errors) -> Result<(Question, Place)> {
    let wanted = id.clone();
    let (place, token) = visitor
        .read(app, "show token", move |tx, context| {
            let token = tokens::show(tx, context, &wanted)?;
            Ok((Place::of(tx, &token.council_id)?, token))
        })
        .await?;
    if !visitor.may(Permission::Operators, &place.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let action = format!("/console/tokens/{id}/end");
    let form = Form::new(&action, visitor.token(app, &action)?, "End this token").danger();
    let frame = Frame::new(app, visitor, "End this token?", Some(&place))?.with(errors);
    let question =
        Question::new(frame, form).back(place_of(&place), "Tokens for programs").fact("What it is for", token.name);
    let question = match token.revoked_at {
        Some(at) => Question { form: None, ..question.lead(format!("It was ended on {}.", place.zone.when(at))) },
        None => question.lead("The program that has it is refused from now on."),
    };
    Ok((question, place))
}

/// GET: the question.
pub(in crate::web::console::settings) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<TokenId>,
) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &path.into_inner(), &Errors::default()).await?.0.answer()
}

/// POST: ends it.
pub(in crate::web::console::settings) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<TokenId>,
) -> Result<HttpResponse, Failure> {
    let id = path.into_inner();
    let (_, place) = page(&app, &visitor, &id, &Errors::default()).await?;
    let token = id.clone();
    let done =
        visitor.change(&app, &sent, "revoke token", move |tx, context| tokens::revoke(tx, context, &token)).await;
    match done {
        Ok(()) => Ok(go(&place_of(&place))),
        Err(error) => page(&app, &visitor, &id, &Errors::of(error)?).await?.0.answer(),
    }
}
