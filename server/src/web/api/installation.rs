//! Keeping the installation, over the control socket alone: backup, sealing key, set-up code.

use std::path::PathBuf;

use actix_web::web::{self, Json};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, post};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::error::Error;
use crate::maintenance::{self, Rotated, Rotation};
use crate::model::Permission;
use crate::operations::installation;
use crate::web::LocalPeer;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(backup).service(seal_rotation).service(set_up_code);
}

/// Refuses whoever is not on this machine: these touch files, and a stolen account must not reach those.
fn local(request: &HttpRequest, caller: &Caller) -> Result<(), Error> {
    caller.actor.require_installation(Permission::Installation)?;
    match request.conn_data::<LocalPeer>() {
        Some(LocalPeer) => Ok(()),
        None => Err(Error::forbidden("this is done on the server's own machine, with the command line")),
    }
}

/// Where a backup goes.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBackup {
    /// A file that does not exist yet, as an absolute path; a dated one in the data folder unless given.
    #[schema(value_type = Option<String>)]
    file: Option<PathBuf>,
    /// Whether the sealing key goes into the file.
    #[serde(default)]
    with_key: bool,
}

/// A backup that was made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Backup {
    /// The file.
    file: String,
    /// How many rows are in it.
    rows: u64,
    /// Whether the sealing key is in it.
    with_key: bool,
}

/// Writes a backup to a file on the server's machine. Through the control socket only.
#[utoipa::path(tag = "installation", responses((status = CREATED, body = Backup)), extensions(("x-not-repeated" = json!(true))))]
#[post("/backup")]
async fn backup(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    body: Json<NewBackup>,
) -> Result<HttpResponse, Problem> {
    local(&request, &caller)?;
    let body = body.into_inner();
    let file = match body.file {
        Some(file) if file.is_absolute() => file,
        Some(_) => return Err(Error::invalid("file", "must be an absolute path").into()),
        None => std::path::absolute(maintenance::default_backup_file(&app)).map_err(Error::internal)?,
    };
    let done = maintenance::backup(&app, &file, body.with_key).await?;
    let (context, written) = (app.context(caller.actor.clone()), file.display().to_string());
    app.database
        .write("record a backup", move |tx| {
            installation::record_backup(tx, &context, &written, done.rows, done.with_key)
        })
        .await?;
    let made = Backup { file: file.display().to_string(), rows: done.rows, with_key: done.with_key };
    Ok(HttpResponse::Created().json(made))
}

/// Which step of a rotation.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SealRotation {
    /// The step; a new key unless given.
    #[serde(default)]
    step: Rotation,
}

/// Exchanges the sealing key, step by step. Through the control socket only.
#[utoipa::path(tag = "installation", responses((status = OK, body = Rotated)), extensions(("x-not-repeated" = json!(true))))]
#[post("/seal/rotate")]
async fn seal_rotation(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    body: Json<SealRotation>,
) -> Result<Json<Rotated>, Problem> {
    local(&request, &caller)?;
    Ok(Json(maintenance::rotate(&app, caller.actor.clone(), body.step).await?))
}

/// A code for the first operator.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SetUpCode {
    /// The code, good once.
    code: String,
}

/// Makes the set-up code again, while there is no operator. Through the control socket only.
#[utoipa::path(tag = "installation", responses((status = CREATED, body = SetUpCode)))]
#[post("/set-up-code")]
async fn set_up_code(app: web::Data<App>, caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    local(&request, &caller)?;
    caller
        .write(&app, "set-up code", StatusCode::CREATED, |tx, context| {
            installation::renew_set_up_code(tx, context).map(|code| SetUpCode { code })
        })
        .await
}
