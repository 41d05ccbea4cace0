//! The audit trail: append-only, chained per council with a keyed hash, verifiable after every crash.

use serde::Serialize;
use serde_json::Value;

use super::Context;
use crate::error::{Error, Result};
use crate::keys::{MacKey, random_bytes};
use crate::model::{CouncilId, Moment, Permission};
use crate::store::{self, Transaction, audit::AuditDetails, audit::AuditHead, audit::AuditRow};

/// The chain of what concerns the whole installation.
pub const INSTALLATION: &str = "installation";

const ROW: &str = "beadle audit row";
const HEAD: &str = "beadle audit head";

/// Starts the chain of a new council, or the installation's.
pub fn start(tx: &mut Transaction<'_>, context: &Context, chain: &str) -> Result<()> {
    let mac = vec![0; crate::keys::MAC_LENGTH];
    let head_seal = seal_head(&context.keys.audit, chain, 0, &mac)?;
    store::audit::insert_head(tx, &AuditHead { chain: chain.to_owned(), seq: 0, mac, head_seal })
}

/// Takes the council's lock; every audited operation does so first, which rules out deadlocks between councils' rows.
pub fn lock(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<()> {
    store::audit::lock_head(tx, council.as_str())
}

/// Appends one row to the council's chain. `subject` is the id of what it is about; `details` may be purged later.
pub fn record(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    kind: &str,
    subject: &str,
    details: Value,
) -> Result<()> {
    append(tx, context, council.as_str(), kind, subject, details)
}

/// Appends one row to the installation's chain.
pub fn record_installation(
    tx: &mut Transaction<'_>,
    context: &Context,
    kind: &str,
    subject: &str,
    details: Value,
) -> Result<()> {
    append(tx, context, INSTALLATION, kind, subject, details)
}

fn append(
    tx: &mut Transaction<'_>,
    context: &Context,
    chain: &str,
    kind: &str,
    subject: &str,
    details: Value,
) -> Result<()> {
    let key = &context.keys.audit;
    let head = store::audit::advance_head(tx, chain)?
        .ok_or_else(|| Error::Internal(format!("the audit chain {chain} does not exist")))?;
    let salt = random_bytes::<16>()?.to_vec();
    let details = serde_json::json!({ "by": context.actor.label(), "details": details }).to_string();
    let mut row = AuditRow {
        chain: chain.to_owned(),
        seq: head.seq,
        at: context.now,
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        details_hash: hash_details(&salt, &details),
        mac: Vec::new(),
    };
    row.mac = mac_of(key, &head.mac, &row)?;
    let head_seal = seal_head(key, chain, row.seq, &row.mac)?;
    store::audit::insert(tx, &row, &AuditDetails { chain: chain.to_owned(), seq: row.seq, salt, details })?;
    store::audit::set_head(tx, chain, &row.mac, &head_seal)
}

pub(super) fn hash_details(salt: &[u8], details: &str) -> Vec<u8> {
    let mut hash = openssl::sha::Sha256::new();
    hash.update(salt);
    hash.update(details.as_bytes());
    hash.finish().to_vec()
}

pub(super) fn mac_of(key: &MacKey, previous: &[u8], row: &AuditRow) -> Result<Vec<u8>> {
    key.mac(
        ROW,
        &[
            previous,
            row.chain.as_bytes(),
            &row.seq.to_be_bytes(),
            &row.at.unix_micros().to_be_bytes(),
            row.kind.as_bytes(),
            row.subject.as_bytes(),
            &row.details_hash,
        ],
    )
}

fn seal_head(key: &MacKey, chain: &str, seq: i64, mac: &[u8]) -> Result<Vec<u8>> {
    key.mac(HEAD, &[chain.as_bytes(), &seq.to_be_bytes(), mac])
}

/// Whether the seal of a chain's head is right.
pub(super) fn head_is_sealed(key: &MacKey, head: &AuditHead) -> Result<bool> {
    key.verify(HEAD, &[head.chain.as_bytes(), &head.seq.to_be_bytes(), &head.mac], &head.head_seal)
}

/// The end of a chain as known outside the database; a database that is behind it lost its tail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Checkpoint {
    /// The council's id, or "installation".
    pub chain: String,
    /// The number of the last row.
    pub seq: i64,
    /// The MAC of the last row, in hexadecimal.
    pub mac: String,
}

/// What a verification found.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Verification {
    /// The council's id, or "installation".
    pub chain: String,
    /// How many rows were checked.
    pub rows: i64,
    /// How many of them had their details purged by retention.
    pub purged: i64,
    /// When the last row was written.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_at: Option<Moment>,
    /// What is wrong; empty when the chain is whole.
    pub problems: Vec<String>,
}

/// Checks a whole chain, page by page inside the given snapshot, against its sealed head and an optional checkpoint.
pub fn verify(
    tx: &mut Transaction<'_>,
    key: &MacKey,
    chain: &str,
    checkpoint: Option<&Checkpoint>,
) -> Result<Verification> {
    let head = store::audit::head(tx, chain)?.ok_or(Error::NotFound("audit chain"))?;
    let mut found = Verification { chain: chain.to_owned(), rows: 0, purged: 0, last_at: None, problems: Vec::new() };
    let mut previous = vec![0; crate::keys::MAC_LENGTH];
    let mut checkpoint_seen = checkpoint.is_none_or(|checkpoint| checkpoint.seq == 0);
    loop {
        let page = store::audit::page(tx, chain, found.rows, 500)?;
        if page.is_empty() {
            break;
        }
        for (row, details) in page {
            let expected = found.rows + 1;
            if row.seq != expected {
                found.problems.push(format!("row {expected} is missing"));
                return Ok(found);
            }
            if mac_of(key, &previous, &row)? != row.mac {
                found.problems.push(format!("row {expected} was changed, or put there by hand"));
                return Ok(found);
            }
            match details {
                Some(details) if hash_details(&details.salt, &details.details) != row.details_hash => {
                    found.problems.push(format!("the details of row {expected} were changed"));
                }
                Some(_) => {}
                None => found.purged += 1,
            }
            if let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.seq == row.seq) {
                checkpoint_seen = true;
                if checkpoint.mac != hex::encode(&row.mac) {
                    found.problems.push(format!("row {expected} is not the one that the checkpoint saw"));
                }
            }
            found.rows = row.seq;
            found.last_at = Some(row.at);
            previous = row.mac;
        }
    }
    if head.seq != found.rows || head.mac != previous {
        found.problems.push(format!("the head says {} rows, {} are there", head.seq, found.rows));
    }
    if !key.verify(HEAD, &[chain.as_bytes(), &head.seq.to_be_bytes(), &head.mac], &head.head_seal)? {
        found.problems.push("the head's seal is wrong: it was changed by hand".to_owned());
    }
    if !checkpoint_seen {
        found.problems.push(format!(
            "the checkpoint saw {} rows, {} are there: the end of the trail is lost",
            checkpoint.map_or(0, |checkpoint| checkpoint.seq),
            found.rows
        ));
    }
    Ok(found)
}

/// The ends of all chains, for an anchor outside the database.
pub fn checkpoints(tx: &mut Transaction<'_>) -> Result<Vec<Checkpoint>> {
    Ok(store::audit::heads(tx)?
        .into_iter()
        .map(|head| Checkpoint { chain: head.chain, seq: head.seq, mac: hex::encode(head.mac) })
        .collect())
}

/// In what the database falls short of checkpoints taken from it earlier; costs one row a chain.
pub fn differences(tx: &mut Transaction<'_>, checkpoints: &[Checkpoint]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for checkpoint in checkpoints {
        let chain = &checkpoint.chain;
        let Some(head) = store::audit::head(tx, chain)? else {
            found.push(format!("the chain {chain} is missing"));
            continue;
        };
        if head.seq < checkpoint.seq {
            found.push(format!("the chain {chain} had {} rows and has {}", checkpoint.seq, head.seq));
            continue;
        }
        if checkpoint.seq == 0 {
            continue;
        }
        let row = store::audit::page(tx, chain, checkpoint.seq - 1, 1)?.into_iter().next();
        if row.is_none_or(|(row, _)| row.seq != checkpoint.seq || hex::encode(&row.mac) != checkpoint.mac) {
            found.push(format!("row {} of the chain {chain} is another one", checkpoint.seq));
        }
    }
    Ok(found)
}

/// One row of a chain as it is exported.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ExportedRow {
    /// The council's id, or "installation".
    pub chain: String,
    /// Its number in the chain.
    pub seq: i64,
    /// When.
    pub at: Moment,
    /// What happened.
    pub kind: String,
    /// The id of what it happened to.
    pub subject: String,
    /// Who did it and with which particulars; nothing once retention purged them.
    #[schema(value_type = Option<Object>)]
    pub details: Option<Value>,
    /// The salt of the details' hash, in hexadecimal; nothing once purged.
    pub salt: Option<String>,
    /// The hash that the chain keeps of the details, in hexadecimal.
    pub details_hash: String,
    /// The MAC that chains the row to the one before, in hexadecimal.
    pub mac: String,
}

/// A page of the chain of `council`, or of the installation's where none is given.
pub fn export(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: Option<&CouncilId>,
    after: i64,
    limit: i64,
) -> Result<Vec<ExportedRow>> {
    let chain = permitted_chain(context, council)?;
    store::audit::page(tx, &chain, after, limit)?.into_iter().map(exported).collect()
}

/// What rows are wanted by somebody who reads.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those before this number.
    pub before: Option<i64>,
    /// Only those written before this moment.
    pub until: Option<Moment>,
    /// Only those about the item with this tag and its devices.
    pub tag: Option<String>,
}

/// The council's rows that are wanted, newest first.
///
/// # Errors
/// `NotFound` where no item has the tag.
pub fn read(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    wanted: &Wanted,
    limit: i64,
) -> Result<Vec<ExportedRow>> {
    let chain = permitted_chain(context, Some(council))?;
    let mut subjects = Vec::new();
    if let Some(tag) = &wanted.tag {
        for asset in store::assets::find_by_tag(tx, council, tag)? {
            let device = store::devices::of_asset(tx, council, &asset.id)?;
            subjects.extend(device.map(|device| device.id.to_string()));
            subjects.push(asset.id.to_string());
        }
        if subjects.is_empty() {
            return Err(Error::NotFound("item"));
        }
    }
    let mut before = wanted.before.unwrap_or(i64::MAX);
    if let Some(until) = wanted.until {
        before = before.min(store::audit::last_before(tx, &chain, until)?.saturating_add(1));
    }
    store::audit::page_before(tx, &chain, before, &subjects, limit)?.into_iter().map(exported).collect()
}

fn exported((row, details): (AuditRow, Option<AuditDetails>)) -> Result<ExportedRow> {
    Ok(ExportedRow {
        chain: row.chain,
        seq: row.seq,
        at: row.at,
        kind: row.kind,
        subject: row.subject,
        salt: details.as_ref().map(|details| hex::encode(&details.salt)),
        details: details.map(|details| serde_json::from_str(&details.details)).transpose()?,
        details_hash: hex::encode(row.details_hash),
        mac: hex::encode(row.mac),
    })
}

fn permitted_chain(context: &Context, council: Option<&CouncilId>) -> Result<String> {
    match council {
        Some(council) => {
            context.actor.require(Permission::Read, council)?;
            Ok(council.to_string())
        }
        None => {
            context.actor.require_installation(Permission::Installation)?;
            Ok(INSTALLATION.to_owned())
        }
    }
}

/// Verifies the chain of `council`, against the checkpoint of it among `checkpoints` if there is one.
pub fn verify_council(
    tx: &mut Transaction<'_>,
    context: &Context,
    council: &CouncilId,
    checkpoints: &[Checkpoint],
) -> Result<Verification> {
    let chain = permitted_chain(context, Some(council))?;
    let checkpoint = checkpoints.iter().find(|checkpoint| checkpoint.chain == chain);
    verify(tx, &context.keys.audit, &chain, checkpoint)
}

/// Verifies every chain; a chain that a checkpoint saw and that is gone is told too.
pub fn verify_all(
    tx: &mut Transaction<'_>,
    context: &Context,
    checkpoints: &[Checkpoint],
) -> Result<Vec<Verification>> {
    permitted_chain(context, None)?;
    let mut found = Vec::new();
    for head in store::audit::heads(tx)? {
        let checkpoint = checkpoints.iter().find(|checkpoint| checkpoint.chain == head.chain);
        found.push(verify(tx, &context.keys.audit, &head.chain, checkpoint)?);
    }
    for checkpoint in checkpoints {
        if !found.iter().any(|chain| chain.chain == checkpoint.chain) {
            found.push(Verification {
                chain: checkpoint.chain.clone(),
                rows: 0,
                purged: 0,
                last_at: None,
                problems: vec![format!("the whole chain is missing; the checkpoint saw {} rows", checkpoint.seq)],
            });
        }
    }
    Ok(found)
}

/// The ends of all chains, for whoever may see the whole installation.
pub fn permitted_checkpoints(tx: &mut Transaction<'_>, context: &Context) -> Result<Vec<Checkpoint>> {
    permitted_chain(context, None)?;
    checkpoints(tx)
}
