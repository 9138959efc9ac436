//! `binfer prove`: a proof that the committed model maps an input to an output.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use binfer_ml_ops::graph::Model;
use binfer_ml_ops::{ModelCommitment, OpenError, ProveError, ProverKey};

use crate::awake;
use crate::failure::Failure;
use crate::files;
use crate::inputs::Inputs;
use crate::key::{COMMITMENT_FILE, KEY_FILE, Key};
use crate::oracle::{self, ORACLE_FILE};
use crate::progress::{Phases, human};
use crate::run::statement;
use crate::size::Size;

/// Prove that a committed model maps an input to an output.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model that was committed, for it to be compared; without it, the weights are those of DIR/model.oracle
    model: Option<PathBuf>,
    /// The folder that `binfer commit` wrote
    #[arg(long, value_name = "DIR")]
    key: PathBuf,
    /// The input, one sample or a batch; each of several, in their order or as NAME=FILE
    #[arg(long, value_name = "X.npy", required = true)]
    input: Vec<PathBuf>,
    /// The output, as `binfer run` writes it; each of several, in their order
    #[arg(long, value_name = "Y.npy", required = true)]
    output: Vec<PathBuf>,
    /// The file to write the proof to
    #[arg(long, value_name = "P")]
    proof: PathBuf,
    /// Most memory to take, as in 800M or 2G: proves in smaller groups of layers, whose proof is longer, or
    /// refuses
    #[arg(long, value_name = "SIZE")]
    max_memory: Option<Size>,
}

/// Bytes of memory that importing takes for each of an ONNX file: the decoded message, the array, its codes and the weights.
const IMPORT: u64 = 4;

impl Args {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        self.check_import()?;
        let (key, commitment) = self.committed()?;
        self.check_proof(&commitment)?;
        let model = self.committed_model(&commitment)?;
        let x = Inputs::read(commitment.graph(), &self.input)?;
        let y = files::read_arrays(&self.output)?;
        awake::keep();
        let mut phases = Phases::shown();
        let start = Instant::now();
        phases.start("read weights");
        let proof = self.prover(model, &key, commitment).and_then(|mut prover| {
            prover.set_max_memory(self.max_memory.map(|size| size.0));
            let proof = prover.prove(&x.arrays, &y, &mut |phase| phases.start(phase));
            proof.map_err(|e| self.failure(e, &x))
        });
        phases.finish();
        let proof = proof?;
        let bytes = proof.to_bytes();
        files::write(&self.proof, &bytes)?;
        writeln!(
            out,
            "proof  {}  {} bytes, batch of {}, {}",
            self.proof.display(),
            bytes.len(),
            proof.batch(),
            human(start.elapsed()),
        )?;
        Ok(())
    }

    /// The key and the commitment that belongs to it.
    fn committed(&self) -> Result<(Key, ModelCommitment), Failure> {
        let key = Key::read(&self.key.join(KEY_FILE))?;
        let commitment = files::read_commitment(&self.key.join(COMMITMENT_FILE))?;
        if commitment.digest() != key.digest {
            return Err(self.other_key());
        }
        Ok((key, commitment))
    }

    /// The model, if it is named: one with the committed graph.
    fn committed_model(&self, commitment: &ModelCommitment) -> Result<Option<Model>, Failure> {
        let Some(path) = &self.model else { return Ok(None) };
        let model = files::read_model(path)?;
        if model.graph != *commitment.graph() {
            return Err(self.other_key());
        }
        Ok(Some(model))
    }

    fn other_key(&self) -> Failure {
        Failure::OtherKey { path: self.key.join(KEY_FILE) }
    }

    /// Whether reading the model stays within the cap.
    fn check_import(&self) -> Result<(), Failure> {
        let (Some(Size(given)), Some(model)) = (self.max_memory, &self.model) else {
            return Ok(());
        };
        let metadata = fs::metadata(model);
        let needed = metadata.map_or(0, |file| file.len().saturating_mul(IMPORT));
        if needed > given {
            return Err(Failure::Statement(ProveError::Memory { needed, given }));
        }
        Ok(())
    }

    /// Whether a proof of the input may stay within the cap. What is wrong with the input is not for here.
    fn check_proof(&self, commitment: &ModelCommitment) -> Result<(), Failure> {
        let Some(Size(given)) = self.max_memory else { return Ok(()) };
        let graph = commitment.graph();
        let Ok(x) = Inputs::read(graph, &self.input) else { return Ok(()) };
        let Ok((_, batch)) = graph.encode(&x.arrays) else { return Ok(()) };
        commitment.check_memory(batch.size, given).map_err(Failure::Statement)
    }

    fn failure(&self, error: ProveError, inputs: &Inputs) -> Failure {
        match error {
            ProveError::Damaged(_) => Failure::malformed(&self.key.join(ORACLE_FILE), error),
            error => statement(error, inputs, &self.output),
        }
    }

    /// What proves the model: from the encoded weights if they are there, or else encoding those of the model.
    fn prover(
        &self,
        model: Option<Model>,
        key: &Key,
        commitment: ModelCommitment,
    ) -> Result<ProverKey, Failure> {
        let path = self.key.join(ORACLE_FILE);
        if let Some(file) = oracle::find(&path)? {
            let is_given = model.is_some();
            let opened = ProverKey::open(commitment, model.map(|model| model.weights), &file);
            return opened.map_err(|error| match error {
                OpenError::Weights if is_given => self.other_key(),
                error => Failure::malformed(&path, error),
            });
        }
        let model = model.ok_or(Failure::NoWeights { path })?;
        let prover = ProverKey::new(model, *commitment.params(), &key.salt);
        if *prover.commitment() != commitment {
            return Err(self.other_key());
        }
        Ok(prover)
    }
}
