//! The installation itself: its keys at the first start, the proof of the sealing key at every start, the set-up code.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Context, audit};
use crate::error::{Error, Result};
use crate::keys::{ApprovalKeys, Keys, MAC_LENGTH, MacKey, random_bytes, sha256_hex};
use crate::model::{Actor, Moment, Permission};
use crate::sealing::{Purpose, Sealer};
use crate::store::Transaction;
use crate::store::installation::{self, InstallationKey};

/// Who owns what is sealed for the whole installation.
pub const OWNER: &str = "installation";
/// The fact that proves the sealing key.
pub const CANARY: &str = "canary";
/// The fact that lets the first operator be made.
pub const SET_UP_CODE: &str = "set-up-code";

/// The fact that says of which certificate providers were told last, and how near its end was.
const TLS_TOLD: &str = "tls-told";

const CANARY_TEXT: &[u8] = b"the beadle's sealing key fits this database";

/// Everything that the first start writes; made outside the transaction because it is sealed.
#[derive(Debug)]
pub struct FirstStart {
    rows: Vec<InstallationKey>,
    canary: Vec<u8>,
    set_up_code: String,
}

impl FirstStart {
    /// New keys, a canary and a set-up code, sealed under `sealer`.
    pub fn prepare(sealer: &Sealer, now: Moment) -> Result<Self> {
        let mut rows = Vec::new();
        for purpose in ["audit", "approval", "token"] {
            let id = uuid::Uuid::now_v7().to_string();
            let secret = Zeroizing::new(random_bytes::<MAC_LENGTH>()?);
            let sealed_key = sealer.seal(Purpose::InstallationKey, OWNER, &id, &*secret)?;
            rows.push(InstallationKey {
                id,
                purpose: purpose.to_owned(),
                sealed_key,
                created_at: now,
                retired_at: None,
            });
        }
        let canary = sealer.seal(Purpose::Canary, OWNER, CANARY, CANARY_TEXT)?;
        Ok(Self { rows, canary, set_up_code: new_set_up_code()? })
    }

    /// The code for `beadle set-up`; only its hash is kept.
    #[must_use]
    pub fn set_up_code(&self) -> &str {
        &self.set_up_code
    }

    /// Writes it, unless another instance was faster; `true` when this one did.
    pub fn write(&self, tx: &mut Transaction<'_>, sealer: Sealer, now: Moment) -> Result<bool> {
        if installation::value(tx, CANARY)?.is_some() {
            return Ok(false);
        }
        let keys = Arc::new(load_keys(sealer, &self.rows)?);
        let context = Context { actor: Actor::System, now, keys };
        installation::set_value(tx, CANARY, &self.canary, now)?;
        for row in &self.rows {
            installation::insert_key(tx, row)?;
        }
        installation::set_value(tx, SET_UP_CODE, sha256_hex(self.set_up_code.as_bytes()).as_bytes(), now)?;
        audit::start(tx, &context, audit::INSTALLATION)?;
        audit::record_installation(tx, &context, "installation_begun", OWNER, serde_json::json!({}))?;
        Ok(true)
    }
}

/// Twenty letters and digits in groups of five: 100 bits, without those that look alike.
fn new_set_up_code() -> Result<String> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut code = String::new();
    for (place, byte) in random_bytes::<20>()?.iter().enumerate() {
        if place > 0 && place % 5 == 0 {
            code.push('-');
        }
        code.push(char::from(LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'A')));
    }
    Ok(code)
}

/// Refuses unless `sealer` opens the canary.
pub fn prove(sealer: &Sealer, canary: &[u8], key_file: &std::path::Path) -> Result<()> {
    match sealer.open(Purpose::Canary, OWNER, CANARY, canary) {
        Ok(text) if *text == CANARY_TEXT => Ok(()),
        _ => Err(Error::invalid(
            "sealing_key",
            format!(
                "the key in {} is not the one that this database was sealed with; put the right key file there, from your \
                 copy or from the other server",
                key_file.display()
            ),
        )),
    }
}

/// Opens the installation's keys. Of each kind the newest that is not retired is used; all approval keys verify.
pub fn load_keys(sealer: Sealer, rows: &[InstallationKey]) -> Result<Keys> {
    let open = |row: &InstallationKey| {
        MacKey::new(row.id.clone(), sealer.open(Purpose::InstallationKey, OWNER, &row.id, &row.sealed_key)?)
    };
    let newest = |purpose: &str| {
        rows.iter()
            .rev()
            .find(|row| row.purpose == purpose && row.retired_at.is_none())
            .ok_or_else(|| Error::Internal(format!("the installation has no {purpose} key")))
    };
    let audit = open(newest("audit")?)?;
    let token = open(newest("token")?)?;
    let current = newest("approval")?.id.clone();
    let approval = rows.iter().filter(|row| row.purpose == "approval").map(open).collect::<Result<Vec<_>>>()?;
    let approval = ApprovalKeys::new(current, approval)?;
    Ok(Keys { sealer, audit, approval, token })
}

/// Makes the set-up code again, while nobody may sign in yet.
pub fn renew_set_up_code(tx: &mut Transaction<'_>, context: &Context) -> Result<String> {
    context.actor.require_installation(Permission::Installation)?;
    if installation::has_operators(tx)? {
        return Err(Error::conflict(
            "the set-up is done: there are operators already; a provider adds more with `beadle operator add`",
        ));
    }
    let code = new_set_up_code()?;
    installation::set_value(tx, SET_UP_CODE, sha256_hex(code.as_bytes()).as_bytes(), context.now)?;
    audit::record_installation(tx, context, "set_up_code_made", OWNER, serde_json::json!({}))?;
    Ok(code)
}

/// Tells the providers that the server's own TLS certificate ends; once for each certificate and step towards its end, which
/// `step` names.
///
/// # Errors
/// Of the database.
pub fn tls_ends(tx: &mut Transaction<'_>, context: &Context, step: &str) -> Result<()> {
    crate::store::audit::lock_head(tx, audit::INSTALLATION)?;
    if installation::value(tx, TLS_TOLD)?.is_some_and(|before| before == step.as_bytes()) {
        return Ok(());
    }
    installation::set_value(tx, TLS_TOLD, step.as_bytes(), context.now)?;
    super::mail::tell_of_installation(tx, context, "tls_ends", step)
}

/// Records that a backup was made: who has the file and the sealing key has everything.
pub fn record_backup(tx: &mut Transaction<'_>, context: &Context, file: &str, rows: u64, with_key: bool) -> Result<()> {
    context.actor.require_installation(Permission::Installation)?;
    let details = serde_json::json!({ "file": file, "rows": rows, "with_key": with_key });
    audit::record_installation(tx, context, "backup.made", OWNER, details)
}
