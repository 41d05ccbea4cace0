//! Secrets at rest: AES-256-GCM under a key kept outside the database, bound to the row they belong to.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 12;
const TAG: usize = 16;

/// What a sealed secret is for; part of what binds it to its row. The words are for ever: they are authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named for the column it seals")]
pub enum Purpose {
    InstallationKey,
    Canary,
    AuthorityKey,
    PushKey,
    PushMagic,
    UnlockToken,
    TotpSeed,
    PolicySecret,
    BypassCode,
    TlsKey,
    StoredAnswer,
    GoogleKey,
    MailPassword,
}

impl Purpose {
    const fn word(self) -> &'static str {
        match self {
            Self::InstallationKey => "installation key",
            Self::Canary => "canary",
            Self::AuthorityKey => "authority key",
            Self::PushKey => "push key",
            Self::PushMagic => "push magic",
            Self::UnlockToken => "unlock token",
            Self::TotpSeed => "totp seed",
            Self::PolicySecret => "policy secret",
            Self::BypassCode => "bypass code",
            Self::TlsKey => "tls key",
            Self::StoredAnswer => "stored answer",
            Self::GoogleKey => "google key",
            Self::MailPassword => "mail password",
        }
    }
}

struct Key {
    id: [u8; KEY_ID],
    secret: Zeroizing<[u8; 32]>,
}

/// Seals and opens secrets. The first key seals; all of them open, so that a rotation can be under way.
pub struct Sealer {
    keys: RwLock<Arc<Vec<Key>>>,
    key_file: Arc<tokio::sync::RwLock<()>>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Sealer({} keys)", self.keys().len())
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    openssl::rand::rand_bytes(&mut bytes)?;
    Ok(bytes)
}

impl Sealer {
    /// The text of a new key file: one line, `<key id> <key>`, both in hexadecimal.
    pub fn new_key_line() -> Result<Zeroizing<String>> {
        let id: [u8; KEY_ID] = random()?;
        let secret = Zeroizing::new(random::<32>()?);
        Ok(Zeroizing::new(format!("{} {}\n", hex::encode(id), hex::encode(*secret))))
    }

    /// Reads a key file: the first line's key seals, every line's key opens.
    pub fn from_text(text: &str) -> Result<Self> {
        Ok(Self { keys: RwLock::new(Arc::new(Self::parse(text)?)), key_file: Arc::default() })
    }

    /// Who may touch the key file: one exchange of the key alone, or any number of backups, which need file and database
    /// to fit each other.
    #[must_use]
    pub fn key_file(&self) -> Arc<tokio::sync::RwLock<()>> {
        Arc::clone(&self.key_file)
    }

    /// The ids of the keys that this server opens with and that `text`, the key file as it is now, no longer has.
    pub fn missing_from(&self, text: &str) -> Result<Vec<String>> {
        let present = Self::parse(text)?;
        let keys = self.keys();
        let missing = keys.iter().filter(|key| !present.iter().any(|other| other.secret == key.secret));
        Ok(missing.map(|key| hex::encode(key.id)).collect())
    }

    /// The lines of `text`, a key file, whose keys seal now or have their id in `needed`; and how many were left out.
    pub fn without_unneeded(text: &str, needed: &BTreeSet<String>) -> Result<(Zeroizing<String>, usize)> {
        Self::parse(text)?;
        let (mut kept, mut left_out) = (Zeroizing::new(String::new()), 0);
        for (place, line) in text.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
            let id = line.split_once(' ').map_or(line, |(id, _)| id).to_lowercase();
            if place == 0 || needed.contains(&id) {
                kept.push_str(line);
                kept.push('\n');
            } else {
                left_out += 1;
            }
        }
        Ok((kept, left_out))
    }

    /// The id of the key that `sealed` was sealed under, in hexadecimal.
    #[must_use]
    pub fn key_id_of(sealed: &[u8]) -> Option<String> {
        sealed.get(1..=KEY_ID).map(hex::encode)
    }

    /// Takes on another text of the key file, in a server that goes on running.
    pub fn reload(&self, text: &str) -> Result<()> {
        let keys = Arc::new(Self::parse(text)?);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    fn keys(&self) -> Arc<Vec<Key>> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn parse(text: &str) -> Result<Vec<Key>> {
        let wrong = |line: usize| {
            Error::invalid(
                "sealing key",
                format!("line {line} must be 8 hexadecimal digits, a space and 64 hexadecimal digits"),
            )
        };
        let mut keys = Vec::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let (id, secret) = line.trim().split_once(' ').ok_or_else(|| wrong(number + 1))?;
            let mut key = Key { id: [0; KEY_ID], secret: Zeroizing::new([0; 32]) };
            hex::decode_to_slice(id, &mut key.id).map_err(|_| wrong(number + 1))?;
            hex::decode_to_slice(secret.trim(), &mut *key.secret).map_err(|_| wrong(number + 1))?;
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(Error::invalid("sealing key", "the key file is empty; restore it from your backup"));
        }
        Ok(keys)
    }

    /// Reads the key file at `path`.
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|problem| Error::invalid("sealing_key", format!("cannot read {}: {problem}", path.display())))?;
        Self::from_text(&text)
    }

    /// The id of the key that seals now, in hexadecimal.
    #[must_use]
    pub fn current_key_id(&self) -> String {
        self.keys().first().map(|key| hex::encode(key.id)).unwrap_or_default()
    }

    /// Whether `sealed` was sealed under the key that seals now.
    #[must_use]
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        self.keys().first().is_some_and(|key| sealed.get(1..=KEY_ID) == Some(key.id.as_slice()))
    }

    /// Seals `secret` for one row; `owner` is the council's id, or "installation".
    pub fn seal(&self, purpose: Purpose, owner: &str, row: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let keys = self.keys();
        let key = keys.first().ok_or_else(|| Error::internal("no sealing key"))?;
        let nonce: [u8; NONCE] = random()?;
        let mut tag = [0; TAG];
        let text = encrypt_aead(
            Cipher::aes_256_gcm(),
            &*key.secret,
            Some(&nonce),
            &associated(purpose, owner, row),
            secret,
            &mut tag,
        )?;
        Ok([&[VERSION][..], &key.id, &nonce, &text, &tag].concat())
    }

    /// Opens what `seal` made for the same purpose, owner and row.
    pub fn open(&self, purpose: Purpose, owner: &str, row: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let broken = || {
            Error::Internal(format!(
                "a sealed {} cannot be opened: it was changed, moved, or sealed under a key that is not in the key \
                 file",
                purpose.word()
            ))
        };
        let (head, rest) = sealed.split_at_checked(1 + KEY_ID + NONCE).ok_or_else(broken)?;
        let (text, tag) = rest.split_at_checked(rest.len().saturating_sub(TAG)).ok_or_else(broken)?;
        let (version, head) = head.split_at_checked(1).ok_or_else(broken)?;
        let (id, nonce) = head.split_at_checked(KEY_ID).ok_or_else(broken)?;
        let keys = self.keys();
        let key = keys.iter().find(|key| key.id == id).ok_or_else(broken)?;
        if version != [VERSION] || tag.len() != TAG {
            return Err(broken());
        }
        decrypt_aead(Cipher::aes_256_gcm(), &*key.secret, Some(nonce), &associated(purpose, owner, row), text, tag)
            .map(Zeroizing::new)
            .map_err(|_| broken())
    }
}

fn associated(purpose: Purpose, owner: &str, row: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in [purpose.word(), owner, row] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::from_text(&Sealer::new_key_line().expect("random")).expect("just made")
    }

    #[test]
    fn opens_only_where_it_was_sealed() {
        let sealer = sealer();
        let sealed = sealer.seal(Purpose::PushKey, "council-a", "row-1", b"secret").expect("seals");
        let open = |purpose, owner, row| sealer.open(purpose, owner, row, &sealed);
        assert_eq!(open(Purpose::PushKey, "council-a", "row-1").expect("opens").as_slice(), b"secret");
        assert!(open(Purpose::PushKey, "council-b", "row-1").is_err());
        assert!(open(Purpose::PushKey, "council-a", "row-2").is_err());
        assert!(open(Purpose::TotpSeed, "council-a", "row-1").is_err());
    }

    #[test]
    fn a_new_first_key_still_opens_the_old() {
        let old = Sealer::new_key_line().expect("random");
        let sealed = Sealer::from_text(&old).expect("key").seal(Purpose::PushKey, "c", "r", b"x").expect("seals");
        let both = format!("{}{}", *Sealer::new_key_line().expect("random"), *old);
        let both = Sealer::from_text(&both).expect("keys");
        assert!(!both.is_current(&sealed));
        assert_eq!(both.open(Purpose::PushKey, "c", "r", &sealed).expect("opens").as_slice(), b"x");
    }

    #[test]
    fn a_key_file_is_thinned_out_by_what_is_needed_and_its_first_key_stays() {
        let lines: Vec<_> = (0..3).map(|_| Sealer::new_key_line().expect("random")).collect();
        let text = format!("{}\n{}{}", *lines[0], *lines[1], *lines[2]);
        let id = |line: &str| line[..8].to_owned();
        let (kept, left_out) = Sealer::without_unneeded(&text, &BTreeSet::from([id(&lines[2])])).expect("a key file");
        assert_eq!((kept.as_str(), left_out), (format!("{}{}", *lines[0], *lines[2]).as_str(), 1));
        let all = Sealer::from_text(&text).expect("keys");
        assert_eq!(all.missing_from(&text).expect("a key file"), Vec::<String>::new());
        assert_eq!(all.missing_from(&kept).expect("a key file"), [id(&lines[1])]);
        let sealed = all.seal(Purpose::PushKey, "c", "r", b"x").expect("seals");
        assert_eq!(Sealer::key_id_of(&sealed), Some(id(&lines[0])));
    }

    #[test]
    fn any_changed_byte_is_refused() {
        let sealer = sealer();
        let sealed = sealer.seal(Purpose::PushKey, "c", "r", b"secret").expect("seals");
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(sealer.open(Purpose::PushKey, "c", "r", &changed).is_err(), "byte {index}");
            assert!(sealer.open(Purpose::PushKey, "c", "r", &sealed[..index]).is_err(), "cut at {index}");
        }
    }
}
