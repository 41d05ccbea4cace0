//! Certificates a phone should trust, named here and stored elsewhere.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Problem;
use crate::android::report::Witness;
use crate::coverage::Status::Enforced as E;
use crate::mode::Mode;
use crate::setting::{Android, Evidence, Says, Setting, does, no_keys};

/// A certificate the council stored for its phones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCertificate {
    /// The name the policy uses.
    pub name: String,
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// Whether it is an authority's own (self-signed) certificate.
    pub root: bool,
}

/// Certificates given to the phone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Certificates {
    /// Names of the council's stored certificates that go onto phones, at most 20.
    pub install: Vec<String>,
}

pub(crate) const SETTINGS: &[Setting] = &[Setting {
    name: "certificates.install",
    title: "Council certificates",
    clauses: &[],
    modes: [E, E, E, E, E, E],
    says: |policy| {
        if policy.certificates.install.is_empty() {
            Says::Silent
        } else {
            Says::Asked(format!("Certificates trusted: {}", policy.certificates.install.join(", ")))
        }
    },
    effect: |_, mode| match mode {
        Mode::CompanyWorkProfile | Mode::PersonalWorkProfile => {
            does("The certificates are trusted in the work profile.")
        }
        _ => does("The certificates are on the phone and trusted."),
    },
    apple: no_keys,
    evidence: Evidence::Profile,
    // Written with the council's stored certificates by `android/network.rs`.
    android: Android { fields: &["openNetworkConfiguration"], witness: Witness::Applied, write: |_, _| {} },
    problem: |policy| {
        let names = &policy.certificates.install;
        if names.len() > 20 {
            return Some(format!("{} certificates are too many; keep at most 20", names.len()));
        }
        let mut seen = BTreeSet::new();
        for name in names {
            if name.is_empty() || name.len() > 100 || !super::is_printable(name) {
                return Some(format!("{name:?} cannot be a certificate's name; use 1 to 100 visible characters"));
            }
            if !seen.insert(name) {
                return Some(format!("\"{name}\" is there twice; remove one"));
            }
        }
        None
    },
}];

/// The stored certificate of that name, or what is wrong with it.
pub(crate) fn stored<'a>(name: &str, certificates: &'a [NamedCertificate]) -> Result<&'a NamedCertificate, Problem> {
    let field = "certificates.install";
    let certificate = certificates.iter().find(|certificate| certificate.name == name).ok_or_else(|| {
        Problem::new(field, format!("the certificate \"{name}\" is not stored; store it, or remove its name"))
    })?;
    // Whoever stores a certificate parses it; this only keeps text and empty values from travelling as DER.
    if certificate.der.first() != Some(&0x30) {
        return Err(Problem::new(
            field,
            format!("the stored certificate \"{name}\" is not in DER form; store it again"),
        ));
    }
    Ok(certificate)
}
