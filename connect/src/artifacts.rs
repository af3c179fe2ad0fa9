//! Files and blobs that a client uploads for its session, kept in memory up to a limit.
//!
//! It knows neither messages nor what the files are for.

use std::collections::HashMap;

use bytes::Bytes;
use firesteel_functions::error::{ErrorKind, SparkError, SparkResult};
use parking_lot::RwLock;

const CACHE: &str = "cache/";
/// Folders a client may upload to.
const FOLDERS: [&str; 6] = ["jars/", "classes/", "pyfiles/", "archives/", "files/", CACHE];
/// Bytes one session may keep; Spark's `spark.sql.session.localRelationSizeLimit`.
const MAX_BYTES: usize = 3 * 1024 * 1024 * 1024;

/// What a session has uploaded, by name.
#[derive(Debug, Default)]
pub(crate) struct Artifacts {
    files: RwLock<HashMap<String, Bytes>>,
}

impl Artifacts {
    /// Keeps a file.
    ///
    /// # Errors
    ///
    /// When the name is no relative path below a known folder, when a file of that name has other content, and when
    /// the session keeps too much.
    pub(crate) fn add(&self, name: &str, data: Bytes) -> SparkResult<()> {
        check_name(name)?;
        if name.starts_with("jars/") || name.starts_with("classes/") {
            return Err(SparkError::unsupported("JVM artifacts (jars and classes): this engine has no JVM"));
        }
        let mut files = self.files.write();
        match files.get(name) {
            Some(kept) if *kept == data => return Ok(()),
            Some(_) if !name.starts_with(CACHE) => {
                let parameters = [("normalizedRemoteRelativePath", name)];
                return Err(SparkError::new(ErrorKind::Runtime, "ARTIFACT_ALREADY_EXISTS", &parameters));
            }
            _ => {}
        }
        let kept: usize = files.values().map(Bytes::len).sum();
        if kept.saturating_add(data.len()) > MAX_BYTES {
            let (actual, limit) = ((kept + data.len()).to_string(), MAX_BYTES.to_string());
            let parameters = [("actualSize", actual.as_str()), ("limit", limit.as_str())];
            return Err(crate::decode::invalid("LOCAL_RELATION_SIZE_LIMIT_EXCEEDED", &parameters));
        }
        // A slice would keep the whole message it came in.
        files.insert(name.to_string(), Bytes::from(data.to_vec()));
        Ok(())
    }

    /// Whether there is a file of that name.
    pub(crate) fn exists(&self, name: &str) -> bool {
        self.files.read().contains_key(name)
    }

    /// The same files, for a cloned session.
    pub(crate) fn copy(&self) -> Self {
        Self { files: RwLock::new(self.files.read().clone()) }
    }
}

impl crate::decode::Blobs for Artifacts {
    fn cached(&self, hash: &str) -> Option<Bytes> {
        self.files.read().get(&format!("{CACHE}{hash}")).cloned()
    }
}

fn check_name(name: &str) -> SparkResult<()> {
    let plain = name.split('/').all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains('\\'));
    if plain && FOLDERS.iter().any(|folder| name.starts_with(folder)) {
        return Ok(());
    }
    if name.starts_with("forward_to_fs/") {
        return Err(SparkError::unsupported("copying of local files to the file system of the server"));
    }
    Err(SparkError::new(ErrorKind::Runtime, "INVALID_ARTIFACT_PATH", &[("name", name)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Blobs;

    #[test]
    fn names_stay_inside_their_folder_and_content_does_not_change() {
        let artifacts = Artifacts::default();
        artifacts.add("cache/abc", Bytes::from_static(b"1")).unwrap();
        assert_eq!(artifacts.cached("abc").unwrap(), "1");
        artifacts.add("pyfiles/a.py", Bytes::from_static(b"x")).unwrap();
        artifacts.add("pyfiles/a.py", Bytes::from_static(b"x")).unwrap();
        assert_eq!(
            artifacts.add("pyfiles/a.py", Bytes::from_static(b"y")).unwrap_err().condition(),
            "ARTIFACT_ALREADY_EXISTS"
        );
        for bad in ["../x", "files/../x", "/files/x", "x", "files/"] {
            assert!(artifacts.add(bad, Bytes::new()).is_err(), "{bad}");
        }
    }
}
