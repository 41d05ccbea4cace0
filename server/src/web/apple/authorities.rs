//! The councils' authorities, opened once and kept: reading an RSA key costs more than an idle poll may.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, RwLock};

use beadle_enrollment::authority::Authority;

use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::model::AuthorityId;
use crate::sealing::Purpose;
use crate::store::authorities::AuthorityRow;

static OPENED: LazyLock<RwLock<HashMap<AuthorityId, Arc<Authority>>>> = LazyLock::new(RwLock::default);

/// The authority of this row.
pub(super) fn open(keys: &Keys, row: &AuthorityRow) -> Result<Arc<Authority>> {
    if let Ok(opened) = OPENED.read()
        && let Some(authority) = opened.get(&row.id)
    {
        return Ok(Arc::clone(authority));
    }
    let key = keys.sealer.open(Purpose::AuthorityKey, row.council_id.as_str(), row.id.as_str(), &row.sealed_key)?;
    let authority = Arc::new(Authority::from_parts(&row.certificate, &key).map_err(Error::internal)?);
    if let Ok(mut opened) = OPENED.write() {
        opened.insert(row.id.clone(), Arc::clone(&authority));
    }
    Ok(authority)
}
