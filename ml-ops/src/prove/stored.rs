//! Keys whose encoded weights are in a file: made once, then mapped.

use std::fs::File;
use std::io;

use binfer_hash::{Digest, HashKind};
use binfer_pcs::Params;
use binfer_pcs::store::{self, OracleId, StoreError};
use thiserror::Error;

use super::{ProverKey, Salt, oracle_words};
use crate::argument::{Plan, model_shape};
use crate::commitment::ModelCommitment;
use crate::graph::{Graph, Model};

/// Why [`ProverKey::open`] gives no key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The model has another graph than the commitment.
    #[error("the model's graph is not the committed one")]
    OtherGraph,
    /// The file is not the oracle of this model under this commitment.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ProverKey {
    /// The commitment of [`Self::new`], and in `file`, which is empty, the weights encoded and hashed: what
    /// [`Self::open`] maps. They are as secret as the model.
    ///
    /// Memory beyond the model is little more than as many bytes as the weights have. Precondition: as for
    /// [`Self::new`].
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn create(
        model: &Model,
        params: Params,
        salt: &Salt,
        file: &File,
    ) -> io::Result<ModelCommitment> {
        let (log_row, words) = oracle_words(model, &params, salt);
        let label = weights_digest(model);
        let id = store::create(&params, log_row, words, label, file)?;
        Ok(ModelCommitment::new(model.graph.clone(), params, id.root))
    }

    /// The key that [`Self::create`] left in `file`, which must not change as long as the key lives.
    ///
    /// Nothing is copied and only the file's first page is checked; every proof of such a key is
    /// verified before it is given out.
    ///
    /// # Errors
    /// [`OpenError`] where model, commitment and file do not belong together.
    pub fn open(model: Model, commitment: ModelCommitment, file: &File) -> Result<Self, OpenError> {
        if model.graph != *commitment.graph {
            return Err(OpenError::OtherGraph);
        }
        // Edges of step functions, as large as weights perhaps, are held once.
        let model = Model { graph: Graph::clone(&commitment.graph), ..model };
        let id = OracleId {
            params: commitment.params,
            shape: model_shape(&commitment.params, &Plan::new(&model.graph, 1)),
            label: weights_digest(&model),
            root: commitment.root,
        };
        let oracle = store::open(&id, file)?;
        Ok(Self::from_oracle(model, oracle, commitment, true))
    }
}

/// What tells the weights of one model from those of another with the same graph.
fn weights_digest(model: &Model) -> Digest {
    let mut digests = Vec::new();
    for matrix in &model.weights {
        digests.extend(HashKind::Blake3.hash(&matrix.index));
        let bias: Vec<u8> = matrix.bias.iter().flat_map(|b| b.to_le_bytes()).collect();
        digests.extend(HashKind::Blake3.hash(&bias));
    }
    HashKind::Blake3.hash(&digests)
}
