//! Watches what expires: push certificates, authorities, the server's own TLS certificate.

use chrono::Duration;
use openssl::asn1::Asn1Time;
use openssl::x509::X509;

use super::outcome::{Failure, Next};
use super::{Bench, again};
use crate::error::Result;
use crate::model::{Moment, PushCertificateState};
use crate::operations::{Context, alerts, installation, push_certificates};
use crate::store::push_certificates::PushCertificate;
use crate::store::{self, Transaction};

pub(super) const KIND: &str = "watch_expiry";

/// People are told so many days before a push certificate ends, and when it has.
const DAYS: [i64; 6] = [0, 1, 7, 14, 30, 60];
/// An authority lives for years; its end needs planning.
const AUTHORITY: Duration = Duration::days(180);

pub(super) async fn run(bench: &Bench) -> Result<Next, Failure> {
    let context = bench.context();
    let now = context.now;
    bench
        .app
        .database
        .write("watch what expires", move |tx| {
            for certificate in store::push_certificates::ending(tx, context.now + Duration::days(60))? {
                push_certificate(tx, &context, &certificate)?;
            }
            push_certificates::retire_unused(tx, &context)?;
            for (council, authority, end) in store::wake::authorities_ending(tx, context.now + AUTHORITY)? {
                let message = format!(
                    "The authority that signs the identities of this council's phones ends on {}. Plan to enrol the phones \
                     again before that day.",
                    day(end)
                );
                alerts::raise(tx, &context, &council, "authority_ends", authority.as_str(), &message)?;
            }
            Ok(())
        })
        .await?;
    tls(bench, now).await?;
    Ok(again(now, Duration::hours(12)))
}

fn push_certificate(tx: &mut Transaction<'_>, context: &Context, certificate: &PushCertificate) -> Result<()> {
    let Some(end) = certificate.not_after else { return Ok(()) };
    let left = (end - context.now).num_days();
    let left = if end <= context.now { 0 } else { left.max(1) };
    let Some(threshold) = DAYS.into_iter().find(|days| left <= *days) else { return Ok(()) };
    if certificate.warned_days.is_some_and(|warned| warned <= threshold) {
        return Ok(());
    }
    let account = certificate.apple_account.as_deref().unwrap_or("unknown");
    let which = match certificate.state {
        PushCertificateState::Retiring => "The former push certificate, which some phones still need,",
        _ => "The push certificate",
    };
    let message = if threshold == 0 {
        format!(
            "{which} ended on {}: the phones that need it can no longer be woken. Renew it now with the Apple Account \
             {account}, at identity.apple.com; do not make a new one.",
            day(end)
        )
    } else {
        format!(
            "{which} ends on {} ({left} days). Renew it with the Apple Account {account}, at identity.apple.com; do not make \
             a new one, or every phone has to enrol again.",
            day(end)
        )
    };
    let (council, subject) = (&certificate.council_id, certificate.id.as_str());
    // The nearer end is news: it takes the place of the earlier warning.
    alerts::end(tx, context, council, alerts::PUSH_CERTIFICATE_ENDS, subject)?;
    alerts::raise(tx, context, council, alerts::PUSH_CERTIFICATE_ENDS, subject, &message)?;
    store::push_certificates::set_warned(tx, council, &certificate.id, threshold)
}

fn day(moment: Moment) -> String {
    moment.utc().format("%-d %B %Y").to_string()
}

/// Providers are told so many days before the server's own certificate ends, and when it has.
const TLS_DAYS: [i64; 4] = [0, 1, 7, 14];

/// The server's own certificate concerns no council but the providers: the log says it each time, a mail once for each threshold.
async fn tls(bench: &Bench, now: Moment) -> Result<()> {
    let Some(path) = &bench.app.config.tls.certificate else { return Ok(()) };
    let read = std::fs::read(path).ok().and_then(|pem| X509::from_pem(&pem).ok());
    let (Some(certificate), Ok(at)) = (read, Asn1Time::from_unix(now.unix())) else {
        tracing::error!(file = %path.display(), "the TLS certificate cannot be read");
        return Ok(());
    };
    let Ok(left) = at.diff(certificate.not_after()) else { return Ok(()) };
    let days = if left.days < 0 || left.secs < 0 { 0 } else { i64::from(left.days).max(1) };
    let Some(threshold) = TLS_DAYS.into_iter().find(|most| days <= *most) else { return Ok(()) };
    tracing::error!(file = %path.display(), days, "the TLS certificate ends soon; phones refuse an expired one");
    let told = format!("{} {threshold}", certificate.not_after());
    let context = bench.context();
    bench.app.database.write("tell of the TLS certificate", move |tx| installation::tls_ends(tx, &context, &told)).await
}
