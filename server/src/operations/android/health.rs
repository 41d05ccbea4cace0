//! Whether Google lets this installation do anything: a refusal of the project's key is nobody's word about a phone, so it ends no
//! command and no order. People are told, and what waits goes on at once when it is over.

use super::super::{Context, alerts, jobs};
use crate::error::Result;
use crate::model::CouncilId;
use crate::store::{self, Transaction};

/// The alert about a key that Google refuses.
const KEY_REFUSED: &str = "google_key_refused";
/// What the alert is about.
const SUBJECT: &str = "google";
/// How many phones are looked at at once.
const PAGE: i64 = 500;

/// Google refused the key as it was asked for something of this council.
pub fn key_refused(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId, problem: &str) -> Result<()> {
    if store::google_enterprises::current(tx, council)?.is_none() {
        return Ok(());
    }
    let message = format!(
        "{problem}. Until this is mended nothing reaches the council's Android phones; locks and orders wait, and go out when \
         it works again. The provider should look at the service account's key, its rights in the project, and the clock of \
         this server."
    );
    alerts::raise(tx, context, council, KEY_REFUSED, SUBJECT, &message)
}

/// Whether people are told that Google refuses the key.
pub fn is_refused(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<bool> {
    Ok(store::alerts::find_open(tx, council, KEY_REFUSED, SUBJECT)?.is_some())
}

/// Google did something for this council: where it had refused the key before, what waits for it waits no longer.
pub fn works(tx: &mut Transaction<'_>, context: &Context, council: &CouncilId) -> Result<()> {
    if !is_refused(tx, council)? {
        return Ok(());
    }
    alerts::end(tx, context, council, KEY_REFUSED, SUBJECT)?;
    let mut after = String::new();
    loop {
        let page = store::android_enrolments::live_page(tx, council, &after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.enrolment_id.to_string();
        let keys: Vec<String> = page.iter().map(|phone| jobs::wake_key(&phone.enrolment_id)).collect();
        store::jobs::hasten(tx, &keys, context.now)?;
    }
    let policies = super::policies::job_key(council);
    store::jobs::hasten(tx, &[policies], context.now)?;
    tx.nudge_jobs();
    Ok(())
}
