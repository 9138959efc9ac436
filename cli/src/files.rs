//! Files by path, with errors that name them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};

use binfer_ml_ops::ModelCommitment;
use binfer_ml_ops::array::Array;
use binfer_ml_ops::graph::{MODEL_MAGIC, Model};
use binfer_ml_ops::onnx::{ExternalData, Tail};

use crate::failure::Failure;
use crate::npy;

/// All bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|source| Failure::Io { path: path.to_owned(), source })
}

/// Makes `bytes` the content of a file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|source| Failure::Io { path: path.to_owned(), source })
}

/// A new file that only its owner can read, where the system has owners.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The model of an ONNX file, or one that `binfer quantize` wrote. What of a file is no part of the model is said on the terminal.
pub(crate) fn read_model(path: &Path) -> Result<Model, Failure> {
    let bytes = read(path)?;
    if bytes.starts_with(&MODEL_MAGIC) {
        return Model::from_bytes(&bytes).map_err(|e| Failure::malformed(path, e));
    }
    let found = Model::from_onnx_without_tail(bytes, &mut |place| beside(path, place));
    let (model, tail) = found.map_err(|e| Failure::malformed(path, e))?;
    if let Some(tail) = tail {
        writeln!(io::stderr(), "note: {}", left_out(&tail))?;
    }
    Ok(model)
}

/// What a file has that is no part of the model, in a sentence.
pub(crate) fn left_out(tail: &Tail) -> String {
    let named = |(name, operator): &(String, String)| match name.is_empty() {
        true => operator.clone(),
        false => format!("{name:?} ({operator})"),
    };
    let nodes: Vec<String> = tail.nodes.iter().map(named).collect();
    let quoted = |names: &[String]| {
        names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
    };
    format!(
        "{} of the file is not what is proved: it is computed in floats by {} from {}, which is the model's output",
        quoted(&tail.outputs),
        nodes.join(", "),
        quoted(&tail.from),
    )
}

/// A part of a file in the folder of the model at `path`; `None` if it is in another or is not that long.
pub(crate) fn beside(path: &Path, place: &ExternalData) -> Option<Vec<u8>> {
    let name = Path::new(&place.location);
    let is_name = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !name.components().all(is_name) {
        return None;
    }
    let mut file = File::open(path.parent()?.join(name)).ok()?;
    let rest = file.metadata().ok()?.len().checked_sub(place.offset)?;
    let length = place.length.unwrap_or(rest);
    if length > rest {
        return None;
    }
    file.seek(SeekFrom::Start(place.offset)).ok()?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The commitment of a file.
pub(crate) fn read_commitment(path: &Path) -> Result<ModelCommitment, Failure> {
    ModelCommitment::from_bytes(&read(path)?).map_err(|e| Failure::malformed(path, e))
}

/// The array of a NumPy file.
pub(crate) fn read_array(path: &Path) -> Result<Array, Failure> {
    npy::parse(&read(path)?).map_err(|e| Failure::malformed(path, e))
}

/// The arrays of NumPy files.
pub(crate) fn read_arrays(paths: &[PathBuf]) -> Result<Vec<Array>, Failure> {
    paths.iter().map(|path| read_array(path)).collect()
}
