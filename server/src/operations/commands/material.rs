//! What the message of a command is made of beyond the command itself.

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::model::CommandKind;
use crate::operations::{Context, enroll};
use crate::store::commands::CommandRow;
use crate::store::councils::Council;
use crate::store::enrolments::Enrolment;
use crate::store::policies::PolicyVersion;
use crate::store::policy_secrets::PolicySecret;
use crate::store::{self, Transaction};

/// What a command's message needs beyond its parameters. Secrets are still sealed: a transaction is no place to open them.
#[derive(Debug)]
pub enum Material {
    /// Nothing.
    None,
    /// The council's policy.
    Profile(Box<ProfileMaterial>),
    /// A new identity.
    Renewal(Box<RenewalMaterial>),
    /// The token that clears the PIN, sealed for the enrolment.
    UnlockToken(Vec<u8>),
}

/// What the policy profile is made of.
#[derive(Debug)]
pub struct ProfileMaterial {
    /// The council.
    pub council: Council,
    /// The policy, current when it was claimed.
    pub policy: PolicyVersion,
    /// Its secrets, sealed.
    pub secrets: Vec<PolicySecret>,
}

/// What the renewal profile is made of.
#[derive(Debug)]
pub struct RenewalMaterial {
    /// The council.
    pub council: Council,
    /// The challenge, minted for this enrolment at this moment.
    pub challenge: Zeroizing<String>,
    /// The council's authority.
    pub authority_certificate: Vec<u8>,
    /// The topic that the device enrolled with.
    pub topic: String,
}

/// Gathers what the message of `row` needs; the inner error is why it cannot be made, in words.
pub(super) fn material(
    tx: &mut Transaction<'_>,
    context: &Context,
    enrolment: &Enrolment,
    row: &CommandRow,
) -> Result<Result<Material, &'static str>> {
    let council_of =
        |tx: &mut Transaction<'_>| store::councils::find(tx, &enrolment.council_id)?.ok_or(Error::NotFound("council"));
    Ok(match row.kind {
        CommandKind::InstallProfile => match store::policies::current(tx, &enrolment.council_id)? {
            None => Err("the council has no policy"),
            Some(policy) => Ok(Material::Profile(Box::new(ProfileMaterial {
                council: council_of(tx)?,
                policy,
                secrets: store::commands::sealed_policy_secrets(tx, &enrolment.council_id)?,
            }))),
        },
        CommandKind::RenewIdentity => {
            let Some(authority) = store::authorities::current(tx, &enrolment.council_id)? else {
                return Ok(Err("the council has no certificate authority"));
            };
            let Some(topic) = enrolment.topic.clone() else {
                return Ok(Err("it is not known with which push topic the device enrolled"));
            };
            let Some(challenge) = enroll::challenge_for_renewal(tx, context, enrolment)? else {
                return Ok(Err("the device was given several challenges within minutes and has used none of them"));
            };
            Ok(Material::Renewal(Box::new(RenewalMaterial {
                council: council_of(tx)?,
                challenge,
                authority_certificate: authority.certificate,
                topic,
            })))
        }
        CommandKind::ClearPasscode => match enrolment.sealed_unlock_token.clone() {
            Some(sealed) => Ok(Material::UnlockToken(sealed)),
            None => Err("the phone has not given the token that clearing its PIN needs"),
        },
        _ => Ok(Material::None),
    })
}
