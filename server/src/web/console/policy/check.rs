//! What a change of the policy would change, and for whom, before it is saved.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;

use super::{Changed, Wanted, changed, questions, setting};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::CONFIRM_FIRST;
use crate::operations::policies::{self, Draft};
use crate::web::console::confirm;
use crate::web::console::devices::mode_words;
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;

#[derive(Template)]
#[template(path = "console/policy_check.html")]
struct Page {
    frame: Frame,
    back: String,
    changes: Vec<Changed>,
    phones: Vec<(&'static str, i64)>,
    form: Option<Form>,
}

/// GET: the change.
pub(super) async fn show(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &path.into_inner(), &wanted.into_inner(), &Errors::default()).await
}

/// An error under the names of the setting's own page.
fn beside(error: Error, wanted: &Wanted) -> Result<Errors, Failure> {
    match error {
        Error::Invalid { field, problem } => {
            let own = wanted.setting.as_deref() == Some(field.as_str());
            let field = if own { "value" } else { "" };
            let words = if own { problem } else { format!("{}: {problem}", questions::words(field)) };
            Errors::of(Error::invalid(field, words))
        }
        other => Errors::of(other),
    }
}

async fn page(
    app: &App,
    visitor: &Visitor,
    council: &str,
    wanted: &Wanted,
    errors: &Errors,
) -> Result<HttpResponse, Failure> {
    let (place, may_change) = super::place_of(app, visitor, council).await?;
    let (id, base, changes) = (place.id.clone(), wanted.base()?, wanted.changes());
    let drafted = visitor
        .read(app, "draft a policy", move |tx, context| policies::draft(tx, context, &id, &base, &changes))
        .await;
    let draft = match drafted {
        Ok(draft) => draft,
        Err(error) if wanted.setting.is_some() => {
            let errors = beside(error, wanted)?;
            return setting::page(app, visitor, &place, may_change, wanted, &errors).await;
        }
        Err(error) => return Err(error.into()),
    };
    drawn(app, visitor, &place, wanted, &draft, errors)
}

fn drawn(
    app: &App,
    visitor: &Visitor,
    place: &Place,
    wanted: &Wanted,
    draft: &Draft,
    errors: &Errors,
) -> Result<HttpResponse, Failure> {
    let action = format!("{}/policy/check", place.home());
    let back = match &wanted.setting {
        Some(setting) => format!("{}/policy/settings/{setting}", place.home()),
        None if wanted.preset.is_some() => format!("{}/policy/presets", place.home()),
        None => format!("{}/policy/history", place.home()),
    };
    let mut form = None;
    if !draft.differences.is_empty() || draft.present == 0 {
        let why = Field::line("note", "Why (optional)").hint("It stands in the policy\u{2019}s history.");
        let mut asked = Form::new(&action, visitor.token(app, &action)?, "Save the policy")
            .fields(vec![why])
            .hidden("expected", &draft.present.to_string());
        for (name, value) in wanted.fields() {
            asked = asked.hidden(name, &value);
        }
        form = Some(asked.marked(errors));
    }
    let title = if form.is_some() { "Is this what should change?" } else { "Nothing would change" };
    let page = Page {
        frame: Frame::new(app, visitor, title, Some(place))?.with(errors),
        back,
        changes: changed(&draft.differences),
        phones: draft.phones.iter().map(|(mode, count)| (mode_words(*mode), *count)).collect(),
        form,
    };
    draw(if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
}

/// Where the same change is looked at once more, after it was confirmed who it is.
fn address(place: &Place, wanted: &Wanted) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in wanted.fields() {
        query.append_pair(name, &value);
    }
    format!("{}/policy/check?{}", place.home(), query.finish())
}

/// POST: saves it, unless another change came first.
pub(super) async fn send(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    let council = path.into_inner();
    let wanted = Wanted {
        setting: sent.given("setting"),
        value: sent.fields.get("value").cloned(),
        acknowledged: sent.given("acknowledged"),
        preset: sent.given("preset"),
        version: sent.given("version"),
    };
    let (place, _) = super::place_of(&app, &visitor, &council).await?;
    let (base, changes) = (wanted.base()?, wanted.changes());
    let present: i64 = sent.text("expected").parse().map_err(|_| Error::NotFound("change"))?;
    let (id, note) = (place.id.clone(), sent.text("note"));
    let saved = visitor
        .change(&app, &sent, "change policy", move |tx, context| {
            policies::change_from(tx, context, &id, present, &base, &changes, &note).map(|version| version.version)
        })
        .await;
    match saved {
        Ok(_) => Ok(go(&format!("{}/policy", place.home()))),
        Err(Error::Forbidden(words)) if words == CONFIRM_FIRST => Err(confirm::first(&address(&place, &wanted))),
        Err(error) => page(&app, &visitor, &council, &wanted, &beside(error, &wanted)?).await,
    }
}
