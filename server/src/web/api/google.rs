//! Google over the API: the installation's project, a council's connection, and the code by which an Android phone enrols.

use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpResponse, delete, get, post, put};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;
use zeroize::Zeroizing;

use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::error::{Error, Result};
use crate::google::{self, Code};
use crate::model::{InvitationId, Moment, Permission};
use crate::operations::android::connect::{self, GoogleStatus};
use crate::operations::councils;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(set_project).service(sign_up).service(status).service(disconnect).service(android_code);
}

/// A service account's key.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ProjectKey {
    /// The key file that Google's console gave, as it is: JSON text. It is kept sealed and never shown again.
    key_file: String,
}

/// The project that is connected.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ProjectView {
    /// Google's id of it.
    project: String,
}

/// Connects the installation's project at Google, for all its councils, with the key of its service account. The key is tried
/// at Google first. Google must have approved the project; see the guide.
#[utoipa::path(tag = "google", responses((status = OK, body = ProjectView)), extensions(("x-not-repeated" = json!(true))))]
#[put("/google/project")]
async fn set_project(
    app: web::Data<App>,
    caller: Caller,
    body: Json<ProjectKey>,
) -> Result<Json<ProjectView>, Problem> {
    let key = Zeroizing::new(body.into_inner().key_file.into_bytes());
    let context = caller.context(&app);
    let project = google::connect_project(&app, context, key).await?;
    Ok(Json(ProjectView { project }))
}

/// A sign-up that was begun.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SignUpView {
    /// Google's page, to be opened by whoever is to own the council's enterprise; it leads back here.
    url: String,
    /// What to know before opening it.
    what_next: &'static str,
}

const SIGN_UP: &str = "Open the address within two hours, signed in with a Google Account that belongs to the council and will \
                       not be lost: it owns the enterprise. Google's page leads back to Beadle, which finishes the connection.";

/// Begins a council's sign-up at Google.
#[utoipa::path(tag = "google", responses((status = CREATED, body = SignUpView)), extensions(("x-not-repeated" = json!(true))))]
#[post("/councils/{council}/google/sign-up")]
async fn sign_up(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let name = path.into_inner();
    let council = caller
        .read(&app, "council for a sign-up", move |tx, context| {
            councils::permitted(tx, context, &name, Permission::Settings)
        })
        .await?;
    let context = caller.context(&app);
    let url = google::begin_sign_up(&app, context, council).await?;
    Ok(HttpResponse::build(StatusCode::CREATED).json(SignUpView { url, what_next: SIGN_UP }))
}

/// Shows where a council's connection to Google stands.
#[utoipa::path(tag = "google", responses((status = OK, body = GoogleStatus)))]
#[get("/councils/{council}/google")]
async fn status(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<Json<GoogleStatus>, Problem> {
    let name = path.into_inner();
    caller
        .read(&app, "google status", move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Read)?;
            connect::status(tx, context, &council)
        })
        .await
        .map(Json)
}

/// Ends a council's connection. Refused while Android phones are enrolled; the enterprise stays at Google.
#[utoipa::path(tag = "google", responses((status = OK, body = GoogleStatus)))]
#[delete("/councils/{council}/google")]
async fn disconnect(app: web::Data<App>, caller: Caller, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let name = path.into_inner();
    caller
        .write(&app, "disconnect google", StatusCode::OK, move |tx, context| {
            let council = councils::permitted(tx, context, &name, Permission::Settings)?;
            connect::disconnect(tx, context, &council)?;
            connect::status(tx, context, &council)
        })
        .await
}

/// What an Android phone enrols by. Whoever has it can enrol a phone with it, once.
#[derive(Serialize, utoipa::ToSchema)]
struct CodeView {
    /// For a council phone in factory state: the text of the code that it scans.
    text: Option<String>,
    /// For a personal phone: the link that it opens.
    link: Option<String>,
    /// Either as a picture to scan, SVG.
    svg: String,
    /// Until when it is good.
    expires_at: Moment,
}

/// Makes the code by which an invited Android phone enrols, once its holder has accepted the notice. A council phone scans it in
/// factory state within an hour; a personal phone opens it as a link.
#[utoipa::path(tag = "invitations", responses((status = CREATED, body = CodeView)), extensions(("x-not-repeated" = json!(true))))]
#[post("/invitations/{invitation}/android-code")]
async fn android_code(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<InvitationId>,
) -> Result<HttpResponse, Problem> {
    let context = caller.context(&app);
    let view = match google::code_as_operator(&app, context, path.into_inner()).await? {
        Code::Scan { text, expires_at } => {
            CodeView { svg: picture(&text)?, text: Some(text.to_string()), link: None, expires_at }
        }
        Code::Link { link, expires_at } => {
            CodeView { svg: picture(&link)?, text: None, link: Some(link.to_string()), expires_at }
        }
    };
    Ok(HttpResponse::build(StatusCode::CREATED).json(view))
}

/// A code as a picture.
pub(crate) fn picture(text: &str) -> Result<String> {
    let code = QrCode::new(text.as_bytes()).map_err(|_| Error::internal("the code is too long for a picture"))?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(320, 320).quiet_zone(true).build())
}
