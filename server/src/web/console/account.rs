//! One's own account: the password, the second factor, the recovery codes.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use zeroize::Zeroizing;

use super::failure::{Failure, go};
use super::form::{Errors, Field, Form, Sent};
use super::page::{Frame, Question, draw};
use super::visitor::Visitor;
use crate::app::App;
use crate::error::{Error, Result};
use crate::operations::accounts;
use crate::web::sign_in as door;

const PASSWORD: &str = "/console/account/password";

#[derive(Template)]
#[template(path = "console/account.html")]
struct Account {
    frame: Frame,
    login: String,
    mail: Option<String>,
    codes_left: i64,
}

/// GET: what there is of the account.
pub(super) async fn show(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    let (operator, codes_left) = visitor.read(&app, "show account", accounts::show).await?;
    let frame = Frame::new(&app, &visitor, "Your account", None)?;
    draw(StatusCode::OK, &Account { frame, login: operator.login, mail: operator.mail, codes_left })
}

async fn page(app: &App, visitor: &Visitor, errors: &Errors) -> Result<Question> {
    let (operator, _) = visitor.read(app, "show account", accounts::show).await?;
    let fields = vec![
        Field::password("current", "Password until now", "current-password"),
        Field::password("new", "New password", "new-password").hint(
            "At least 12 characters, or three words. Three words that do not belong together are easy to remember.",
        ),
        Field::password("again", "New password once more", "new-password"),
    ];
    let form =
        Form::new(PASSWORD, visitor.token(app, PASSWORD)?, "Change password").fields(fields).username(&operator.login);
    let frame = Frame::new(app, visitor, "Change your password", None)?.with(errors);
    let question = Question::new(frame, form);
    Ok(if visitor.signed_in.must_change_password {
        question.lead("The password that you were given was for the first time only. Choose your own now.")
    } else {
        question.lead("You will be signed out everywhere else.")
    })
}

/// GET: the form for a new password.
pub(super) async fn password(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &Errors::default()).await?.answer()
}

async fn change(app: &App, visitor: &Visitor, sent: &Sent) -> Result<()> {
    let (current, new) = (Zeroizing::new(sent.text("current")), Zeroizing::new(sent.text("new")));
    if *new != sent.text("again") {
        return Err(Error::invalid("again", "The two new passwords are not the same"));
    }
    let new = door::new_password(app, &visitor.signed_in, current, new, &visitor.address).await?;
    visitor.change(app, sent, "change password", move |tx, context| new.keep(tx, context)).await
}

/// POST: changes it.
pub(super) async fn send_password(app: Data<App>, visitor: Visitor, sent: Sent) -> Result<HttpResponse, Failure> {
    match change(&app, &visitor, &sent).await {
        Ok(()) => Ok(go("/console")),
        Err(Error::Invalid { field, problem }) => {
            let (field, problem) = match field.as_str() {
                "current" => ("current", "This is not your password until now".to_owned()),
                "new" | "new_password" => ("new", format!("The new password {problem}")),
                _ => ("again", problem),
            };
            page(&app, &visitor, &Errors::one(field, &problem)).await?.answer()
        }
        Err(error) => page(&app, &visitor, &Errors::of(error)?).await?.answer(),
    }
}
