//! What is known of submitted jobs, on disk: one small file a job, replaced whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Submission;

/// A folder of jobs.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    folder: Arc<PathBuf>,
}

impl Journal {
    /// Opens a folder, which is made when it is missing.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let folder = folder.join("submissions");
        fs::create_dir_all(&folder)?;
        Ok(Self { folder: Arc::new(folder) })
    }

    /// All jobs. A file that cannot be read is an error: to take a job for unknown would be to run it twice.
    pub(super) fn read(&self) -> io::Result<Vec<Submission>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&*self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let bytes = fs::read(&path)?;
                let unreadable = |error: serde_json::Error| {
                    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
                };
                all.push(serde_json::from_slice(&bytes).map_err(unreadable)?);
            }
        }
        Ok(all)
    }

    /// Notes a job for good.
    pub(super) fn write(&self, submission: &Submission) -> io::Result<()> {
        let path = self.path(&submission.id);
        let draft = path.with_extension("draft");
        let mut file = File::create(&draft)?;
        file.write_all(&serde_json::to_vec(submission)?)?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(&*self.folder)?.sync_all()
    }

    /// Forgets a job.
    pub(super) fn remove(&self, id: &str) -> io::Result<()> {
        match fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Ids are checked at the door to be letters, digits, dots and hyphens.
    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}
