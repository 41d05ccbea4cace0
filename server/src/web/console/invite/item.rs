//! The first question: which item the phone is, one on the register or a new one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};

use super::answers::{Answers, with_answers};
use super::{Choose, Offer};
use crate::app::App;
use crate::error::Result;
use crate::model::AssetKind;
use crate::operations::assets::{self, Listed, Wanted};
use crate::web::console::failure::Failure;
use crate::web::console::form::{Errors, Field};
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

/// How many are shown; with more, one more letter finds fewer.
const MOST: usize = 20;

/// GET: the question.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    answers: Query<Answers>,
) -> Result<HttpResponse, Failure> {
    let place = super::place_of(&app, &visitor, &path.into_inner()).await?;
    page(&app, &visitor, &place, &answers.into_inner(), Errors::default()).await
}

fn offer(place: &Place, listed: Listed) -> Offer {
    let (asset, holders) = (listed.asset, listed.holders);
    let names: Vec<String> = holders.into_iter().map(|holder| holder.name).collect();
    let held = if names.is_empty() { "Held by nobody".to_owned() } else { format!("Held by {}", names.join(", ")) };
    Offer {
        detail: vec![format!("{} {}", asset.make, asset.model).trim().to_owned(), held],
        place: with_answers(&format!("{}/invite/holder", place.home()), &[("asset", asset.id.to_string())]),
        words: "Invite for this one",
        what: asset.tag,
    }
}

/// The question, with what was wrong with the answer.
pub(super) async fn page(
    app: &App,
    visitor: &Visitor,
    place: &Place,
    answers: &Answers,
    mut errors: Errors,
) -> Result<HttpResponse, Failure> {
    let asked: String = answers.find.as_deref().unwrap_or_default().trim().chars().take(60).collect();
    let mut found = None;
    if answers.find.is_some() && asked.is_empty() {
        errors = Errors::one("find", "Enter a name, a tag or a serial number");
    } else if answers.find.is_some() {
        let wanted = Wanted { search: Some(asked.clone()), ..Wanted::default() };
        let council = place.id.to_string();
        let looked = visitor
            .read(app, "find item", move |tx, context| {
                assets::list(tx, context, &council, &wanted, None, MOST as i64 + 1)
            })
            .await;
        match looked {
            Ok(listed) => found = Some(listed),
            Err(error) => errors = Errors::of(error)?,
        }
    }
    let phones = [AssetKind::Phone.as_str(), AssetKind::Tablet.as_str()];
    let more = found.as_ref().is_some_and(|found| found.len() > MOST);
    let found = found.map(|found: Vec<Listed>| {
        let fit = found.into_iter().take(MOST).filter(|listed| phones.contains(&listed.asset.kind.as_str()));
        fit.map(|listed| offer(place, listed)).collect()
    });
    let text = |answer: &Option<String>| answer.clone().unwrap_or_default();
    let fields = vec![
        Field::line("tag", "Tag")
            .hint("What is on its label, or what you will put on it: GPC-014, for example.")
            .value(text(&answers.tag))
            .most(40)
            .short(),
        Field::choice("kind", "What is it?", &[("phone", "A phone"), ("tablet", "A tablet")])
            .value(text(&answers.kind)),
        Field::line("make", "Who makes it?")
            .hint("Apple or Samsung, for example.")
            .value(text(&answers.make))
            .most(60)
            .short(),
        Field::line("model", "Model")
            .hint("Leave this empty if you do not know it.")
            .value(text(&answers.model))
            .most(60)
            .short(),
    ];
    let page = Choose {
        frame: Frame::new(app, visitor, "Which phone or tablet is it?", Some(place))?.with(&errors),
        back: (format!("{}/devices", place.home()), "All devices"),
        lead: vec!["There are three questions. Nothing is kept until you have answered the last.".to_owned()],
        offers: Vec::new(),
        search: format!("{}/invite", place.home()),
        hidden: Vec::new(),
        label: "Find it on the register",
        hint: "The start of the tag, of the holder\u{2019}s name or of the serial number.",
        problem: errors.about("find"),
        asked,
        found,
        more,
        new_heading: "It is not on the register yet",
        new_place: format!("{}/invite/holder", place.home()),
        new_fields: fields.into_iter().map(|field| field.marked(&errors)).collect(),
    };
    draw(if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
}
