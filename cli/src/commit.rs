//! `binfer commit`: the public commitment of a model, and the prover's key.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use binfer_ml_ops::{Params, random_salt};

use crate::failure::Failure;
use crate::files;
use crate::key::{COMMITMENT_FILE, KEY_FILE, Key};
use crate::oracle::{Draft, ORACLE_FILE};
use crate::progress::Phases;

/// Commit to a model's weights.
///
/// Writes DIR/model.commitment, which is public, and what the prover keeps secret: DIR/model.key, and
/// DIR/model.oracle, the weights and their encoding, without which every proof needs the model and encodes it again.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model: quantized ONNX, or what `binfer quantize` wrote
    model: PathBuf,
    /// The folder to write to; made if absent
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace the key of another model
    #[arg(long)]
    force: bool,
    /// What the proofs of this commitment are to be; both have at least 100 bits of soundness
    #[arg(long, value_enum, default_value_t = Profile::Fast)]
    profile: Profile,
}

/// Parameters by name.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Profile {
    /// The fastest prover: rate 1/2
    Fast,
    /// Openings smaller by a third: rate 1/4 and proof of work; committing costs twice as much
    Small,
}

impl Profile {
    fn params(self) -> Params {
        match self {
            Self::Fast => Params::fast(),
            Self::Small => Params::small(),
        }
    }
}

impl Args {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let model = files::read_model(&self.model)?;
        fs::create_dir_all(&self.out)
            .map_err(|source| Failure::Io { path: self.out.clone(), source })?;
        let (key_path, commitment_path) = (self.out.join(KEY_FILE), self.out.join(COMMITMENT_FILE));
        let kept =
            if self.force || !key_path.exists() { None } else { Some(Key::read(&key_path)?) };
        let salt = kept.as_ref().map_or_else(|| random_salt(&mut rand::rng()), |key| key.salt);
        let mut phases = Phases::shown();
        phases.start("commit");
        let drafted = Draft::commit(&self.out, &model, self.profile.params(), &salt);
        phases.finish();
        let (oracle, commitment) = drafted?;
        let key = Key::new(&commitment, salt);
        if kept.is_some_and(|kept| kept != key) {
            return Err(Failure::KeyExists { path: key_path });
        }
        key.write(&key_path)?;
        files::write(&commitment_path, &commitment.to_bytes())?;
        let oracle_path = self.out.join(ORACLE_FILE);
        oracle.publish(&oracle_path)?;
        writeln!(out, "commitment  {}", hex(&key.digest))?;
        writeln!(out, "public      {}", commitment_path.display())?;
        writeln!(out, "secret      {}", key_path.display())?;
        writeln!(out, "secret      {}", oracle_path.display())?;
        Ok(())
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
