//! Functions of two 8-bit tensors, element by element.

use super::builder::Builder;
use super::constants;
use super::deferred::{Elementwise, Sum, Term};
use super::error::NodeError;
use super::matrix::Matrix;
use super::node::NodeView;
use super::operands::codes_of;
use super::qlinear::{self, Kernel, Quantization};
use super::value::{Codes, Scaling, Value};
use super::view::View;
use crate::graph::{CodeType, dequantize_table, quantize};
use std::borrow::Cow;

/// Two tensors as matrices of the same rows and columns.
pub(super) struct Aligned {
    pub(super) a: Matrix,
    pub(super) b: Matrix,
    pub(super) columns: usize,
    /// How a tensor of those rows and columns is seen.
    pub(super) output: View,
}

/// The operands broadcast to one shape; the second is operand `index`.
pub(super) fn aligned(a: &View, b: &View, index: usize) -> Result<Aligned, NodeError> {
    if a.rank() != b.rank() {
        return Err(NodeError::OperandShape { index, expected: a.rank() + 1, got: b.rank() + 1 });
    }
    let (mut x, mut y) = (a.clone(), b.clone());
    for dim in 0..a.rank() {
        match (a.size(dim), b.size(dim)) {
            (m, n) if m == n => {}
            (1, n) => x = x.repeated(dim, n),
            (m, 1) => y = y.repeated(dim, m),
            (expected, got) => return Err(NodeError::OperandShape { index, expected, got }),
        }
    }
    let shape = x.shape();
    let is_feature = |dim: usize| {
        let of = if a.size(dim) == shape[dim] { a } else { b };
        of.is_feature(dim)
    };
    let output = View::new(0, &shape, is_feature);
    let (a, b) = (Matrix::laid_out(&x, is_feature), Matrix::laid_out(&y, is_feature));
    Ok(Aligned { columns: a.size().1, a, b, output })
}

/// An operand of a kernel.
enum Operand<'a> {
    Tensor(Cow<'a, Codes>),
    /// A constant whose elements have one value.
    Constant(i32),
}

/// `kernel` of operand 0 (scale: 1, zero point: 2) and operand 3 (4, 5) into codes of the scale in operand 6 and
/// zero point in 7: sums, or products.
pub(super) fn requantized(
    builder: &mut Builder,
    node: &NodeView<'_>,
    kernel: Kernel,
    is_sum: bool,
) -> Result<Value, NodeError> {
    let (a, a_type) = operand(builder, node, 0, 3)?;
    let (b, b_type) = operand(builder, node, 3, 0)?;
    if a_type != b_type {
        return Err(NodeError::OperandType { index: 3 });
    }
    let quantization = |scale: usize| -> Result<Quantization, NodeError> {
        let zero_point = node.zero_point(scale + 1, a_type)?;
        Ok((Scaling { scale: node.scale(scale)?, zero_point }, a_type))
    };
    let (qa, qb, to) = (quantization(1)?, quantization(4)?, quantization(6)?);
    let value = |code: u8| i32::from(code) + a_type.min();
    let codes = match (a, b) {
        (Operand::Tensor(a), Operand::Tensor(b)) => match common(&a, &b) {
            Some((of, f, g)) => {
                let code = qlinear::codes(kernel, [qa, qb, to], None)?;
                let table = std::array::from_fn(|i| code(value(f[i]), value(g[i])));
                of.mapped(builder, node.name, &table)
            }
            None if is_sum => {
                let Aligned { a: x, b: y, columns, output } = aligned(&a.view, &b.view, 3)?;
                let name = node.name.to_owned();
                let terms = [Term::pure(x, qa), Term::pure(y, qb)];
                let layout = output.clone();
                let (fused, subtracted) = (true, false);
                let sum = Sum { name, columns, terms, fused, subtracted, layout };
                let view = output.on(sum.add(builder, to)?);
                Codes { view, dtype: a_type, quantized: false, origin: None }
            }
            None => {
                let Aligned { a: x, b: y, columns, output } = aligned(&a.view, &b.view, 3)?;
                let (name, operands, from) = (node.name.to_owned(), [x, y], [qa, qb]);
                let (layout, fused) = (output.clone(), true);
                let product = Elementwise { name, columns, operands, layout, from, fused };
                let view = output.on(product.mul(builder, to)?);
                Codes { view, dtype: a_type, quantized: false, origin: None }
            }
        },
        (Operand::Tensor(a), Operand::Constant(y)) => {
            let code = qlinear::codes(kernel, [qa, qb, to], Some(y))?;
            let table = std::array::from_fn(|i| code(value(i as u8), y));
            a.mapped(builder, node.name, &table)
        }
        (Operand::Constant(x), Operand::Tensor(b)) => {
            // The kernel adds the operand that has one element to the fixed part first.
            let code = qlinear::codes(kernel, [qb, qa, to], Some(x))?;
            let table = std::array::from_fn(|i| code(value(i as u8), x));
            b.mapped(builder, node.name, &table)
        }
        _ => {
            return Err(NodeError::Operand {
                index: 0,
                expected: "a tensor that the graph computes",
            });
        }
    };
    Ok(Value::Codes(Codes { quantized: false, ..codes }))
}

/// Operand `index`; a constant of several values is one beside operand `other`.
fn operand<'a>(
    builder: &mut Builder,
    node: &NodeView<'a>,
    index: usize,
    other: usize,
) -> Result<(Operand<'a>, CodeType), NodeError> {
    match node.value(index)? {
        Value::Codes(codes) => Ok((Operand::Tensor(Cow::Borrowed(codes)), codes.dtype)),
        Value::Constant(array) => {
            let (codes, dtype) = codes_of(array).ok_or(NodeError::OperandType { index })?;
            match codes.split_first() {
                Some((first, rest)) if rest.iter().all(|code| code == first) => {
                    Ok((Operand::Constant(i32::from(*first) + dtype.min()), dtype))
                }
                _ => {
                    let beside = &node.codes(other)?.view;
                    let shape = constants::shape(array, beside.rank(), index)?;
                    let view = builder.constant(node.name, beside, &shape, &codes);
                    let codes = Codes { view, dtype, quantized: false, origin: None };
                    Ok((Operand::Tensor(Cow::Owned(codes)), dtype))
                }
            }
        }
        _ => Err(NodeError::Operand { index, expected: "an 8-bit tensor" }),
    }
}

/// The tensor of whose codes both are functions, element by element, and the functions.
pub(super) fn common(a: &Codes, b: &Codes) -> Option<(Codes, [u8; 256], [u8; 256])> {
    let (of, f) = a.function();
    let (other, g) = b.function();
    (of.view == other.view).then_some((of, f, g))
}

impl Term {
    /// The DequantizeLinear of a tensor read as `x`.
    pub(super) fn pure(x: Matrix, (from, dtype): Quantization) -> Self {
        let images = Box::new(dequantize_table(from.scale, from.zero_point, dtype));
        Self { x, dtype, from, images, pure: true }
    }
}

/// `function` of operand 0, codes of the scale in operand 1 and zero point in 2, requantized to those in 3 and 4.
pub(super) fn looked_up(
    builder: &mut Builder,
    node: &NodeView<'_>,
    function: impl Fn(f32) -> f32,
) -> Result<Value, NodeError> {
    let x = node.codes(0)?;
    let images = dequantize_table(node.scale(1)?, node.zero_point(2, x.dtype)?, x.dtype);
    let (scale, zero_point) = (node.scale(3)?, node.zero_point(4, x.dtype)?);
    let table = images.map(|image| quantize(function(image), scale, zero_point, x.dtype));
    Ok(Value::Codes(x.mapped(builder, node.name, &table)))
}
