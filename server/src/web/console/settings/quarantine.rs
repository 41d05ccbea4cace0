//! Quarantine after a restore: what it is, which orders must be gone through, and its end.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;

use super::errors_or_confirm;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::Permission;
use crate::operations::quarantine::{self, QuarantineView};
use crate::web::console::confirm;
use crate::web::console::dates::Zone;
use crate::web::console::failure::{Failure, go, sentence};
use crate::web::console::form::{Errors, Form, Sent};
use crate::web::console::page::{Frame, Question, draw};
use crate::web::console::visitor::Visitor;

/// Where it is.
pub(in crate::web::console) const PLACE: &str = "/console/quarantine";
const END: &str = "/console/quarantine/end";

/// How many orders are shown; each that is gone through makes room for another.
const MOST: usize = 50;

#[derive(Template)]
#[template(path = "console/quarantine.html")]
struct Page {
    frame: Frame,
    view: QuarantineView,
    reason: String,
    since: String,
    /// How many orders are not shown.
    more: usize,
    may_end: bool,
    end: &'static str,
}

/// GET: whether it is on, and what must be gone through.
pub(super) async fn show(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    let mut view = visitor.read(&app, "show quarantine", quarantine::show).await?;
    let more = view.to_reconcile.len().saturating_sub(MOST);
    view.to_reconcile.truncate(MOST);
    let page = Page {
        frame: Frame::new(&app, &visitor, "Quarantine after a restore", None)?,
        reason: view.reason.as_deref().map(sentence).unwrap_or_default(),
        since: view.since.map(|since| Zone::default().when(since)).unwrap_or_default(),
        may_end: view.on && visitor.actor().require_installation(Permission::Installation).is_ok(),
        more,
        view,
        end: END,
    };
    draw(StatusCode::OK, &page)
}

async fn question(app: &App, visitor: &Visitor, errors: &Errors) -> Result<Question> {
    let view = visitor.read(app, "show quarantine", quarantine::show).await?;
    if visitor.actor().require_installation(Permission::Installation).is_err() {
        return Err(Error::forbidden("only a provider may end a quarantine"));
    }
    let form = Form::new(END, visitor.token(app, END)?, "End the quarantine").danger();
    let frame = Frame::new(app, visitor, "End the quarantine?", None)?.with(errors);
    let question = Question::new(frame, form).back(PLACE, "Quarantine after a restore");
    if !view.on {
        return Ok(Question { form: None, ..question.lead("The server is not in quarantine.") });
    }
    if !view.to_reconcile.is_empty() {
        let left = match view.to_reconcile.len() {
            1 => "One order has not been gone through yet.".to_owned(),
            many => format!("{many} orders have not been gone through yet."),
        };
        return Ok(Question { form: None, ..question.lead(left).lead("The quarantine ends only when none is left.") });
    }
    Ok(question
        .lead("From then on an order to erase that was found to stand, and every new one, reaches its phone again.")
        .lead("Before you go on: have you gone through the operators of every council, and the providers? Whoever was ended, reset \
               or given another role since the back-up was made is as before."))
}

/// GET: the question, for whoever has just confirmed who he is.
pub(super) async fn show_end(app: Data<App>, visitor: Visitor) -> Result<HttpResponse, Failure> {
    let question = question(&app, &visitor, &Errors::default()).await?;
    if question.form.is_some() && !visitor.is_fresh(&app) {
        return Err(confirm::first(END));
    }
    question.answer()
}

/// POST: ends it.
pub(super) async fn send_end(app: Data<App>, visitor: Visitor, sent: Sent) -> Result<HttpResponse, Failure> {
    let done =
        visitor.change(&app, &sent, "end quarantine", |tx, context| quarantine::end(tx, context).map(drop)).await;
    match done {
        Ok(()) => Ok(go(PLACE)),
        Err(error) => question(&app, &visitor, &errors_or_confirm(error, END)?).await?.answer(),
    }
}
