//! The network as floats: its sizes and its weights, with the factors of norms folded into the matrices behind them.

use super::error::LlamaError;
use super::matrices::scale_inputs;
use crate::gguf::{Gguf, GgufError};

/// Sizes and constants of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// Number of layers.
    pub layers: usize,
    /// Features of the residual stream.
    pub width: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// Features between the two matrices of the second half of a layer.
    pub hidden: usize,
    /// Number of tokens there are.
    pub vocabulary: usize,
    /// What is added to mean squares.
    pub epsilon: f64,
    /// Base of the rotations' wavelengths.
    pub base: f64,
}

impl Sizes {
    /// Features of a head.
    pub fn head(&self) -> usize {
        self.width / self.heads
    }

    /// Features of all keys.
    pub fn keys(&self) -> usize {
        self.kv_heads * self.head()
    }
}

/// A layer's matrices, each by rows of outputs.
#[derive(Clone)]
pub(super) struct Layer {
    pub(super) q: Vec<f32>,
    pub(super) k: Vec<f32>,
    pub(super) v: Vec<f32>,
    pub(super) o: Vec<f32>,
    pub(super) gate: Vec<f32>,
    pub(super) up: Vec<f32>,
    pub(super) down: Vec<f32>,
}

/// A language model of the llama family, in floats.
pub struct Network {
    /// Its sizes.
    pub sizes: Sizes,
    /// A row for each token.
    pub(super) embedding: Vec<f32>,
    pub(super) layers: Vec<Layer>,
    /// A row for each token.
    pub(super) output: Vec<f32>,
}

impl Network {
    /// The network of a file.
    ///
    /// # Errors
    /// [`LlamaError`] if it is of another architecture, or tensors are missing, of other shapes, or not finite.
    pub fn new(file: &Gguf<'_>) -> Result<Self, LlamaError> {
        let got = file.string("general.architecture")?;
        if got != "llama" {
            return Err(LlamaError::Architecture { got: got.to_owned() });
        }
        let sizes = Sizes {
            layers: file.size("llama.block_count")?,
            width: file.size("llama.embedding_length")?,
            heads: file.size("llama.attention.head_count")?,
            kv_heads: file.size("llama.attention.head_count_kv")?,
            hidden: file.size("llama.feed_forward_length")?,
            vocabulary: file.strings("tokenizer.ggml.tokens")?.len(),
            epsilon: positive(file, "llama.attention.layer_norm_rms_epsilon", None)?,
            base: positive(file, "llama.rope.freq_base", Some(10_000.0))?,
        };
        let Sizes { width, heads, kv_heads, hidden, vocabulary, .. } = sizes;
        let rotated = match file.value("llama.rope.dimension_count") {
            None => width.checked_div(heads).unwrap_or(0),
            Some(_) => file.size("llama.rope.dimension_count")?,
        };
        let whole = heads > 0 && kv_heads > 0 && heads.is_multiple_of(kv_heads);
        if !whole || rotated.checked_mul(heads) != Some(width) || rotated == 0 || rotated % 2 != 0 {
            return Err(LlamaError::Sizes { width, heads, kv_heads, rotated });
        }
        let tensor = |name: &str, shape: &[usize]| {
            let floats = file.tensor(name, shape)?;
            match floats.iter().find(|x| !x.is_finite()) {
                Some(&got) => Err(LlamaError::Float { name: name.to_owned(), got }),
                None => Ok(floats),
            }
        };
        let matrix = |name: &str, rows: usize, cols: usize| tensor(name, &[cols, rows]);
        let mut layers = Vec::new();
        for layer in 0..sizes.layers {
            let name = |part: &str| format!("blk.{layer}.{part}.weight");
            let norm = tensor(&name("attn_norm"), &[width])?;
            let behind = |part: &str, rows, norm: &[f32]| {
                Ok::<_, LlamaError>(folded(matrix(&name(part), rows, width)?, norm))
            };
            let q = behind("attn_q", width, &norm)?;
            let k = behind("attn_k", sizes.keys(), &norm)?;
            let v = behind("attn_v", sizes.keys(), &norm)?;
            let norm = tensor(&name("ffn_norm"), &[width])?;
            layers.push(Layer {
                q,
                k,
                v,
                o: matrix(&name("attn_output"), width, width)?,
                gate: behind("ffn_gate", hidden, &norm)?,
                up: behind("ffn_up", hidden, &norm)?,
                down: matrix(&name("ffn_down"), width, hidden)?,
            });
        }
        let embedding = matrix("token_embd.weight", vocabulary, width)?;
        let norm = tensor("output_norm.weight", &[width])?;
        let tied = !file.tensors().any(|(name, _)| name == "output.weight");
        let output =
            if tied { embedding.clone() } else { matrix("output.weight", vocabulary, width)? };
        Ok(Self { sizes, embedding, layers, output: folded(output, &norm) })
    }

    /// Whether tokens are of the vocabulary.
    pub(super) fn check_tokens(&self, tokens: &[usize]) -> Result<(), LlamaError> {
        let vocabulary = self.sizes.vocabulary;
        match tokens.iter().find(|&&token| token >= vocabulary) {
            Some(&got) => Err(LlamaError::Vocabulary { got, vocabulary }),
            None => Ok(()),
        }
    }
}

/// The positive number that a key stands for, `default` where it is missing.
fn positive(file: &Gguf<'_>, key: &str, default: Option<f64>) -> Result<f64, GgufError> {
    let float = match default {
        Some(default) if file.value(key).is_none() => default,
        _ => file.float(key)?,
    };
    let error = || GgufError::Key { key: key.to_owned(), expected: "a positive number" };
    (float > 0.0 && float.is_finite()).then_some(float).ok_or_else(error)
}

/// A matrix whose inputs are multiplied by factors first.
fn folded(mut matrix: Vec<f32>, factors: &[f32]) -> Vec<f32> {
    let factors: Vec<f64> = factors.iter().map(|&factor| factor.into()).collect();
    scale_inputs(&mut matrix, &factors);
    matrix
}
