//! The council's push certificate, step by step: make the request, have Apple answer it, bring the answer back.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Data, Path};
use askama::Template;

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::PushCertificateState;
use crate::operations::push_certificates::{self, Status};
use crate::web::console::failure::{Failure, go};
use crate::web::console::form::{Errors, Field, Form, Sent};
use crate::web::console::page::{Frame, Place, draw};
use crate::web::console::visitor::Visitor;
use crate::web::push_certificates::{make_request, read_certificate};

#[derive(Template)]
#[template(path = "console/apple.html")]
struct Page {
    frame: Frame,
    place: Place,
    serving: Vec<Vec<(&'static str, String)>>,
    renewal: bool,
    /// Whether the provider's vendor certificate signs requests.
    vendor: bool,
    requested: Option<String>,
    ask: Form,
    bring: Form,
}

fn facts(place: &Place, status: &Status) -> Vec<(&'static str, String)> {
    let unknown = || "Not known".to_owned();
    vec![
        ("Good until", status.not_after.map_or_else(unknown, |end| place.zone.when(end))),
        ("Days left", status.days_left.map_or_else(unknown, |days| days.to_string())),
        ("Made with the Apple Account", status.apple_account.clone().unwrap_or_else(unknown)),
        ("Topic", status.topic.clone().unwrap_or_else(unknown)),
        ("Phones that need it", status.phones.to_string()),
    ]
}

/// GET: where it stands, and the steps.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    page(&app, &visitor, &path.into_inner(), None, &Errors::default()).await
}

async fn page(
    app: &App,
    visitor: &Visitor,
    name: &str,
    sent: Option<&Sent>,
    errors: &Errors,
) -> Result<HttpResponse, Failure> {
    let (council, place) = super::council_of(app, visitor, name).await?;
    let id = council.id.clone();
    let all =
        visitor.read(app, "push certificates", move |tx, context| push_certificates::status(tx, context, &id)).await?;
    let serves =
        |status: &&Status| matches!(status.state, PushCertificateState::Current | PushCertificateState::Retiring);
    let renewal = all.iter().any(|status| serves(&status));
    let here = format!("{}/apple", place.home());
    let asking = format!("{here}/request");
    let button = if renewal { "Make a request for the renewal" } else { "Make the request" };
    let mut fields = vec![
        Field::lines("certificate", "The certificate that Apple gave you")
            .hint("Choose the file that ends in .pem, or open it and copy all of its text into this box.")
            .most(20_000),
        Field::line("apple_account", "The Apple Account that you used")
            .hint("It alone can renew the certificate in a year, so it is kept here.")
            .most(200),
    ];
    if renewal {
        let another = Field::choice(
            "new_topic",
            "Is it a renewal of the present certificate?",
            &[("no", "Yes"), ("yes", "No, a new one: every iPhone and iPad then has to enrol again")],
        );
        fields.push(another.value("no"));
    }
    let bring = Form::new(&here, visitor.token(app, &here)?, "Take it into use").fields(fields);
    let bring = match sent {
        Some(sent) => bring.filled(sent),
        None => bring,
    };
    let requested = all.iter().find(|status| status.state == PushCertificateState::Requested);
    let page = Page {
        frame: Frame::new(app, visitor, "Connect to Apple", Some(&place))?.with(errors),
        serving: all.iter().filter(serves).map(|status| facts(&place, status)).collect(),
        vendor: app.config.vendor.certificate.is_some() && app.config.vendor.key.is_some(),
        requested: requested.map(|status| place.zone.when(status.requested_at)),
        ask: Form::new(&asking, visitor.token(app, &asking)?, button),
        bring: bring.marked(errors),
        renewal,
        place,
    };
    draw(if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
}

/// POST: makes the request, as a file to save.
pub(super) async fn request(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    let (council, _) = super::council_of(&app, &visitor, &path.into_inner()).await?;
    let slug = council.slug.clone();
    let made = make_request(&app, council).await?;
    let (row, text) = (made.row, made.vendor_signed.unwrap_or(made.csr_pem));
    // The same form sent again gives the same request, for which the key is kept.
    let text = visitor
        .change(&app, &sent, "request push certificate", move |tx, context| {
            push_certificates::request(tx, context, &row)?;
            Ok(text.clone())
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/octet-stream"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"push-request-{slug}.txt\"")))
        .body(text))
}

/// POST: takes Apple's answer into use.
pub(super) async fn import(
    app: Data<App>,
    visitor: Visitor,
    path: Path<String>,
    sent: Sent,
) -> Result<HttpResponse, Failure> {
    let name = path.into_inner();
    let (council, place) = super::council_of(&app, &visitor, &name).await?;
    match take(&app, &visitor, council.id, &sent).await {
        Ok(()) => Ok(go(&format!("{}/apple", place.home()))),
        Err(Error::Invalid { field, problem }) => {
            let subject = if field == "apple_account" { "The Apple Account" } else { "The certificate" };
            let errors = Errors::one(&field, &format!("{subject} {problem}"));
            page(&app, &visitor, &name, Some(&sent), &errors).await
        }
        Err(error) => page(&app, &visitor, &name, Some(&sent), &Errors::of(error)?).await,
    }
}

async fn take(app: &App, visitor: &Visitor, council: crate::model::CouncilId, sent: &Sent) -> Result<()> {
    let id = council.clone();
    let candidates = visitor
        .read(app, "keys for an import", move |tx, context| push_certificates::candidates(tx, context, &id))
        .await?;
    let account = sent.text("apple_account").trim().to_owned();
    let new_topic = sent.text("new_topic") == "yes";
    let import = read_certificate(app, candidates, sent.text("certificate"), account, new_topic).await?;
    visitor
        .change(app, sent, "import push certificate", move |tx, context| {
            push_certificates::import(tx, context, &council, &import).map(drop)
        })
        .await
}
