//! The council's own details: its name, its time zone, and whether very old devices may enrol.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::Permission;
use crate::operations::councils::{self, Change};
use crate::store::councils::Council;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question};
use crate::web::console::visitor::Visitor;

const LABELS: [(&str, &str); 2] = [("name", "Name"), ("time_zone", "Time zone")];

async fn page(app: &App, visitor: &Visitor, name: &str, errors: &Errors) -> Result<(Question, Place)> {
    let name = name.to_owned();
    let council: Council = visitor
        .read(app, "council", move |tx, context| councils::show(tx, context, &name).map(|shown| shown.0))
        .await?;
    if !visitor.may(Permission::Settings, &council.id) {
        return Err(Error::forbidden("your role does not allow this"));
    }
    let place = Place::from(council.clone());
    let action = format!("{}/details", place.home());
    let fields = vec![
        Field::line("name", "Name of the council")
            .hint("As it signs letters. Holders read it on their phones.")
            .value(council.name)
            .most(100),
        Field::line("time_zone", "Time zone")
            .hint("As in Europe/London. All dates and times of the council are shown in it.")
            .value(council.time_zone)
            .most(60)
            .short(),
        Field::choice(
            "old_devices",
            "May very old devices enrol?",
            &[
                ("no", "No (right for nearly every council)"),
                (
                    "yes",
                    "Yes: devices that know only weak encryption (single DES and MD5) may ask for their certificate",
                ),
            ],
        )
        .value(if council.scep_legacy { "yes" } else { "no" }),
    ];
    let form = Form::new(&action, visitor.token(app, &action)?, "Save").fields(fields);
    let frame = Frame::new(app, visitor, "The council\u{2019}s details", Some(&place))?.with(errors);
    let question = Question::new(frame, form)
        .back(format!("{}/settings", place.home()), "Settings")
        .fact("Address", council.public_url)
        .fact("Short name", council.slug)
        .lead("The address can never change: every phone of the council knows it, and cannot be told another one. Keep the name \
               registered, also when the provider changes.");
    Ok((question, place))
}

/// GET: the form.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &path.into_inner(), &Errors::default()).await?.0.answer()
}

/// POST: changes them.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<String>,
) -> Result<HttpResponse, Failure> {
    let name = path.into_inner();
    let (_, place) = page(&app, &visitor, &name, &Errors::default()).await?;
    let scep_legacy = match sent.text("old_devices").as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(Error::invalid("old_devices", "Choose one")),
    };
    let done = match scep_legacy {
        Err(error) => Err(error),
        Ok(legacy) => {
            let change = Change {
                name: Some(sent.text("name")),
                time_zone: Some(sent.text("time_zone").trim().to_owned()),
                scep_legacy: Some(legacy),
            };
            let council = name.clone();
            visitor
                .change(&app, &sent, "change council", move |tx, context| {
                    councils::change(tx, context, &council, &change).map(drop)
                })
                .await
        }
    };
    match done {
        Ok(()) => Ok(go(&format!("{}/settings", place.home()))),
        Err(error) => page(&app, &visitor, &name, &Errors::of(error)?.named(&LABELS)).await?.0.filled(&sent).answer(),
    }
}
