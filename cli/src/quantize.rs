//! `binfer quantize`: a language model of a GGUF file as a model of integers.

use std::io::Write;
use std::path::{Path, PathBuf};

use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::gguf::{Gguf, Tokenizer};
use binfer_ml_ops::graph::Model;
use binfer_ml_ops::llama::{LlamaError, Logits, Network, Quantization};
use binfer_ml_ops::run;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::failure::Failure;
use crate::progress::Phases;
use crate::{files, npy};

/// What activations are calibrated on where no text is given.
pub(crate) const CALIBRATION: &str = include_str!("../../models/smollm2/calibration.txt");

/// Tokens from the start of one prompt of a test set to that of the next.
const STRIDE: usize = 8;

/// Quantize a language model of the llama family to integers.
///
/// Weights become integers of 8 or 4 bits, activations too, with ranges as they have them on a text. The file that is
/// written goes where the other commands take an ONNX model; its input are token ids.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The GGUF file
    model: PathBuf,
    /// The file to write the model to
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The text that weights are rounded for and whose activations set the ranges; one that ships if absent
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// Bits of a weight of the layers, 8 or 4
    #[arg(long, default_value = "8", value_parser = weight_bits())]
    bits: u32,
    /// Tokens of a prompt; those of --prompt if that is given
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=4096))]
    tokens: u32,
    /// What the model gives: the logits of the next token, or the token with the largest, whose logits stay hidden
    #[arg(long, value_enum, default_value_t = Output::Logits)]
    output: Output,
    /// A prompt: the model is one for its number of tokens
    #[arg(long, value_name = "TEXT", requires = "input")]
    prompt: Option<String>,
    /// The NumPy file to write the prompt's tokens to
    #[arg(long, value_name = "X.npy", requires = "prompt")]
    input: Option<PathBuf>,
    /// Also compare the next tokens of this text with those of the floats
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Write prompts from that text, every eighth token the start of one: a test set for `bench model`
    #[arg(long, value_name = "T.npy", requires_all = ["compare", "labels"])]
    test: Option<PathBuf>,
    /// Write the next token of each of them, as the floats choose it
    #[arg(long, value_name = "L.npy", requires = "test")]
    labels: Option<PathBuf>,
}

/// What a quantized model gives.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Output {
    Logits,
    Token,
}

impl Args {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let bytes = files::read(&self.model)?;
        let (tokenizer, network) = parse(&self.model, &bytes)?;
        let text = self.text.as_deref().map(read_text).transpose()?;
        let calibration = tokenizer.encode(text.as_deref().unwrap_or(CALIBRATION));
        let mut tokens = self.tokens as usize;
        if let (Some(prompt), Some(path)) = (&self.prompt, &self.input) {
            let ids = tokenizer.encode(prompt);
            tokens = ids.len();
            let array = prompt_array(&ids);
            write_array(path, &array)?;
            writeln!(out, "tokens  {}  {tokens}", path.display())?;
        }
        let logits = match self.output {
            Output::Logits => Logits::Last,
            Output::Token => Logits::Largest,
        };
        let how = Quantization { tokens, bits: self.bits };
        let mut phases = Phases::shown();
        phases.start("quantize");
        let layers = network.sizes.layers;
        let quantized = network.quantize(how, &calibration, &mut |at| phases.reach(at, layers));
        phases.finish();
        let quantized = quantized?;
        let model = quantized.model(logits)?;
        let bytes = model.to_bytes();
        files::write(&self.out, &bytes)?;
        let (path, graph) = (self.out.display(), &model.graph);
        let (nodes, public) = (graph.nodes.len(), graph.to_bytes().len());
        writeln!(
            out,
            "model   {path}  {} bytes, of them {public} public, {nodes} nodes",
            bytes.len()
        )?;
        if let Some(path) = &self.compare {
            let page = tokenizer.encode(&read_text(path)?);
            let all = quantized.model(Logits::All)?;
            let (agree, of) = agreement(&network, &all, tokens, &page)?;
            writeln!(out, "agrees  in {agree} of {of} next tokens")?;
            if let (Some(test), Some(labels)) = (&self.test, &self.labels) {
                let prompts: Vec<&[usize]> = page.windows(tokens).step_by(STRIDE).collect();
                let choices = next_tokens(&network, &prompts)?;
                write_array(test, &ids_array(&[prompts.len(), tokens], &prompts.concat()))?;
                write_array(labels, &ids_array(&[prompts.len()], &choices))?;
                writeln!(out, "test    {}  {} prompts", test.display(), prompts.len())?;
            }
        }
        Ok(())
    }
}

/// The widths that weights are quantized to.
pub(crate) fn weight_bits() -> impl TypedValueParser<Value = u32> {
    PossibleValuesParser::new(["8", "4"]).try_map(|bits| bits.parse())
}

/// The tokens and the network of a GGUF file, of which `bytes` is the content.
pub(crate) fn parse<'a>(path: &Path, bytes: &'a [u8]) -> Result<(Tokenizer<'a>, Network), Failure> {
    let malformed = |e: LlamaError| match e {
        LlamaError::Gguf(e) => Failure::malformed(path, e),
        e => Failure::Quantize(e),
    };
    let file = Gguf::parse(bytes).map_err(|e| malformed(e.into()))?;
    let tokenizer = Tokenizer::new(&file).map_err(|e| malformed(e.into()))?;
    Ok((tokenizer, Network::new(&file).map_err(malformed)?))
}

/// The tokens of a prompt as a model's input.
pub(crate) fn prompt_array(ids: &[usize]) -> Array {
    ids_array(&[1, ids.len()], ids)
}

/// Tokens as an array. Precondition: `shape` holds as many.
fn ids_array(shape: &[usize], ids: &[usize]) -> Array {
    let data = ArrayData::I64(ids.iter().map(|&id| id as i64).collect());
    Array::new(shape.to_vec(), data).unwrap_or_else(|e| unreachable!("{e}"))
}

fn write_array(path: &Path, array: &Array) -> Result<(), Failure> {
    let bytes =
        npy::to_bytes(array).map_err(|source| Failure::Io { path: path.to_owned(), source })?;
    files::write(path, &bytes)
}

/// The token after each prompt that the floats choose.
fn next_tokens(network: &Network, prompts: &[&[usize]]) -> Result<Vec<usize>, Failure> {
    let mut next = Vec::with_capacity(prompts.len());
    for prompt in prompts {
        let of_tokens = choices(&network.logits(prompt, prompt.len())?, network.sizes.vocabulary);
        next.extend(of_tokens.last());
    }
    Ok(next)
}

/// The first of the largest of each row.
pub(crate) fn choices<T: PartialOrd>(logits: &[T], vocabulary: usize) -> Vec<usize> {
    let largest =
        |row: &[T]| (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best });
    logits.chunks_exact(vocabulary).map(largest).collect()
}

/// In how many windows' positions a model of integers, which gives all logits, chooses the next token that floats
/// choose, and of how many.
fn agreement(
    network: &Network,
    model: &Model,
    window: usize,
    page: &[usize],
) -> Result<(usize, usize), Failure> {
    let vocabulary = network.sizes.vocabulary;
    let page = &page[..page.len() / window * window];
    let floats = choices(&network.logits(page, window)?, vocabulary);
    let mut agree = 0;
    for (ids, expected) in page.chunks(window).zip(floats.chunks(window)) {
        let logits = run(model, &prompt_array(ids)).map_err(Failure::Statement)?;
        if let ArrayData::I32(logits) = logits.data() {
            let got = choices(logits, vocabulary);
            agree += got.iter().zip(expected).filter(|(got, expected)| got == expected).count();
        }
    }
    Ok((agree, page.len()))
}

fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(files::read(path)?).map_err(|e| Failure::malformed(path, e))
}
