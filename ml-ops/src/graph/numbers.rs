//! Inputs of whole numbers: as codes, or as rows of a one among zeros.

use super::PortError;
use crate::array::ArrayData;
use std::borrow::Cow;

/// The numbers of an array of unsigned bytes or of integers of 32 or 64 bits.
pub(super) fn of(data: &ArrayData) -> Option<Cow<'_, [i64]>> {
    match data {
        ArrayData::I64(v) => Some(Cow::Borrowed(v)),
        ArrayData::I32(v) => Some(v.iter().map(|&number| number.into()).collect()),
        ArrayData::U8(v) => Some(v.iter().map(|&number| number.into()).collect()),
        _ => None,
    }
}

/// For each number a row of codes, 1 in its feature, `[feature][row]`.
pub(super) fn one_hot(numbers: &[i64], vocabulary: usize) -> Result<Vec<u8>, PortError> {
    let mut codes = vec![0; numbers.len() * vocabulary];
    for (index, &number) in numbers.iter().enumerate() {
        let feature = below(number, vocabulary, index)?;
        codes[feature * numbers.len() + index] = 1;
    }
    Ok(codes)
}

/// Numbers below `count`, 256 at most, as codes.
pub(super) fn codes(numbers: &[i64], count: usize) -> Result<Vec<u8>, PortError> {
    let of = |(index, &number)| Ok(below(number, count, index)? as u8);
    numbers.iter().enumerate().map(of).collect()
}

/// Element `index`, which must be one of the first `vocabulary` numbers.
fn below(got: i64, vocabulary: usize, index: usize) -> Result<usize, PortError> {
    let number = usize::try_from(got).ok().filter(|&number| number < vocabulary);
    number.ok_or(PortError::Vocabulary { index, got, vocabulary })
}
