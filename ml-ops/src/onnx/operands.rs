//! The operands that matmuls of all kinds share: weight matrices, biases, shapes and output steps.

use super::error::NodeError;
use super::matrix::Matrix;
use super::target::Target;
use super::value::{Dequantized, Weights};
use super::view::View;
use crate::array::{Array, ArrayData};
use crate::graph::{CodeType, Requantize, RoundingProfile, Step};

/// The codes of an 8-bit constant and their type.
pub(super) fn codes_of(array: &Array) -> Option<(Vec<u8>, CodeType)> {
    match array.data() {
        ArrayData::U8(v) => Some((v.clone(), CodeType::U8)),
        ArrayData::I8(v) => {
            let codes = v.iter().map(|&q| q as u8 ^ 0x80).collect();
            Some((codes, CodeType::I8))
        }
        _ => None,
    }
}

/// The values of a constant of integers of up to 32 bits.
pub(super) fn integers(array: &Array) -> Option<Vec<i32>> {
    match array.data() {
        ArrayData::U8(values) => Some(values.iter().map(|&v| v.into()).collect()),
        ArrayData::I8(values) => Some(values.iter().map(|&v| v.into()).collect()),
        ArrayData::U16(values) => Some(values.iter().map(|&v| v.into()).collect()),
        ArrayData::I16(values) => Some(values.iter().map(|&v| v.into()).collect()),
        ArrayData::I32(values) => Some(values.clone()),
        ArrayData::F32(_) | ArrayData::I64(_) => None,
    }
}

/// How an array holds a weight matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// `(k, n)`.
    Columns,
    /// `(n, k)`.
    Rows,
    /// `(n, ..)`, the `k` elements of each output in several dimensions.
    Kernels,
}

impl Layout {
    /// The axis of the output columns.
    pub(super) fn column_axis(self) -> usize {
        usize::from(self == Self::Columns)
    }
}

/// The weight matrix in operand `index` less its zero points (one or `n`, operand `zero_index`).
pub(super) fn weights(
    array: &Array,
    zero_points: Option<&Array>,
    layout: Layout,
    index: usize,
    zero_index: usize,
) -> Result<Weights, NodeError> {
    let (codes, dtype) = codes_of(array).ok_or(NodeError::OperandType { index })?;
    let (rows, columns) = match (layout, array.shape()) {
        (Layout::Kernels, [first, rest @ ..]) => (*first, rest.iter().product()),
        (Layout::Columns, [.., rows, columns]) => (*rows, *columns),
        (Layout::Rows, &[rows, columns]) => (rows, columns),
        (_, shape) => {
            return Err(NodeError::OperandShape { index, expected: 2, got: shape.len() });
        }
    };
    if codes.is_empty() {
        return Err(NodeError::OperandShape { index, expected: 1, got: 0 });
    }
    // Several matrices, one for each index of the dimensions before, have their columns side by side.
    let heads: &[usize] = match layout {
        Layout::Columns => array.shape().split_last_chunk::<2>().map_or(&[], |(heads, _)| heads),
        Layout::Rows | Layout::Kernels => &[],
    };
    let heads = match heads.iter().all(|&size| size == 1) {
        true => vec![],
        false => heads.to_vec(),
    };
    let (k, n, codes) = if !heads.is_empty() {
        let side_by_side = (0..rows)
            .flat_map(|row| codes.chunks(columns).skip(row).step_by(rows))
            .flatten()
            .copied()
            .collect();
        (rows, codes.len() / rows, side_by_side)
    } else if layout != Layout::Columns {
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
    Ok(Weights { k, n, heads, codes, offsets })
}

/// The weight matrix behind a DequantizeLinear, operand `index`, and its scales (one or `n`).
pub(super) fn dequantized_weights(
    constant: &Dequantized,
    layout: Layout,
    index: usize,
) -> Result<(Weights, Vec<f32>), NodeError> {
    let zero_points = constant.zero_points.as_deref();
    let weights = match constant.values.data() {
        ArrayData::U8(_) | ArrayData::I8(_) => {
            weights(&constant.values, zero_points, layout, index, index)?
        }
        _ => narrowed(&constant.values, zero_points, layout, index)?,
    };
    let column_axis = layout.column_axis();
    if constant.scales.len() > 1 && constant.axis != column_axis {
        return Err(NodeError::OperandShape { index, expected: column_axis, got: constant.axis });
    }
    check_columns(constant.scales.len(), weights.n, index)?;
    Ok((weights, constant.scales.clone()))
}

/// Weights of more than 8 bits less their zero points, as bytes beside an offset for each column.
fn narrowed(
    array: &Array,
    zero_points: Option<&Array>,
    layout: Layout,
    index: usize,
) -> Result<Weights, NodeError> {
    let wrong = NodeError::OperandType { index };
    let values = integers(array).ok_or(wrong.clone())?;
    let zeros = zero_points.map_or(Some(vec![0]), integers).ok_or(wrong)?;
    let shape = array.shape();
    // Of several matrices all columns have one offset.
    let axis = Some(layout.column_axis()).filter(|_| layout != Layout::Columns || shape.len() == 2);
    let (n, inner) = match axis.and_then(|axis| shape.get(axis..)) {
        Some([n, inner @ ..]) => (*n, inner.iter().product::<usize>().max(1)),
        _ => (1, 1),
    };
    check_columns(zeros.len(), n, index)?;
    let column = |at: usize| at / inner % n.max(1);
    let less =
        |(at, &value): (usize, &i32)| i64::from(value) - i64::from(of_column(&zeros, column(at)));
    let values: Vec<i64> = values.iter().enumerate().map(less).collect();
    let mut ranges = vec![(i64::MAX, i64::MIN); n];
    for (at, &value) in values.iter().enumerate() {
        let (low, high) = &mut ranges[column(at)];
        (*low, *high) = (value.min(*low), value.max(*high));
    }
    let wide = |&(low, high): &(i64, i64)| low < -255 || high > 255 || high - low > 255;
    if let Some(column) = ranges.iter().position(wide) {
        let (low, high) = ranges[column];
        return Err(NodeError::WeightRange { column, low, high });
    }
    let code = |(at, &value): (usize, &i64)| (value - ranges[column(at)].0) as u8;
    let codes = values.iter().enumerate().map(code).collect();
    let (expected, got) = (shape.iter().product(), values.len());
    let codes = Array::new(shape.to_vec(), ArrayData::U8(codes));
    let codes = codes.map_err(|_| NodeError::OperandShape { index, expected, got })?;
    let weights = weights(&codes, None, layout, index, index)?;
    Ok(Weights { offsets: ranges.iter().map(|&(low, _)| low as i32).collect(), ..weights })
}

/// Refuses a bias of shape `shape`, operand `index`, that is not one number for each of `n` columns: of kernels it is a list; of a
/// matrix it is broadcast to rows and columns, so that it may be one number for all, and have no rows of its own.
pub(super) fn check_bias(
    shape: &[usize],
    layout: Layout,
    n: usize,
    index: usize,
) -> Result<(), NodeError> {
    let wrong = |expected, got| Err(NodeError::OperandShape { index, expected, got });
    match shape {
        &[got] if got == n => Ok(()),
        _ if layout == Layout::Kernels => wrong(n, shape.first().copied().unwrap_or(1)),
        [] | [1] | [1, 1] => Ok(()),
        &[1, got] if got == n => Ok(()),
        &[rows, 1] | &[rows, _] if rows != 1 => wrong(1, rows),
        &[.., got] => wrong(n, got),
    }
}

/// The int32 bias of `n` columns in operand `index`.
pub(super) fn bias(
    array: &Array,
    layout: Layout,
    n: usize,
    index: usize,
) -> Result<Vec<i64>, NodeError> {
    let ArrayData::I32(values) = array.data() else {
        return Err(NodeError::OperandType { index });
    };
    check_bias(array.shape(), layout, n, index)?;
    Ok((0..n).map(|column| of_column(values, column).into()).collect())
}

/// The int32 bias behind a DequantizeLinear, operand `index`, whose scales must be `products` up to
/// rounding, as a runtime that fuses the pair takes them to be.
pub(super) fn dequantized_bias(
    constant: &Dequantized,
    layout: Layout,
    products: &[f32],
    n: usize,
    index: usize,
) -> Result<Vec<i64>, NodeError> {
    let values = bias(&constant.values, layout, n, index)?;
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

/// The matrix that a matmul of `x` (operand `index`) by weights of `k` rows reads, how its output is seen, and in how
/// many groups its columns are.
pub(super) fn product(
    x: &View,
    weights: &Weights,
    index: usize,
) -> Result<(Matrix, View, usize), NodeError> {
    let last = x.rank().checked_sub(1).map_or(0, |last| x.size(last));
    if last != weights.k {
        return Err(NodeError::OperandShape { index, expected: weights.k, got: last });
    }
    let outer = x.rank() - 1;
    let mut shape = x.shape();
    let heads = weights.heads.len();
    if heads == 0 {
        shape[outer] = weights.n;
        let output = View::new(0, &shape, |dim| dim == outer);
        return Ok((Matrix::rows_and_columns(x, outer), output, 1));
    }
    // The dimensions before rows number the matrices: they are columns, with the last.
    let got = x.rank() + 1;
    let before = outer.checked_sub(heads + 1);
    let before = before.ok_or(NodeError::OperandShape { index, expected: heads + 3, got })?;
    let of_heads = before..before + heads;
    for (dim, &expected) in of_heads.clone().zip(&weights.heads) {
        if shape[dim] != expected {
            return Err(NodeError::OperandShape { index, expected, got: shape[dim] });
        }
    }
    let groups = weights.heads.iter().product();
    shape[outer] = weights.n / groups;
    let is_column = |dim: usize| of_heads.contains(&dim) || dim == outer;
    let output = View::new(0, &shape, is_column);
    Ok((Matrix::laid_out(x, is_column), output, groups))
}

/// The step functions of accumulators whose unit is `products` (one or one for each column), clamped
/// to the target's bounds as real numbers, into its codes.
pub(super) fn requantize(products: &[f32], target: &Target) -> Result<Requantize, NodeError> {
    let &Target { to, dtype, .. } = target;
    let (lowest, highest) = target.ends();
    let value = |code| i32::from(code) + dtype.min();
    let steps = products
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
                qmin: value(lowest),
                qmax: value(highest),
                type_min: dtype.min(),
                profile: RoundingProfile::OrtF32Rne,
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Requantize { steps: one_if_alike(steps) })
}

/// `value` as the nearest integer in units of `unit`; an error where that is none of a size of at most `most`, or no number.
pub(super) fn units(value: f64, unit: f64, most: f64) -> Result<i64, NodeError> {
    let units = (value / unit).round_ties_even();
    match units.abs() <= most {
        true => Ok(units as i64),
        // The conversion saturates, and makes 0 of what is no number.
        false => Err(NodeError::AccumulatorRange { bound: units.abs() as i128 }),
    }
}

/// Whether a per-column operand has one element or `n`.
pub(super) fn check_columns(got: usize, n: usize, index: usize) -> Result<(), NodeError> {
    if got == 1 || got == n {
        return Ok(());
    }
    Err(NodeError::OperandShape { index, expected: n, got })
}

/// One for all columns, where those of all are alike: what [`of_column`] reads.
pub(super) fn one_if_alike<T: PartialEq>(mut values: Vec<T>) -> Vec<T> {
    if values.windows(2).all(|pair| pair[0] == pair[1]) {
        values.truncate(1);
    }
    values
}

/// The number of a column, of one or one for each.
pub(super) fn of_column<T: Copy>(values: &[T], column: usize) -> T {
    match values {
        [only] => *only,
        many => many[column],
    }
}
