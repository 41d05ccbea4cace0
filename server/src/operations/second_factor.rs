//! The second factor: six-digit codes (TOTP, RFC 6238), and recovery codes for the day the phone with them is lost.

use openssl::memcmp;
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

use super::audit;
use crate::error::{Error, Result};
use crate::keys::{Keys, random_bytes, sha256_hex};
use crate::model::{Moment, OperatorId};
use crate::sealing::Purpose;
use crate::store::operators::Operator;

/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;
/// Letters and digits that are not mistaken for one another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const STEP: u64 = 30;

fn owner(operator: &Operator) -> &str {
    operator.council_id.as_ref().map_or(audit::INSTALLATION, |council| council.as_str())
}

fn totp(seed: &[u8], login: &str) -> Result<Totp> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(STEP)
        .with_secret(seed.to_vec())
        .with_issuer(Some("Beadle"))
        .with_account_name(login.replace(':', "."))
        .build()
        .map_err(Error::internal)
}

/// A new seed, sealed for its operator's row, and what an authenticator app needs of it.
pub struct NewSeed {
    /// To be stored.
    pub sealed: Vec<u8>,
    /// The `otpauth:` link, for a QR code.
    pub link: Zeroizing<String>,
    /// The seed in base 32, for typing.
    pub text: Zeroizing<String>,
}

impl std::fmt::Debug for NewSeed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("NewSeed(secret)")
    }
}

/// Makes a seed for an operator.
pub fn new_seed(keys: &Keys, operator: &Operator) -> Result<NewSeed> {
    let seed = Zeroizing::new(random_bytes::<20>()?);
    let totp = totp(&*seed, &operator.login)?;
    Ok(NewSeed {
        sealed: keys.sealer.seal(Purpose::TotpSeed, owner(operator), operator.id.as_str(), &*seed)?,
        link: Zeroizing::new(totp.to_url().map_err(Error::internal)?),
        text: Zeroizing::new(totp.secret().to_base32()),
    })
}

/// The step of the clock whose code this is, one step early or late allowed; nothing when it is no code of now.
pub fn matching_step(keys: &Keys, operator: &Operator, sealed: &[u8], code: &str, now: Moment) -> Result<Option<i64>> {
    let digits: String = code.chars().filter(|character| !character.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    let seed = keys.sealer.open(Purpose::TotpSeed, owner(operator), operator.id.as_str(), sealed)?;
    let totp = totp(&seed, &operator.login)?;
    let step = now.unix() / STEP.cast_signed();
    let mut matching = None;
    for candidate in [step - 1, step, step + 1] {
        let time = u64::try_from(candidate).unwrap_or(0) * STEP;
        let right = totp.generate(time).to_string();
        if right.len() == digits.len() && memcmp::eq(right.as_bytes(), digits.as_bytes()) {
            matching = Some(candidate);
        }
    }
    Ok(matching)
}

/// New recovery codes, to be shown once.
pub fn new_recovery_codes() -> Result<Vec<Zeroizing<String>>> {
    (0..RECOVERY_CODES).map(|_| recovery_code()).collect()
}

/// Sixteen letters and digits in groups of four, 80 random bits.
pub(crate) fn recovery_code() -> Result<Zeroizing<String>> {
    // Sixteen letters of 32: 80 random bits.
    let random = Zeroizing::new(random_bytes::<16>()?);
    let mut code = Zeroizing::new(String::with_capacity(19));
    for (index, byte) in random.iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            code.push('-');
        }
        let letter = ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'0');
        code.push(char::from(letter));
    }
    Ok(code)
}

/// A code as it was made, however it was typed: any case, spaces and hyphens as one likes, misread letters forgiven.
pub(crate) fn plain_code(code: &str) -> String {
    code.chars()
        .filter(|character| character.is_ascii_alphanumeric())
        .map(|character| match character.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

/// How a recovery code is stored: any case, spaces and hyphens as one likes, misread letters forgiven.
#[must_use]
pub fn recovery_hash(operator: &OperatorId, code: &str) -> String {
    let plain = Zeroizing::new(plain_code(code));
    sha256_hex(format!("beadle recovery code {operator} {}", plain.as_str()).as_bytes())
}

/// The code of a seed at a moment, for tests that play the authenticator app.
#[cfg(test)]
pub(crate) fn code_of(text: &str, now: Moment) -> String {
    let seed = totp_rs::Secret::try_from_base32(text).expect("base 32");
    let totp = totp(seed.as_bytes(), "x").expect("a seed");
    totp.generate(u64::try_from(now.unix()).expect("after 1970")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1: the last six of its eight digits.
        for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let totp = totp(b"12345678901234567890", "x").expect("a seed");
            assert_eq!(totp.generate(time).to_string(), code);
        }
    }

    #[test]
    fn a_recovery_code_may_be_typed_as_people_type() {
        let codes = new_recovery_codes().expect("codes");
        assert_eq!(codes.len(), 10);
        let id = OperatorId::new();
        for code in &codes {
            assert_eq!(code.len(), 19);
            let typed = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            assert_eq!(recovery_hash(&id, &typed), recovery_hash(&id, code));
            assert_ne!(recovery_hash(&OperatorId::new(), code), recovery_hash(&id, code));
        }
    }
}
