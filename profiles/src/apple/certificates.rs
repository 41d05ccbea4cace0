//! Certificate payloads: `com.apple.security.root` for authorities, `com.apple.security.pkcs1` for what they issued.

use super::{Context, payload};
use crate::policy::certificates::stored;
use crate::policy::{Policy, Problem};

pub(crate) const ROOT: &str = "com.apple.security.root";
pub(crate) const ISSUED: &str = "com.apple.security.pkcs1";

/// The payloads of the certificates the policy names.
pub(super) fn certificates(policy: &Policy, context: &Context<'_>) -> Result<Vec<plist::Dictionary>, Problem> {
    policy
        .certificates
        .install
        .iter()
        .map(|name| {
            let certificate = stored(name, context.certificates)?;
            let payload_type = if certificate.root { ROOT } else { ISSUED };
            let mut dictionary = payload(
                context,
                payload_type,
                &format!("certificate.{}", super::label(name)),
                &format!("Certificate {name}"),
            );
            dictionary.insert("PayloadCertificateFileName".into(), format!("{}.cer", super::label(name)).into());
            dictionary.insert("PayloadContent".into(), plist::Value::Data(certificate.der.clone()));
            Ok(dictionary)
        })
        .collect()
}
