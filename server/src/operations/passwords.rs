//! Passwords: three random words to begin with, argon2id at rest, and never hashed inside a transaction.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use diceware_wordlists::EFF_LONG_WORDLIST;
use openssl::{kdf, memcmp};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::keys::random_bytes;

/// Memory in KiB, passes, lanes: 64 MiB and three passes, as the security rules ask.
const COST: Cost = Cost { memory: 65_536, passes: 3, lanes: 1 };
const SALT: usize = 16;
const HASH: usize = 32;
/// The most that is hashed, in bytes.
const LONGEST: usize = 256;

/// Each hash takes 64 MiB, so only so many are under way; the rest wait their turn.
static TURN: Semaphore = Semaphore::const_new(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    memory: u32,
    passes: u32,
    lanes: u32,
}

/// A password made by the server, and its hash. `Debug` shows neither.
pub struct Initial {
    /// The three words, to be shown once.
    pub words: Zeroizing<String>,
    /// What is stored.
    pub hash: String,
}

impl std::fmt::Debug for Initial {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Initial(secret)")
    }
}

#[cfg(feature = "failpoints")]
static CHEAP: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Lets this process hash at next to no cost: for journeys in which hundreds of simulated people sign in, and whose subject is
/// something else. Only tests have it, and the program itself never calls it.
#[cfg(feature = "failpoints")]
pub fn hash_cheaply() {
    CHEAP.store(true, std::sync::atomic::Ordering::Relaxed);
}

fn cost() -> Cost {
    #[cfg(feature = "failpoints")]
    if CHEAP.load(std::sync::atomic::Ordering::Relaxed) {
        return Cost { memory: 64, passes: 1, lanes: 1 };
    }
    COST
}

/// Three random words and their hash.
pub async fn initial() -> Result<Initial> {
    let words = three_words()?;
    let hash = hash(words.clone()).await?;
    Ok(Initial { words, hash })
}

fn three_words() -> Result<Zeroizing<String>> {
    let words = [random_word()?, random_word()?, random_word()?];
    Ok(Zeroizing::new(words.join("-")))
}

fn random_word() -> Result<&'static str> {
    let words = &EFF_LONG_WORDLIST;
    // Draws beyond the last whole multiple are thrown away, so that every word is as likely as every other.
    let fair = u32::MAX - u32::MAX % u32::try_from(words.len()).unwrap_or(1);
    loop {
        let draw = u32::from_be_bytes(random_bytes()?);
        if draw < fair {
            let index = draw as usize % words.len();
            let word = words.get(index).copied().ok_or_else(|| Error::internal("the word list is empty"))?;
            // A few words of the list are two, which would make the number of words hard to read out.
            if !word.contains('-') {
                return Ok(word);
            }
        }
    }
}

/// Refuses a password that is too easy to guess, or holds the login or name it is for.
pub fn check_strength(password: &str, login: &str) -> Result<()> {
    let refused = |problem: &str| Err(Error::invalid("new_password", problem));
    let lower = password.to_lowercase();
    let words =
        password.split(|character: char| !character.is_alphanumeric()).filter(|word| word.chars().count() >= 3).count();
    if password.len() > LONGEST {
        return refused("may have at most 256 bytes");
    }
    if password.chars().count() < 12 && words < 3 {
        return refused("must have at least 12 characters, or be three words");
    }
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 5 {
        return refused("repeats itself; three random words are easy to remember and hard to guess");
    }
    if login.len() >= 3 && lower.contains(login) {
        return refused("must not contain your login");
    }
    Ok(())
}

/// The hash to store, in the usual text form (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`). Waits its turn.
pub async fn hash(password: Zeroizing<String>) -> Result<String> {
    let salt: [u8; SALT] = random_bytes()?;
    in_turn(move || {
        let cost = cost();
        let hash = derive(&password, &salt, cost, HASH)?;
        Ok(format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            cost.memory,
            cost.passes,
            cost.lanes,
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(&hash)
        ))
    })
    .await
}

/// Whether `password` has the hash `stored`. Without a stored one it takes just as long, and the answer is no.
pub async fn verify(password: Zeroizing<String>, stored: Option<String>) -> Result<bool> {
    in_turn(move || {
        let Some(stored) = stored else {
            derive(&password, &[0; SALT], cost(), HASH)?;
            return Ok(false);
        };
        let (cost, salt, hash) = parse(&stored).ok_or_else(|| Error::internal("a stored password hash is damaged"))?;
        let derived = derive(&password, &salt, cost, hash.len())?;
        Ok(derived.len() == hash.len() && memcmp::eq(&derived, &hash))
    })
    .await
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let turn = TURN.acquire().await.map_err(Error::internal)?;
    let done = tokio::task::spawn_blocking(work).await.map_err(Error::internal)?;
    drop(turn);
    done
}

fn derive(password: &str, salt: &[u8], cost: Cost, length: usize) -> Result<Zeroizing<Vec<u8>>> {
    // A longer one can be nobody's, since none is stored; hashing it would only cost time.
    let password = password.as_bytes();
    let password = password.get(..LONGEST + 1).unwrap_or(password);
    let mut hash = Zeroizing::new(vec![0; length]);
    kdf::argon2id(None, password, salt, None, None, cost.passes, cost.lanes, cost.memory, &mut hash)?;
    Ok(hash)
}

fn parse(stored: &str) -> Option<(Cost, Vec<u8>, Vec<u8>)> {
    let rest = stored.strip_prefix("$argon2id$v=19$")?;
    let mut parts = rest.split('$');
    let (costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let mut numbers =
        costs.split(',').zip(["m=", "t=", "p="]).map(|(part, name)| part.strip_prefix(name)?.parse().ok());
    let (memory, passes, lanes) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let (salt, hash) = (STANDARD_NO_PAD.decode(salt).ok()?, STANDARD_NO_PAD.decode(hash).ok()?);
    (parts.next().is_none() && !hash.is_empty()).then_some((Cost { memory, passes, lanes }, salt, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn only_the_right_password_fits_its_hash() {
        let initial = initial().await.expect("a password");
        assert_eq!(initial.words.split('-').filter(|word| word.len() >= 3).count(), 3);
        assert!(initial.hash.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"));
        check_strength(&initial.words, "clerk").expect("three words are enough");
        assert!(verify(initial.words.clone(), Some(initial.hash.clone())).await.expect("verifies"));
        assert!(!verify(secret("three-other-words"), Some(initial.hash)).await.expect("verifies"));
        assert!(!verify(initial.words, None).await.expect("verifies"));
        assert!(verify(secret("x"), Some("$argon2i$v=19$m=1,t=1,p=1$AA$AA".to_owned())).await.is_err());
    }

    #[test]
    fn a_stored_hash_is_read_strictly() {
        let (cost, salt, hash) =
            parse("$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQxMjM0NTY$AAAA").expect("the usual form");
        assert_eq!(cost, COST);
        assert_eq!(salt, b"somesalt123456");
        assert_eq!(hash.len(), 3);
        for broken in
            ["", "$argon2id$v=19$m=1,t=1$AA$AA", "$argon2id$v=19$m=1,t=1,p=1$AA$AA$AA", "$argon2id$v=19$x$y$z"]
        {
            assert!(parse(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn weak_passwords_are_refused() {
        for (password, login) in
            [("short", "x"), ("aaaaaaaaaaaaaaaa", "x"), ("mrs-jones-2024-x", "mrs-jones"), ("", "x"), ("one two", "x")]
        {
            assert!(check_strength(password, login).is_err(), "{password}");
        }
        for password in ["red fox den", "correct horse battery", "Tr0ub4dor&3xyz"] {
            check_strength(password, "clerk").expect(password);
        }
        assert!(check_strength(&"abcdef".repeat(50), "x").is_err());
    }
}
