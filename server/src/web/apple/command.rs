//! The command channel: an answer comes in, the next command goes out. A visit that is given nothing, or a question, costs one
//! snapshot and no write of its own.

use actix_web::web::{self, Path};
use actix_web::{HttpRequest, HttpResponse};
use zeroize::Zeroizing;

use super::profile::tls_roots;
use super::{bare, bypass_code, read_body, refuse, signer, tell_of_misuse};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Actor, CommandId, CouncilId, Platform};
use crate::operations::check_in::{self, Identified, Misuse};
use crate::operations::commands::{self, Answer, AnswerStatus, Glance, Material, Next, Visit};
use crate::operations::{Context, policies};
use crate::platform::apple::message::{Report, Status, Who, parse_report};
use crate::platform::apple::profile::{CouncilFacts, EnrolmentFacts, enrolment_profile};
use crate::platform::{self, Unsupported, Wire};
use crate::sealing::Purpose;
use crate::store::Transaction;
use crate::store::certificates::Certificate;
use crate::store::commands::CommandRow;
use crate::store::enrolments::{Caller, Enrolment};

/// The most that an answer may have, in bytes: a list of many hundred apps fits.
const LIMIT: usize = 4 * 1024 * 1024;
/// How many commands that cannot be made are passed over in one answer.
const MOST_PASSED_OVER: usize = 20;

/// PUT: Idle, or an answer; the reply is the next command, or nothing.
pub(super) async fn receive(
    app: web::Data<App>,
    council: Path<String>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let body = match read_body(&request, payload, LIMIT).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let fingerprint = match signer(&request, &body) {
        Ok(fingerprint) => fingerprint,
        Err(refused) => return refused,
    };
    let (who, visit, code) = match parse_report(&body) {
        Ok(mut report) => {
            let code = bypass_code::take(&mut report);
            let (who, visit) = read_visit(report);
            (who, visit, code)
        }
        // One answer that cannot be read must not hold up the queue: its sender is known all the same.
        Err(problem) => {
            tracing::warn!(%problem, "an answer cannot be read");
            let unreadable = Answer {
                command: None,
                status: AnswerStatus::Unreadable,
                report: serde_json::Value::Null,
                bypass_code: None,
            };
            (Who::default(), Visit::Answers(unreadable), None)
        }
    };
    let council = CouncilId::from(council.into_inner());
    let visit = match bypass_code::seal_into(&app, &council, &fingerprint, &who, visit, code).await {
        Ok(visit) => visit,
        Err(problem) => return bare(&problem),
    };
    match serve(&app, council, fingerprint, who, visit).await {
        Ok(Served::Nothing) => HttpResponse::Ok().finish(),
        Ok(Served::Command(Wire::Apple(message))) => {
            HttpResponse::Ok().content_type("application/xml; charset=UTF-8").body(message)
        }
        Ok(Served::Command(Wire::Android(_))) => {
            bare(&Error::internal("a message for an Android phone has no place at Apple's door"))
        }
        Ok(Served::Refused(reason)) => refuse(reason),
        Err(problem) => bare(&problem),
    }
}

enum Served {
    Nothing,
    Command(Wire),
    Refused(&'static str),
}

fn read_visit(report: Report) -> (Who, Visit) {
    let status = match report.status {
        Status::Idle => return (report.who, Visit::Begins),
        Status::Acknowledged => AnswerStatus::Acknowledged,
        Status::NotNow => AnswerStatus::NotNow,
        Status::Error | Status::CommandFormatError => AnswerStatus::Failed { codes: report.codes, text: report.text },
    };
    // Ids are made in small letters; some devices give them back in capitals.
    let command = report.command.map(|id| CommandId::from(id.to_lowercase()));
    (report.who, Visit::Answers(Answer { command, status, report: report.body, bypass_code: None }))
}

/// What the snapshot shows of a visit that begins.
enum Look {
    Known(Box<Enrolment>, Glance),
    /// It renewed its identity, which is to be taken over first.
    Renewed,
    Refused(&'static str),
    Misused(Box<Certificate>, Misuse),
}

#[expect(clippy::large_enum_variant, reason = "one is made for each visit, and used at once")]
enum Claimed {
    Refused(&'static str),
    Next(Box<Enrolment>, Option<Next>),
}

async fn serve(app: &App, council: CouncilId, fingerprint: String, who: Who, visit: Visit) -> Result<Served> {
    let context = app.context(Actor::System);
    let answered = match &visit {
        Visit::Begins => None,
        Visit::Answers(answer) => answer.command.clone(),
    };
    if visit == Visit::Begins {
        match look(app, &context, &council, &fingerprint, &who).await? {
            Look::Known(enrolment, Glance::Nothing) => {
                note_visit(app, &context, &enrolment);
                return Ok(Served::Nothing);
            }
            Look::Known(enrolment, Glance::Question(row)) => {
                // One that cannot be made is left to the transaction, which ends it.
                if let Ok(wire) = encode(app, &enrolment, &row, &Material::None) {
                    note_visit(app, &context, &enrolment);
                    app.sightings.given(&enrolment, row.id, context.now);
                    return Ok(Served::Command(wire));
                }
            }
            Look::Known(_, Glance::Waits) | Look::Renewed => {}
            Look::Refused(reason) => return Ok(Served::Refused(reason)),
            Look::Misused(certificate, how) => {
                return tell_of_misuse(app, certificate, how).await.map(Served::Refused);
            }
        }
    }
    let noting = context.clone();
    let claimed = app
        .database
        .write("apple command", move |tx| {
            let caller = match check_in::identify(tx, &council, &fingerprint, who.id())? {
                Identified::Refused(reason) => return Ok(Claimed::Refused(reason)),
                Identified::Misused(certificate, how) => {
                    check_in::refuse_misuse(tx, &context, &certificate, how)?;
                    return Ok(Claimed::Refused(how.words()));
                }
                Identified::Pinned(caller) => *caller,
                Identified::Renewed(caller, certificate) => {
                    let context = check_in::as_device(&context, &caller.enrolment);
                    check_in::adopt_renewal(tx, &context, &caller.enrolment, &certificate)?;
                    Caller { enrolment: check_in::current(tx, &caller.enrolment)?, ..*caller }
                }
            };
            let context = check_in::as_device(&context, &caller.enrolment);
            let enrolment = Box::new(caller.enrolment.clone());
            let next = commands::settle_and_claim(tx, &context, caller, &visit)?;
            Ok(Claimed::Next(enrolment, next))
        })
        .await?;
    match claimed {
        Claimed::Refused(reason) => Ok(Served::Refused(reason)),
        Claimed::Next(enrolment, next) => {
            note_visit(app, &noting, &enrolment);
            if let Some(answered) = answered {
                app.sightings.answered(&enrolment, &answered);
            }
            write_out(app, &enrolment, next).await
        }
    }
}

async fn look(app: &App, context: &Context, council: &CouncilId, fingerprint: &str, who: &Who) -> Result<Look> {
    let (context, council, fingerprint, who) = (context.clone(), council.clone(), fingerprint.to_owned(), who.clone());
    let look = move |tx: &mut Transaction<'_>| {
        Ok(match check_in::identify(tx, &council, &fingerprint, who.id())? {
            Identified::Refused(reason) => Look::Refused(reason),
            // Told already: a stranger who keeps knocking costs no write.
            Identified::Misused(certificate, how) if check_in::is_told(tx, &certificate)? => Look::Refused(how.words()),
            Identified::Misused(certificate, how) => Look::Misused(certificate, how),
            Identified::Renewed(..) => Look::Renewed,
            Identified::Pinned(caller) => {
                let glance = commands::glance(tx, &context, &caller)?;
                Look::Known(Box::new(caller.enrolment), glance)
            }
        })
    };
    app.database.read_briefly("apple poll", look).await
}

fn note_visit(app: &App, context: &Context, enrolment: &Enrolment) {
    if commands::is_to_be_noted(context, enrolment) {
        app.sightings.seen(enrolment, context.now);
    }
}

/// Writes the claimed message; a command that cannot be made is recorded as failed and the next one takes its place.
async fn write_out(app: &App, enrolment: &Enrolment, mut next: Option<Next>) -> Result<Served> {
    for _ in 0..MOST_PASSED_OVER {
        let (row, material) = match next {
            None => return Ok(Served::Nothing),
            Some(Next::Order(release)) => {
                return platform::encode_order(Platform::Apple, &release).map(Served::Command).map_err(Error::internal);
            }
            Some(Next::Command { row, material }) => (row, material),
        };
        match encode(app, enrolment, &row, &material) {
            Ok(wire) => return Ok(Served::Command(wire)),
            Err(Unsupported(problem)) => {
                tracing::error!(command = %row.id, kind = %row.kind, problem, "a command cannot be made");
                let context = check_in::as_device(&app.context(Actor::System), enrolment);
                let (enrolment, id) = (enrolment.clone(), row.id);
                next = app
                    .database
                    .write("command not made", move |tx| commands::cannot_send(tx, &context, &enrolment, &id, &problem))
                    .await?;
            }
        }
    }
    Ok(Served::Nothing)
}

fn encode(app: &App, enrolment: &Enrolment, row: &CommandRow, material: &Material) -> Result<Wire, Unsupported> {
    let payload = serde_json::from_str(&row.payload).map_err(|problem| Unsupported(problem.to_string()))?;
    let data = open(app, enrolment, material).map_err(|problem| Unsupported(problem.to_string()))?;
    let command = platform::Command {
        id: &row.id,
        kind: row.kind,
        payload: &payload,
        data: data.as_ref().map(|data| data.as_slice()),
    };
    platform::encode(enrolment.platform, enrolment.mode, enrolment.ownership, &command)
}

/// Opens what the transaction left sealed.
fn open(app: &App, enrolment: &Enrolment, material: &Material) -> Result<Option<Zeroizing<Vec<u8>>>> {
    Ok(match material {
        Material::None => None,
        Material::UnlockToken(sealed) => Some(app.keys.sealer.open(
            Purpose::UnlockToken,
            enrolment.council_id.as_str(),
            enrolment.id.as_str(),
            sealed,
        )?),
        Material::Profile(profile) => {
            let (mode, ownership) = (enrolment.mode, enrolment.ownership);
            let compiled =
                policies::compile(&app.keys, &profile.council, mode, ownership, &profile.policy, &profile.secrets)?;
            Some(Zeroizing::new(compiled.bytes))
        }
        Material::Renewal(renewal) => {
            let roots = tls_roots(&app.config);
            let council = CouncilFacts {
                id: renewal.council.id.as_str(),
                name: &renewal.council.name,
                public_url: &renewal.council.public_url,
                authority_certificate: &renewal.authority_certificate,
                extra_tls_roots: &roots,
            };
            let facts = EnrolmentFacts {
                mode: enrolment.mode,
                ownership: enrolment.ownership,
                topic: &renewal.topic,
                token: enrolment.invitation_id.as_str(),
            };
            let xml = enrolment_profile(&council, &facts, &renewal.challenge).map_err(Error::internal)?;
            Some(Zeroizing::new(xml))
        }
    })
}
