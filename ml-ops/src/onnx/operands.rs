//! The operands that matmuls of all kinds share: weight matrices, biases, shapes and output steps.

use super::error::NodeError;
use super::value::{Dequantized, Scaling, Weights};
use crate::array::{Array, ArrayData};
use crate::graph::{CodeType, Requantize, RoundingProfile, Step, quantize};

/// The codes of an 8-bit constant and their type.
fn codes_of(array: &Array) -> Option<(Vec<u8>, CodeType)> {
    match array.data() {
        ArrayData::U8(v) => Some((v.clone(), CodeType::U8)),
        ArrayData::I8(v) => {
            let codes = v.iter().map(|&q| q as u8 ^ 0x80).collect();
            Some((codes, CodeType::I8))
        }
        _ => None,
    }
}

/// The weight matrix in operand `index`, of shape `(k, n)`, or `(n, k)` if `transposed`, less its zero
/// points (one or `n`, operand `zero_index`).
pub(super) fn weights(
    array: &Array,
    zero_points: Option<&Array>,
    transposed: bool,
    index: usize,
    zero_index: usize,
) -> Result<Weights, NodeError> {
    let (codes, dtype) = codes_of(array).ok_or(NodeError::OperandType { index })?;
    let &[rows, columns] = array.shape() else {
        return Err(NodeError::OperandShape { index, expected: 2, got: array.shape().len() });
    };
    if codes.is_empty() {
        return Err(NodeError::OperandShape { index, expected: 1, got: 0 });
    }
    let (k, n, codes) = if transposed {
        let transposed = (0..columns)
            .flat_map(|k| (0..rows).map(move |n| (k, n)))
            .map(|(k, n)| codes[n * columns + k])
            .collect();
        (columns, rows, transposed)
    } else {
        (rows, columns, codes)
    };
    let offsets = match zero_points {
        None => vec![dtype.min()],
        Some(zero_points) => {
            let (zeros, of) =
                codes_of(zero_points).ok_or(NodeError::OperandType { index: zero_index })?;
            if of != dtype {
                return Err(NodeError::OperandType { index: zero_index });
            }
            check_columns(zeros.len(), n, zero_index)?;
            zeros.iter().map(|&zero| -i32::from(zero)).collect()
        }
    };
    Ok(Weights { k, n, codes, offsets })
}

/// The weight matrix behind a DequantizeLinear, operand `index`, and its scales (one or `n`).
pub(super) fn dequantized_weights(
    constant: &Dequantized,
    transposed: bool,
    index: usize,
) -> Result<(Weights, Vec<f32>), NodeError> {
    let weights =
        weights(&constant.values, constant.zero_points.as_deref(), transposed, index, index)?;
    let column_axis = usize::from(!transposed);
    if constant.scales.len() > 1 && constant.axis != column_axis {
        return Err(NodeError::OperandShape { index, expected: column_axis, got: constant.axis });
    }
    check_columns(constant.scales.len(), weights.n, index)?;
    Ok((weights, constant.scales.clone()))
}

/// The int32 bias of `n` columns in operand `index`.
pub(super) fn bias(array: &Array, n: usize, index: usize) -> Result<Vec<i64>, NodeError> {
    let ArrayData::I32(values) = array.data() else {
        return Err(NodeError::OperandType { index });
    };
    if values.len() != n {
        return Err(NodeError::OperandShape { index, expected: n, got: values.len() });
    }
    Ok(values.iter().map(|&b| i64::from(b)).collect())
}

/// The int32 bias behind a DequantizeLinear, operand `index`, whose scales must be `products` up to
/// rounding, as a runtime that fuses the pair takes them to be.
pub(super) fn dequantized_bias(
    constant: &Dequantized,
    products: &[f32],
    n: usize,
    index: usize,
) -> Result<Vec<i64>, NodeError> {
    let values = bias(&constant.values, n, index)?;
    check_columns(constant.scales.len(), n, index)?;
    if let Some(zero_points) = &constant.zero_points {
        let ArrayData::I32(zero_points) = zero_points.data() else {
            return Err(NodeError::OperandType { index });
        };
        if let Some(column) = zero_points.iter().position(|&z| z != 0) {
            let value = zero_points[column];
            return Err(NodeError::BiasZeroPoint { column, value });
        }
    }
    for column in 0..n {
        let (expected, got) = (of_column(products, column), of_column(&constant.scales, column));
        if (got - expected).abs() > expected * f32::EPSILON * 8.0 {
            return Err(NodeError::BiasScale { column, expected, got });
        }
    }
    Ok(values)
}

/// The shape of a sample after a matmul of `x` (operand `index`) by a `k x n` matrix.
pub(super) fn product_shape(
    x: &[usize],
    weights: &Weights,
    index: usize,
) -> Result<Vec<usize>, NodeError> {
    match x {
        [outer @ .., last] if *last == weights.k => {
            let mut shape = outer.to_vec();
            shape.push(weights.n);
            Ok(shape)
        }
        _ => Err(NodeError::OperandShape {
            index,
            expected: weights.k,
            got: x.last().copied().unwrap_or(0),
        }),
    }
}

/// The step functions of accumulators whose unit is `products` (one or one for each column), clamped
/// to `[low, high]` as real numbers, into codes of `dtype`.
pub(super) fn requantize(
    products: &[f32],
    (low, high): (f32, f32),
    to: Scaling,
    dtype: CodeType,
) -> Result<Requantize, NodeError> {
    let bound = |x| i32::from(quantize(x, to.scale, to.zero_point, dtype)) + dtype.min();
    let mut steps = products
        .iter()
        .enumerate()
        .map(|(column, product)| {
            let scale = product / to.scale;
            if !(scale.is_finite() && scale > 0.0) {
                let value = scale;
                return Err(NodeError::AccumulatorScale { column, value });
            }
            Ok(Step {
                scale,
                zero_point: to.zero_point,
                qmin: bound(low),
                qmax: bound(high),
                type_min: dtype.min(),
                profile: RoundingProfile::OrtF32Rne,
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if steps.windows(2).all(|pair| pair[0] == pair[1]) {
        steps.truncate(1);
    }
    Ok(Requantize { steps })
}

/// Whether a per-column operand has one element or `n`.
pub(super) fn check_columns(got: usize, n: usize, index: usize) -> Result<(), NodeError> {
    if got == 1 || got == n {
        return Ok(());
    }
    Err(NodeError::OperandShape { index, expected: n, got })
}

fn of_column(values: &[f32], column: usize) -> f32 {
    match values {
        [only] => *only,
        many => many[column],
    }
}
