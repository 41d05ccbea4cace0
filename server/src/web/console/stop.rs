//! The page behind the link in a mail about one-operator working: one button, no account, and it can only stop something.

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, Query, ServiceConfig, get, post};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::failure::{Failure, not_found};
use super::form::{Form, Sent};
use super::form_token;
use super::guard;
use super::page::{Frame, Question};
use super::sign_in::stranger;
use crate::app::App;
use crate::model::Actor;
use crate::operations::one_operator::{self, Stopped};

const HERE: &str = "/stop";

/// The public page, under one short address.
pub(super) fn configure(config: &mut ServiceConfig) {
    config.service(
        web::scope("/stop")
            .wrap(from_fn(guard::guard))
            .route("", get().to(show))
            .route("", post().to(send))
            .default_service(web::to(async || not_found())),
    );
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    code: String,
}

/// GET: what the link is about, and the button. Mail programs that look at links beforehand change nothing by it.
async fn show(app: Data<App>, request: HttpRequest, link: Query<Link>) -> Result<HttpResponse, Failure> {
    page(&app, &request, &link.code).await
}

async fn page(app: &App, request: &HttpRequest, code: &str) -> Result<HttpResponse, Failure> {
    let stranger = stranger(request)?;
    let wanted = code.to_owned();
    let found = app.database.read("look at a stop link", move |tx| one_operator::look(tx, &wanted)).await?;
    let Some(found) = found else {
        return Question::plain(Frame::open("This link is not known"))
            .lead("Copy the whole address from the newest mail that you were sent, and try again.")
            .lead("If you cannot, ring the council's office: any operator can cancel an order.")
            .answer();
    };
    let about_order = found.item.is_some();
    let question = |title: String, form: Option<Form>| {
        let frame = Frame::open(title);
        let mut question = match form {
            Some(form) => Question::new(frame, form),
            None => Question::plain(frame),
        };
        question = question.fact("Council", found.council.clone());
        match &found.item {
            Some(item) => question.fact("Item", format!("{} ({} {})", item.tag, item.make, item.model)),
            None => question,
        }
    };
    match &found.state {
        Stopped::Possible => {
            let button = if about_order { "Stop it" } else { "Do not allow this" };
            let token = form_token::issue(&app.keys, &stranger.binding, HERE, app.clock.now())?;
            let form = Form::new(HERE, token, button).hidden("code", code);
            match &found.item {
                Some(item) => question(format!("Stop the order to erase {}?", item.tag), Some(form))
                    .lead("Somebody asked to erase it. Unless it is stopped, that happens 30 minutes after those named for it were told by mail.")
                    .lead("If you stop it, it is held. It goes on only when the council's operator has it begin anew, and then you are told again."),
                None => question("Shall one operator work alone?".to_owned(), Some(form)).lead(
                    "Somebody announced that one operator may have a lost phone erased without a second person. If you do not \
                     allow it, two people must agree, as before.",
                ),
            }
        }
        Stopped::Done if found.in_doubt => question("It was asked back".to_owned(), None)
            .lead("Google has the order already and was asked to take it back. It has not answered yet, so the phone may be erased all the same.")
            .lead("Ring the council's office now: the order's page shows what Google answers."),
        Stopped::Done if about_order => question("It is stopped".to_owned(), None)
            .lead("Nothing is sent to the phone. Speak with the council's office now: only the council's people can cancel it, or have it begin anew."),
        Stopped::Done => question("It is not allowed".to_owned(), None)
            .lead("Two people must agree before a phone is erased. The council's operators see that you decided this."),
        Stopped::TooLate(words) => question("There is nothing left to stop".to_owned(), None)
            .lead(words.clone())
            .lead("If you did not expect this, ring the council's office now."),
    }
    .answer()
}

/// POST: stops it.
async fn send(app: Data<App>, request: HttpRequest, sent: Sent) -> Result<HttpResponse, Failure> {
    let (code, context) = (sent.text("code"), app.context(Actor::System));
    let stopped = code.clone();
    app.database.write("stop by a link", move |tx| one_operator::stop(tx, &context, &stopped).map(drop)).await?;
    page(&app, &request, &code).await
}
