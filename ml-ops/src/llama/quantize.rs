//! The graph of a network for prompts of one length.

use super::builder::{Builder, To, straight};
use super::error::LlamaError;
use super::layer::Quantized;
use super::matrices::{Matrix, by_input, largest, scale_inputs};
use super::network::Network;
use super::norm::{Rows, Stream};
use crate::graph::{
    Graph, InputPort, InputTransform, IntegerType, MAX_ELEMENTS, Model, OutputPort,
    OutputTransform, TensorKind,
};

/// What 1 has in the residual stream, as a logarithm.
const STREAM_BITS: i32 = 17;

/// Bits of the tokens' codes that embeddings are made of; outputs and embeddings have eight whatever others have.
const WIDE: u32 = 8;

/// Most tokens of a prompt.
const MAX_TOKENS: usize = 4096;

/// Which logits a graph gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logits {
    /// Those of the last token.
    Last,
    /// Those of every token.
    All,
    /// The number of the first of the largest of the last token's, which is the next token.
    Largest,
}

/// How a network is quantized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantization {
    /// Tokens of a prompt.
    pub tokens: usize,
    /// Bits of a weight of the layers, 8 or 4.
    pub bits: u32,
}

/// The largest integer of a weight of so many bits.
fn most(bits: u32) -> i32 {
    (1 << (bits - 1)) - 1
}

impl Network {
    /// The network in integers for prompts of a length, with weights rounded for, and ranges as activations have them on,
    /// `calibration`, token ids of some text. `progress` hears the number of each layer, from 0, when it begins.
    ///
    /// # Errors
    /// [`LlamaError`] if there are no tokens, other bits than 8 or 4 are asked for, or activations are not finite.
    pub fn quantize(
        &self,
        quantization: Quantization,
        calibration: &[usize],
        progress: &mut dyn FnMut(usize),
    ) -> Result<Quantized, LlamaError> {
        let Quantization { tokens, bits } = quantization;
        if bits != 8 && bits != 4 {
            return Err(LlamaError::Bits { got: bits });
        }
        if tokens == 0 {
            return Err(LlamaError::Tokens { got: 0, least: 1 });
        }
        let sizes = &self.sizes;
        let longest = MAX_TOKENS.min(MAX_ELEMENTS / sizes.vocabulary.max(1));
        if tokens > longest {
            return Err(LlamaError::Prompt { got: tokens, most: longest });
        }
        let network = self.rotated();
        let text = network.embedded(calibration)?;
        let mut builder = Builder::default();
        let input = builder.tensor(tokens, sizes.vocabulary, TensorKind::Code);
        // A stream of eight bits, which is scaled where the first layer adds to it.
        let unit = 0.5f64.powi(STREAM_BITS);
        let fitted = largest(&network.embedding) / f64::from(most(WIDE));
        let factor = (fitted / unit).ceil();
        let embedding = Matrix::nearest(&network.embedding, sizes.width, factor * unit, most(WIDE));
        let to = To::Integers(WIDE + 1);
        let tensor =
            builder.matmul("embedding".into(), &straight(input, 0), tokens, embedding.rows(), to);
        let mut quantized = Quantized {
            positions: builder.positions(sizes, tokens),
            builder,
            sizes: *sizes,
            tokens,
            input,
            most: most(bits),
            unit,
            stream: Stream { tensor, unit: factor * unit },
            text,
            window: tokens.max(2),
            output: network.output,
        };
        for (number, layer) in network.layers.iter().enumerate() {
            progress(number);
            let layer = layer.balanced(sizes);
            quantized.attend(number, &layer);
            quantized.transform(number, &layer);
        }
        // What is not finite stays so in the residual stream.
        if ![&quantized.text, &quantized.output].into_iter().flatten().all(|x| x.is_finite()) {
            return Err(LlamaError::Overflow);
        }
        Ok(quantized)
    }
}

impl Quantized {
    /// The graph of integers. Input: int64 ids, one a token. Output: int32 logits, all with one scale,
    /// or the int64 id of the next token.
    ///
    /// # Errors
    /// [`LlamaError::Graph`] if the graph is none that can be.
    pub fn model(&self, logits: Logits) -> Result<Model, LlamaError> {
        let Self { sizes, tokens, input, stream, .. } = *self;
        let mut builder = self.builder.clone();
        let (_, seen) = sizes.normalized(&self.text);
        let rows = match logits {
            Logits::Last | Logits::Largest => Rows { all: tokens, first: tokens - 1 },
            Logits::All => Rows { all: tokens, first: 0 },
        };
        let mut behind = by_input(&self.output, sizes.width);
        let whole = behind.iter().copied().fold(1e-9, f64::max);
        behind.iter_mut().for_each(|weight| *weight /= whole);
        let h = builder.normalized("norm", stream, rows, &seen, &behind, sizes.epsilon);
        let mut output = self.output.clone();
        scale_inputs(&mut output, &h.inverses());
        let most = most(WIDE);
        let scale = largest(&output) / f64::from(most);
        let output = Matrix::nearest(&output, sizes.width, scale, most);
        let count = rows.all - rows.first;
        let to = To::Integers(32.min(h.sum_bits(most)));
        let y = builder.matmul("logits".into(), &h.matrix(), count, output.weights(), to);
        let (tensor, shape, dtype) = match logits {
            Logits::Last => (y, vec![sizes.vocabulary], IntegerType::I32),
            Logits::All => (y, vec![count, sizes.vocabulary], IntegerType::I32),
            Logits::Largest => {
                let largest = builder.argmax("token".into(), y);
                (largest, vec![], IntegerType::I64)
            }
        };
        let graph = Graph {
            more_inputs: Vec::new(),
            input_names: Vec::new(),
            more_outputs: Vec::new(),
            name: "llama".into(),
            tensors: builder.tensors,
            weights: builder.weights,
            nodes: builder.nodes,
            input: InputPort {
                tensor: input,
                shape: vec![tokens],
                transform: InputTransform::OneHot { vocabulary: sizes.vocabulary },
            },
            output: OutputPort { tensor, shape, transform: OutputTransform::Integer { dtype } },
        };
        let model = Model { graph, weights: builder.matrices };
        model.validate()?;
        Ok(model.with_shallow_matmuls())
    }
}
