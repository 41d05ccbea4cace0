//! Handing an item over: to whom, and then since when and together with whom.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

use super::{holders, is_managed, place_of};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{AssetId, PersonId};
use crate::operations::{assets, people};
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, Question, draw};
use crate::web::console::visitor::Visitor;

/// How many are shown; with more, one more letter finds fewer.
const MOST: usize = 20;

/// Who is looked for.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    find: Option<String>,
}

#[derive(Template)]
#[template(path = "console/hand_over.html")]
struct Choose {
    frame: Frame,
    place: Place,
    here: String,
    holders: Vec<String>,
    asked: String,
    found: Option<Vec<(String, String)>>,
    more: bool,
}

/// GET: to whom?
pub(super) async fn choose(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failure> {
    let id = AssetId::from(path.into_inner());
    let (place, shown) = super::changeable(&app, &visitor, &id).await?;
    let find = asked.into_inner().find;
    let text: String = find.as_deref().unwrap_or_default().trim().chars().take(60).collect();
    let (mut errors, mut found) = (Errors::default(), None);
    if find.is_some() && text.is_empty() {
        errors = Errors::one("find", "Enter the start of a name");
    } else if find.is_some() {
        let (council, search) = (place.id.to_string(), text.clone());
        let looked = visitor
            .read(&app, "find person", move |tx, context| people::find(tx, context, &council, &search, MOST as i64 + 1))
            .await;
        match looked {
            Ok(people) => found = Some(people),
            Err(error) => errors = Errors::of(error)?,
        }
    }
    let more = found.as_ref().is_some_and(|found| found.len() > MOST);
    let here = place_of(&id);
    let offer = |person: crate::store::people::Person| (person.name, format!("{here}/hand-over/{}", person.id));
    let page = Choose {
        frame: Frame::new(&app, &visitor, format!("Who takes {}?", shown.asset.tag), Some(&place))?.with(&errors),
        found: found.map(|found| found.into_iter().take(MOST).map(offer).collect()),
        holders: holders(&shown).into_iter().map(str::to_owned).collect(),
        here: here.clone(),
        asked: text,
        more,
        place,
    };
    draw(if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
}

async fn page(app: &App, visitor: &Visitor, id: &AssetId, person: &PersonId, errors: &Errors) -> Result<Question> {
    let (place, shown) = super::changeable(app, visitor, id).await?;
    let wanted = person.clone();
    let (taker, _) = visitor.read(app, "show person", move |tx, context| people::show(tx, context, &wanted)).await?;
    if taker.council_id != place.id {
        return Err(Error::NotFound("person"));
    }
    let action = format!("{}/hand-over/{person}", place_of(id));
    let now = holders(&shown);
    let mut fields = Vec::new();
    if !now.is_empty() {
        let words = "Do those who hold it now keep it, too?";
        let choices = [("no", "No, it changes hands"), ("yes", "Yes, they share it")];
        fields.push(Field::choice("shared", words, &choices).value("no"));
    }
    fields.push(since_field());
    let form = Form::new(&action, visitor.token(app, &action)?, "Hand it over").fields(fields);
    let title = format!("Hand {} to {}", shown.asset.tag, taker.name);
    let frame = Frame::new(app, visitor, title, Some(&place))?.with(errors);
    let mut question = Question::new(frame, form)
        .back(format!("{}/hand-over", place_of(id)), "Choose somebody else")
        .fact("Item", format!("{} {}", shown.asset.make, shown.asset.model).trim())
        .fact("Held by", if now.is_empty() { "Nobody".to_owned() } else { now.join(", ") });
    if is_managed(&shown) && !now.is_empty() {
        question = question.lead(
            "It is handed over as it is, with everything that is on it. If somebody else\u{2019}s messages are on it, begin \
             its return from the page of whoever holds it, so that it is erased first.",
        );
    }
    Ok(question)
}

/// Its label, for what is wrong with it.
pub(super) const AT: [(&str, &str); 1] = [("at", "The time")];

/// The field for the day of the hand-over.
pub(super) fn since_field() -> Field {
    Field::moment("at", "When was it? (optional)").hint("Leave this empty if it is now.").short()
}

fn ids(path: Path<(String, String)>) -> (AssetId, PersonId) {
    let (asset, person) = path.into_inner();
    (AssetId::from(asset), PersonId::from(person))
}

/// GET: since when, and together with whom?
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (asset, person) = ids(path);
    page(&app, &visitor, &asset, &person, &Errors::default()).await?.answer()
}

/// POST: hands it over.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    sent: Sent,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (id, person) = ids(path);
    let (place, _) = super::changeable(&app, &visitor, &id).await?;
    let done = match place.zone.entered("at", &sent.text("at")) {
        Err(error) => Err(error),
        Ok(at) => {
            let (asset, takers, shared) = (id.clone(), [person.clone()], sent.text("shared") == "yes");
            visitor
                .change(&app, &sent, "hand over", move |tx, context| {
                    assets::hand_over_at(tx, context, &asset, &takers, shared, at).map(drop)
                })
                .await
        }
    };
    match done {
        Ok(()) => Ok(go(&place_of(&id))),
        Err(error) => page(&app, &visitor, &id, &person, &Errors::of(error)?.named(&AT)).await?.filled(&sent).answer(),
    }
}
