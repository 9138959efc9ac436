//! Weights of floats that are few multiples of one number, or of one for each column, as 8-bit integers.

use super::error::NodeError;
use super::operands::Layout;
use crate::array::{Array, ArrayData};

/// Largest multiple.
const LARGEST: f32 = 127.0;

/// Parts of the smallest weight of a column of which the others may be multiples.
const PARTS: [f32; 3] = [1.0, 2.0, 3.0];

/// The weights of a constant of floats, operand `index`, as 8-bit integers at a scale: multiples of the smallest.
pub(super) fn of(array: &Array, index: usize) -> Result<(Array, f32), NodeError> {
    let ArrayData::F32(values) = array.data() else {
        return Err(NodeError::OperandType { index });
    };
    let scale = smallest(values.iter()).unwrap_or(1.0);
    let codes = values
        .iter()
        .map(|&value| multiple(value, scale).ok_or(NodeError::NotOnGrid { index, value }));
    let codes = codes.collect::<Result<Vec<_>, _>>()?;
    let got = codes.len();
    let array = Array::new(array.shape().to_vec(), ArrayData::I8(codes));
    let array = array.map_err(|_| NodeError::OperandShape { index, expected: got, got })?;
    Ok((array, scale))
}

/// The same at a scale for each output column; `None` where weights are no multiples.
pub(super) fn by_column(array: &Array, layout: Layout) -> Option<(Array, Vec<f32>)> {
    let ArrayData::F32(values) = array.data() else { return None };
    let (shape, axis) = (array.shape(), layout.column_axis());
    if layout == Layout::Columns && shape.len() != 2 {
        return None;
    }
    let n = *shape.get(axis).filter(|&&n| n > 0)?;
    let inner = shape[axis + 1..].iter().product::<usize>().max(1);
    let column = |at: usize| at / inner % n;
    let scale = |of: usize| {
        let weights = || values.chunks(inner).skip(of).step_by(n).flatten();
        let Some(least) = smallest(weights()) else { return Some(1.0) };
        let mut scales = PARTS.iter().map(|parts| least / parts);
        scales.find(|scale| weights().all(|&value| multiple(value, *scale).is_some()))
    };
    let scales = (0..n).map(scale).collect::<Option<Vec<_>>>()?;
    let code = |(at, &value): (usize, &f32)| multiple(value, scales[column(at)]);
    let codes = values.iter().enumerate().map(code).collect::<Option<Vec<_>>>()?;
    Some((Array::new(shape.to_vec(), ArrayData::I8(codes)).ok()?, scales))
}

/// The smallest size above zero.
fn smallest<'a>(values: impl Iterator<Item = &'a f32>) -> Option<f32> {
    values.map(|w| w.abs()).filter(|&w| w > 0.0).reduce(f32::min)
}

/// Which multiple of `scale` a weight is, exactly.
fn multiple(value: f32, scale: f32) -> Option<i8> {
    let multiple = (value / scale).round_ties_even();
    (multiple.abs() <= LARGEST && multiple * scale == value).then_some(multiple as i8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(shape: &[usize], values: &[f32]) -> Array {
        Array::new(shape.to_vec(), ArrayData::F32(values.to_vec())).expect("a matrix")
    }

    #[test]
    fn weights_are_multiples_in_each_column() {
        let scaled = |scale: f32, of: [i8; 4]| of.map(|q| f32::from(q) * scale);
        let rows = [scaled(0.1, [-2, -1, 0, 1]), scaled(0.25, [2, 3, -2, 0]), [0.0; 4]];
        let (codes, scales) =
            by_column(&array(&[3, 4], &rows.concat()), Layout::Rows).expect("multiples");
        assert_eq!(scales, [0.1, 0.25, 1.0]);
        let expected = vec![-2, -1, 0, 1, 2, 3, -2, 0, 0, 0, 0, 0];
        assert_eq!(codes.data(), &ArrayData::I8(expected));
        let columns: Vec<f32> = (0..4).flat_map(|at| rows.map(|row| row[at])).collect();
        let (_, scales) = by_column(&array(&[4, 3], &columns), Layout::Columns).expect("multiples");
        assert_eq!(scales, [0.1, 0.25, 1.0]);
        // Of no number that is a third of the smallest at least.
        assert!(by_column(&array(&[1, 2], &[1.0, 1.2]), Layout::Rows).is_none());
        assert!(of(&array(&[3, 4], &rows.concat()), 1).is_err());
    }
}
