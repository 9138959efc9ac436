//! The encoded weights beside the key: made under another name, so that a finished file never changes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use binfer_ml_ops::graph::Model;
use binfer_ml_ops::{ModelCommitment, Params, ProverKey, Salt};

use crate::failure::Failure;
use crate::files;

/// The name of the oracle within the prover's folder.
pub(crate) const ORACLE_FILE: &str = "model.oracle";

/// An oracle that is not in its place yet; one that is dropped leaves no file.
pub(crate) struct Draft {
    path: PathBuf,
}

impl Draft {
    /// Commits to `model`, the oracle being written to a new file in `folder`.
    pub(crate) fn commit(
        folder: &Path,
        model: &Model,
        params: Params,
        salt: &Salt,
    ) -> Result<(Self, ModelCommitment), Failure> {
        let path = folder.join(format!("{ORACLE_FILE}.{}", std::process::id()));
        let failure = |source| Failure::Io { path: path.clone(), source };
        let file = files::create_private(&path).map_err(failure)?;
        let draft = Self { path: path.clone() };
        let commitment = ProverKey::create(model, params, salt, &file).map_err(failure)?;
        Ok((draft, commitment))
    }

    /// Puts the oracle in its place, whatever was there; maps of an older one keep what they show.
    pub(crate) fn publish(self, path: &Path) -> Result<(), Failure> {
        let failure = |source| Failure::Io { path: path.to_owned(), source };
        fs::rename(&self.path, path).map_err(failure)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Once published it has another name.
        let _ = fs::remove_file(&self.path);
    }
}

/// The file at `path`, or `None` where there is none.
pub(crate) fn find(path: &Path) -> Result<Option<File>, Failure> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Failure::Io { path: path.to_owned(), source }),
    }
}
