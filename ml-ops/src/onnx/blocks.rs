//! Constant weights with a scale for each block of elements: integers at one scale a column, where the scales allow it.

use super::error::NodeError;
use super::operands::{integers, one_if_alike};
use super::value::Dequantized;
use crate::array::{Array, ArrayData};
use std::rc::Rc;

/// Parts of the smallest scale of a column, at most, of which all its scales are multiples.
const MOST_PARTS: u32 = 32;

/// Largest multiple of a part that a scale may be.
const MOST_MULTIPLE: f64 = 4096.0;

/// What a DequantizeLinear with blocks of `block` elements along `axis` makes of constant integers, as integers at a
/// scale for each column: index of the first axis, or of a matrix the one that blocks do not lie along.
///
/// Where several scales meet in a column they are to be multiples of a part of the smallest; the floats are then those
/// of the integers at that part, exactly.
pub(super) fn folded(
    values: &Array,
    scales: (&[f32], &[usize]),
    zero_points: Option<&Array>,
    axis: usize,
    block: usize,
) -> Result<Dequantized, NodeError> {
    let shape = values.shape();
    let wrong = |index, expected, got| NodeError::OperandShape { index, expected, got };
    let (scales, of_scales) = scales;
    if of_scales.len() != shape.len() {
        return Err(wrong(1, shape.len(), of_scales.len()));
    }
    for (dim, (&size, &got)) in shape.iter().zip(of_scales).enumerate() {
        let expected = if dim == axis { size.div_ceil(block) } else { size };
        if got != expected {
            return Err(wrong(1, expected, got));
        }
    }
    let elements = narrow(values).ok_or(NodeError::OperandType { index: 0 })?;
    let zeros = match zero_points {
        None => vec![0; scales.len()],
        Some(zeros) => {
            let of_type = zeros.data().element_type() == values.data().element_type();
            let found = narrow(zeros).filter(|_| of_type);
            let found = found.ok_or(NodeError::OperandType { index: 2 })?;
            if found.len() != scales.len() {
                return Err(wrong(2, scales.len(), found.len()));
            }
            found
        }
    };
    let column_axis = if shape.len() == 2 { 1 - axis } else { 0 };
    // The column and the block of an element.
    let place = |at: usize| {
        let (mut rest, mut column, mut number, mut stride) = (at, 0, 0, 1);
        for (dim, (&size, &blocks)) in shape.iter().zip(of_scales).enumerate().rev() {
            let index = rest % size;
            rest /= size;
            if dim == column_axis {
                column = index;
            }
            number += stride * if dim == axis { index / block } else { index };
            stride *= blocks;
        }
        (column, number)
    };
    let columns = shape.get(column_axis).copied().unwrap_or(1);
    let mut of_columns = vec![Vec::new(); columns];
    for (column, number) in (0..elements.len()).map(place) {
        of_columns[column].push(scales[number]);
    }
    let parts = of_columns.iter().enumerate().map(|(column, scales)| {
        let found = part(scales);
        found.ok_or(NodeError::BlockScales { column })
    });
    let parts = parts.collect::<Result<Vec<f32>, _>>()?;
    let integer = |(at, &value): (usize, &i32)| {
        let (column, number) = place(at);
        let multiple = (f64::from(scales[number]) / f64::from(parts[column])).round();
        (value - zeros[number]) * multiple as i32
    };
    let folded: Vec<i32> = elements.iter().enumerate().map(integer).collect();
    let (expected, got) = (elements.len(), folded.len());
    let array = Array::new(shape.to_vec(), ArrayData::I32(folded));
    let values = Rc::new(array.map_err(|_| wrong(0, expected, got))?);
    let scales = one_if_alike(parts);
    Ok(Dequantized { values, scales, zero_points: None, axis: column_axis })
}

/// The largest part of the smallest scale of which all are multiples; `None` if there is none that is a float.
fn part(scales: &[f32]) -> Option<f32> {
    let smallest = f64::from(scales.iter().copied().reduce(f32::min)?);
    (1..=MOST_PARTS).find_map(|parts| {
        let part = (smallest / f64::from(parts)) as f32;
        // Products of a float and a number of a few bits are exact.
        let exact = part.is_normal() && f64::from(part) * f64::from(parts) == smallest;
        let is_multiple = |&scale: &f32| {
            let multiple = (f64::from(scale) / f64::from(part)).round();
            multiple <= MOST_MULTIPLE && multiple * f64::from(part) == f64::from(scale)
        };
        (exact && scales.iter().all(is_multiple)).then_some(part)
    })
}

/// Integers of up to 16 bits.
fn narrow(array: &Array) -> Option<Vec<i32>> {
    integers(array).filter(|values| values.iter().all(|v| (-(1 << 15)..1 << 16).contains(v)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_multiples_of_a_part() {
        assert_eq!(part(&[0.5]), Some(0.5));
        assert_eq!(part(&[0.5, 0.125, 0.25]), Some(0.125));
        assert_eq!(part(&[0.75, 0.5]), Some(0.25));
        assert_eq!(part(&[0.1, 0.1]), Some(0.1));
        assert_eq!(part(&[0.1, 0.3]), None);
        assert_eq!(part(&[0.1, 0.07]), None);
        assert_eq!(part(&[1.0, 8192.0]), None);
        assert_eq!(part(&[]), None);
    }

    #[test]
    fn integers_give_the_floats_of_blocks() {
        let values: Vec<i8> = (0..15).map(|i| (i * 7 % 16) as i8 - 8).collect();
        let scales = [0.5f32, 0.25, 1.5, 2.0, 0.125, 0.5];
        let zeros = [1i8, 0, -3, 2, 7, -8];
        let array = Array::new(vec![5, 3], ArrayData::I8(values.clone())).expect("elements");
        let of_zeros = Array::new(vec![2, 3], ArrayData::I8(zeros.to_vec())).expect("elements");
        // Blocks of three rows, the last of two.
        let found = folded(&array, (&scales, &[2, 3]), Some(&of_zeros), 0, 3).expect("integers");
        assert_eq!((found.axis, found.scales.len()), (1, 3));
        let ArrayData::I32(folded) = found.values.data() else { panic!("integers") };
        for (at, (&folded, &value)) in folded.iter().zip(&values).enumerate() {
            let (row, column) = (at / 3, at % 3);
            let block = row / 3 * 3 + column;
            let expected = f32::from(value - zeros[block]) * scales[block];
            assert_eq!(folded as f32 * found.scales[column], expected, "{at}");
        }
    }
}
