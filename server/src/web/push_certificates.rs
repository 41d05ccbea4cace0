//! Asking for a push certificate and reading what Apple gave: the costly parts, outside any transaction, alike in the API and
//! in pages.

use std::sync::Arc;

use beadle_enrollment::push_certificate::{PushRequest, vendor_signed_request};
use zeroize::Zeroizing;

use crate::app::App;
use crate::config::VendorSettings;
use crate::error::{Error, Result};
use crate::operations::push_certificates::{self, Import};
use crate::store::councils::Council;
use crate::store::push_certificates::PushCertificate;

/// A request that was made and not yet kept.
pub(crate) struct Made {
    /// The row to keep, with the sealed key.
    pub(crate) row: PushCertificate,
    /// The request, PEM; Apple does not take it as it is.
    pub(crate) csr_pem: String,
    /// The request as Apple's portal takes it, when the provider's vendor certificate is set.
    pub(crate) vendor_signed: Option<String>,
}

/// Makes a key and a request for it.
pub(crate) async fn make_request(app: &App, council: Council) -> Result<Made> {
    let (keys, vendor, now) = (Arc::clone(&app.keys), app.config.vendor.clone(), app.clock.now());
    tokio::task::spawn_blocking(move || {
        let prepared = push_certificates::prepare(&keys, &council.id, &council.name, now)?;
        let vendor_signed = sign(&vendor, &prepared.request)?;
        Ok::<_, Error>(Made { row: prepared.row, csr_pem: prepared.request.csr_pem, vendor_signed })
    })
    .await
    .map_err(Error::internal)?
}

/// Signs with the provider's vendor certificate, if one is set. The files are read anew, as they are renewed yearly.
fn sign(vendor: &VendorSettings, made: &PushRequest) -> Result<Option<String>> {
    let (Some(certificate), Some(key)) = (&vendor.certificate, &vendor.key) else { return Ok(None) };
    let read = |path: &std::path::Path| {
        std::fs::read(path)
            .map_err(|problem| Error::Internal(format!("the vendor's file {}: {problem}", path.display())))
    };
    let key = Zeroizing::new(read(key)?);
    vendor_signed_request(&made.csr_der, &read(certificate)?, &key)
        .map(Some)
        .map_err(|problem| Error::Internal(format!("the vendor's certificate and key: {problem}")))
}

/// Reads what Apple's portal gave, and finds the request that it answers among `candidates`.
pub(crate) async fn read_certificate(
    app: &App,
    candidates: Vec<PushCertificate>,
    certificate: String,
    apple_account: String,
    new_topic: bool,
) -> Result<Import> {
    let keys = Arc::clone(&app.keys);
    tokio::task::spawn_blocking(move || {
        push_certificates::read_import(&keys, &candidates, &certificate, &apple_account, new_topic)
    })
    .await
    .map_err(Error::internal)?
}
