//! What a name in a file stands for while the graph is built.

use crate::array::Array;
use crate::graph::{CodeType, TensorId};
use std::rc::Rc;

/// What a name stands for. `shape` is that of one sample, without the batch.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A constant.
    Constant(Rc<Array>),
    /// A constant behind a DequantizeLinear: weights or a bias.
    Dequantized(Rc<Dequantized>),
    /// The graph's float input, before its QuantizeLinear.
    FloatInput { shape: Vec<usize> },
    /// An 8-bit tensor.
    Codes(Codes),
    /// Floats that are a function of an 8-bit tensor's codes.
    Floats(Floats),
    /// The float result of a matmul of dequantized operands, before its QuantizeLinear.
    Product(Product),
    /// A 32-bit integer tensor.
    Integers { tensor: TensorId, shape: Vec<usize> },
}

/// An 8-bit tensor.
#[derive(Debug, Clone)]
pub(super) struct Codes {
    pub(super) tensor: TensorId,
    pub(super) dtype: CodeType,
    pub(super) shape: Vec<usize>,
    /// A QuantizeLinear made it.
    pub(super) quantized: bool,
}

/// Scale and zero point of an 8-bit tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scaling {
    pub(super) scale: f32,
    pub(super) zero_point: i32,
}

/// Floats that are a function of an 8-bit tensor's codes.
#[derive(Debug, Clone)]
pub(super) struct Floats {
    pub(super) codes: Codes,
    /// The scale and zero point of the DequantizeLinear it came from.
    pub(super) scaling: Scaling,
    /// The float of each code.
    pub(super) images: Box<[f32; 256]>,
    /// `images` are still those of the DequantizeLinear.
    pub(super) pure: bool,
    /// Nothing but Identity came between the DequantizeLinear and here.
    pub(super) direct: bool,
}

/// A constant behind a DequantizeLinear.
#[derive(Debug)]
pub(super) struct Dequantized {
    pub(super) values: Rc<Array>,
    /// One scale, or one for each index of `axis`.
    pub(super) scales: Vec<f32>,
    pub(super) zero_points: Option<Rc<Array>>,
    pub(super) axis: usize,
}

/// A matmul of dequantized operands whose QuantizeLinear has not come yet.
#[derive(Debug, Clone)]
pub(super) struct Product {
    pub(super) matmul: Rc<MatMulOperands>,
    /// `f32(sx * sw)`: one, or one for each column.
    pub(super) scales: Vec<f32>,
    /// Bounds of the Relu and Clip that have come so far.
    pub(super) low: f32,
    pub(super) high: f32,
    pub(super) shape: Vec<usize>,
}

/// The integers that a matmul works on.
#[derive(Debug)]
pub(super) struct MatMulOperands {
    /// Name of the node in the graph.
    pub(super) name: String,
    pub(super) x: Codes,
    pub(super) zero_code: u8,
    pub(super) weights: Weights,
    pub(super) bias: Vec<i64>,
}

/// A weight matrix as codes and offsets: `W[row][column] = codes[row * n + column] + offsets[column]`.
#[derive(Debug)]
pub(super) struct Weights {
    pub(super) k: usize,
    pub(super) n: usize,
    pub(super) codes: Vec<u8>,
    /// One for all columns, or one for each.
    pub(super) offsets: Vec<i32>,
}

impl Codes {
    /// The code of `zero_point`, a value of the tensor's type.
    pub(super) fn zero_code(&self, zero_point: i32) -> u8 {
        (zero_point - self.dtype.min()) as u8
    }
}

impl Floats {
    /// The code that stands for zero.
    pub(super) fn zero_code(&self) -> u8 {
        self.codes.zero_code(self.scaling.zero_point)
    }
}

impl Value {
    /// The same elements with another shape of each sample; `None` for constants.
    pub(super) fn reshaped(&self, to: impl FnOnce(&[usize]) -> Vec<usize>) -> Option<Self> {
        let mut value = self.clone();
        let shape = match &mut value {
            Self::Constant(_) | Self::Dequantized(_) => return None,
            Self::FloatInput { shape } | Self::Integers { shape, .. } => shape,
            Self::Codes(codes) => &mut codes.shape,
            Self::Floats(floats) => {
                floats.direct = false;
                &mut floats.codes.shape
            }
            Self::Product(product) => &mut product.shape,
        };
        *shape = to(shape);
        Some(value)
    }

    /// The shape of one sample; `None` for constants.
    pub(super) fn sample_shape(&self) -> Option<&[usize]> {
        match self {
            Self::Constant(_) | Self::Dequantized(_) => None,
            Self::FloatInput { shape } | Self::Integers { shape, .. } => Some(shape),
            Self::Codes(codes) => Some(&codes.shape),
            Self::Floats(floats) => Some(&floats.codes.shape),
            Self::Product(product) => Some(&product.shape),
        }
    }
}
