//! Bearer tokens: who may come in by a door, and as what.
//!
//! A file, or every file of a folder such as a mounted Secret, has a line a token: `NAME ROLE SHA256 [EXPIRES]`. Only the
//! hash of a token is known here, so the file gives nobody access. It is read again when it changes. This file knows no
//! door and no protocol.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::{DateTime, Utc};
use parking_lot::RwLock;
use sha2::{Digest as _, Sha256};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// Arrow's Go client, which ADBC uses, leaves the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Bytes of a hash.
const DIGEST_BYTES: usize = 32;

/// What a caller may do; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look at the state of the server and its jobs.
    Viewer,
    /// Run queries and jobs, and cancel the own ones.
    User,
    /// Everything, jobs of others and executors included.
    Admin,
}

impl Role {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "viewer" => Self::Viewer,
            "user" => Self::User,
            "admin" => Self::Admin,
            _ => return None,
        })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::User => "user",
            Self::Admin => "admin",
        })
    }
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name of the token.
    pub name: String,
    /// What the caller may do.
    pub role: Role,
}

/// The SHA-256 of a token.
pub type TokenDigest = [u8; DIGEST_BYTES];

/// Tokens that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokensError {
    /// The file cannot be read.
    #[error("failed to read tokens from {path}")]
    Read {
        /// File or folder.
        path: String,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// A line is not understood.
    #[error("line {line} of the tokens in {path} is not understood: {problem}")]
    Line {
        /// File or folder.
        path: String,
        /// From 1, over all files of a folder in the order of their names.
        line: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    caller: Caller,
    digest: TokenDigest,
    expires: Option<DateTime<Utc>>,
}

/// The tokens of a file.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    known: RwLock<Vec<Entry>>,
}

impl Tokens {
    /// The tokens of a file or folder.
    ///
    /// # Errors
    /// When it cannot be read or a line is not understood.
    pub fn open(path: PathBuf) -> Result<Arc<Self>, TokensError> {
        let text = read(&path).map_err(|source| TokensError::Read { path: path.display().to_string(), source })?;
        let (known, problems) = parse(&text);
        if let Some((line, problem)) = problems.into_iter().next() {
            return Err(TokensError::Line { path: path.display().to_string(), line, problem });
        }
        Ok(Arc::new(Self { path, known: RwLock::new(known) }))
    }

    /// Who has a token; nobody once it has expired.
    #[must_use]
    pub fn caller(&self, token: &str) -> Option<Caller> {
        self.holder(&digest(token))
    }

    /// Who has the token of a hash; nobody once it has expired or is gone from the file.
    #[must_use]
    pub fn holder(&self, digest: &TokenDigest) -> Option<Caller> {
        let now = Utc::now();
        let known = self.known.read();
        // All are compared, each in full, so that the time does not tell how much of a hash was right.
        let mut found = None;
        for entry in known.iter() {
            if same(&entry.digest, digest) && entry.expires.is_none_or(|expires| now < expires) {
                found = Some(&entry.caller);
            }
        }
        found.cloned()
    }

    /// Reads the file again. A line that is not understood lets nobody in, and a file that cannot be read nobody at all.
    /// Blocks.
    fn refresh(&self) {
        let known = match read(&self.path) {
            Ok(text) => {
                let (known, problems) = parse(&text);
                if *self.known.read() == known {
                    return;
                }
                for (line, problem) in problems {
                    tracing::error!(path = %self.path.display(), line, problem, "a token is not understood");
                }
                known
            }
            Err(error) => {
                if self.known.read().is_empty() {
                    return;
                }
                tracing::error!(path = %self.path.display(), %error, "failed to read tokens: nobody is let in");
                Vec::new()
            }
        };
        tracing::info!(tokens = known.len(), "tokens changed");
        *self.known.write() = known;
    }
}

/// Follows changes of the file for ever.
pub async fn follow(tokens: Arc<Tokens>) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let tokens = Arc::clone(&tokens);
        if let Err(error) = tokio::task::spawn_blocking(move || tokens.refresh()).await {
            tracing::error!(%error, "reading tokens broke");
        }
    }
}

/// The hash a token is known by.
#[must_use]
pub fn digest(token: &str) -> TokenDigest {
    Sha256::digest(token.as_bytes()).into()
}

/// What an `authorization` header holds: the user, if it names one, and the token, which is a password there (RFC 6750, 7617).
#[must_use]
pub fn credentials(header: &str) -> Option<(Option<String>, String)> {
    let (scheme, rest) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some((None, rest.trim().to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(rest.trim()).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (Some(user.to_owned()), password.to_owned()))
}

/// Compares in a time that does not tell where the hashes differ.
fn same(left: &TokenDigest, right: &TokenDigest) -> bool {
    left.iter().zip(right).fold(0, |sum, (left, right)| sum | (left ^ right)) == 0
}

/// The text of a file, or of the files of a folder. Hidden ones are the bookkeeping of a mounted Secret.
fn read(path: &Path) -> std::io::Result<String> {
    if !path.is_dir() {
        return std::fs::read_to_string(path);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            files.push(entry.path());
        }
    }
    files.sort();
    let mut text = String::new();
    for file in files.iter().filter(|file| file.is_file()) {
        text.push_str(&std::fs::read_to_string(file)?);
        text.push('\n');
    }
    Ok(text)
}

/// The tokens of a text, and lines that are none with what is wrong.
fn parse(text: &str) -> (Vec<Entry>, Vec<(usize, &'static str)>) {
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match entry(line) {
            Ok(entry) => entries.push(entry),
            Err(problem) => problems.push((index + 1, problem)),
        }
    }
    (entries, problems)
}

fn entry(line: &str) -> Result<Entry, &'static str> {
    let mut words = line.split_whitespace();
    let (Some(name), Some(role), Some(hash)) = (words.next(), words.next(), words.next()) else {
        return Err("expected NAME ROLE SHA256 [EXPIRES]");
    };
    let role = Role::parse(role).ok_or("the role is none of viewer, user and admin")?;
    let digest = hex(hash).ok_or("the SHA-256 is not 64 hexadecimal digits")?;
    let expires = match words.next() {
        None => None,
        Some(text) => {
            let time =
                DateTime::parse_from_rfc3339(text).map_err(|_| "the expiry is no time such as 2027-01-31T00:00:00Z")?;
            Some(time.to_utc())
        }
    };
    if words.next().is_some() {
        return Err("there are more than four words");
    }
    Ok(Entry { caller: Caller { name: name.to_owned(), role }, digest, expires })
}

fn hex(text: &str) -> Option<TokenDigest> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    if digits.len() == 2 * DIGEST_BYTES { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, role: &str, token: &str, rest: &str) -> String {
        let hash: String = digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{name} {role} {hash} {rest}\n")
    }

    #[test]
    fn a_token_is_its_holder_until_it_expires_or_is_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens");
        let text = [
            "# people\n\n".into(),
            line("ann", "user", "a-secret", ""),
            line("ann", "user", "a-next-secret", "2999-01-01T00:00:00Z"),
            line("old", "admin", "o-secret", "2001-01-01T00:00:00+03:00"),
            line("root", "admin", "r-secret", ""),
        ];
        std::fs::write(&file, text.concat()).unwrap();
        for path in [file.clone(), folder.path().to_path_buf()] {
            let tokens = Tokens::open(path).unwrap();
            let ann = Some(Caller { name: "ann".into(), role: Role::User });
            assert_eq!((tokens.caller("a-secret"), tokens.caller("a-next-secret")), (ann.clone(), ann));
            assert_eq!(tokens.caller("r-secret").map(|caller| caller.role), Some(Role::Admin));
            for wrong in ["o-secret", "", "a-secre", "a-secret ", "A-secret"] {
                assert_eq!(tokens.caller(wrong), None, "{wrong}");
            }
        }
        let tokens = Tokens::open(file.clone()).unwrap();
        std::fs::write(&file, format!("{}bob nobody 00\n", line("ann", "viewer", "a-secret", ""))).unwrap();
        tokens.refresh();
        assert_eq!(tokens.caller("a-secret").map(|caller| caller.role), Some(Role::Viewer));
        assert_eq!(tokens.caller("r-secret"), None);
        std::fs::remove_file(&file).unwrap();
        tokens.refresh();
        assert_eq!(tokens.caller("a-secret"), None);
    }

    #[test]
    fn lines_that_are_not_understood_are_named() {
        let hash = "0".repeat(64);
        let problem = |line: &str| parse(line).1;
        assert_eq!(problem(&format!("ann user {hash}")), []);
        for (bad, word) in [
            ("ann user".to_owned(), "expected"),
            (format!("ann root {hash}"), "role"),
            (format!("ann user {}", "0".repeat(63)), "hexadecimal"),
            (format!("ann user {}", "x".repeat(64)), "hexadecimal"),
            (format!("ann user {hash} tomorrow"), "expiry"),
            (format!("ann user {hash} 2027-01-31T00:00:00Z more"), "four"),
        ] {
            let found = problem(&format!("# one\n{bad}"));
            assert!(matches!(found.as_slice(), [(2, text)] if text.contains(word)), "{bad}: {found:?}");
        }
        assert!(Tokens::open("no/such/file".into()).is_err());
    }

    #[test]
    fn credentials_are_read_from_headers() {
        let basic = format!("Basic {}", BASE64.encode("ann:s:cret"));
        assert_eq!(credentials(&basic), Some((Some("ann".into()), "s:cret".into())));
        assert_eq!(credentials(basic.trim_end_matches('=')), credentials(&basic));
        assert_eq!(credentials("bearer t"), Some((None, "t".into())));
        for none in ["Basic ???", "t", "Digest t", ""] {
            assert_eq!(credentials(none), None, "{none}");
        }
    }

    #[test]
    fn roles_are_ordered() {
        assert!(Role::Viewer < Role::User && Role::User < Role::Admin);
    }
}
