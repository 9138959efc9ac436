//! Language models of the llama family, quantized to graphs of integers.
//!
//! [`Network`] holds a GGUF file's weights as floats, [`quantize`](Network::quantize) makes integers of it, of which
//! [`model`](Quantized::model) is the graph for prompts of one length. What its integers are is on the page `docs/semantics.md`.

mod attention;
mod balance;
mod builder;
mod error;
mod forward;
mod functions;
mod layer;
mod matrices;
mod network;
mod norm;
mod products;
mod quantize;
mod rotation;
mod rounding;
#[cfg(test)]
mod tests;

pub use error::LlamaError;
pub use layer::Quantized;
pub use network::{Network, Sizes};
pub use quantize::{Logits, Quantization};
