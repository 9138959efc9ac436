//! Constant tensors of a file, as arrays: integers of fewer than 8 bits as bytes, 16-bit floats as 32-bit ones.

use super::error::TensorError;
use super::proto::{TensorProto, data_type};
use crate::array::{Array, ArrayData};

/// The array that `tensor` holds, in its typed fields or in `raw_data`.
pub(super) fn array(tensor: &TensorProto) -> Result<Array, TensorError> {
    if tensor.data_location.unwrap_or(0) != 0 || !tensor.external_data.is_empty() {
        return Err(TensorError::External);
    }
    let mut expected = 1usize;
    let mut shape = Vec::with_capacity(tensor.dims.len());
    for (axis, &value) in tensor.dims.iter().enumerate() {
        let error = TensorError::Dimension { axis, value };
        let size = usize::try_from(value).map_err(|_| error)?;
        expected = expected.checked_mul(size).ok_or(error)?;
        shape.push(size);
    }
    let raw = tensor.raw_data.as_deref().filter(|raw| !raw.is_empty());
    let data = match tensor.data_type.unwrap_or(0) {
        data_type::FLOAT => ArrayData::F32(match raw {
            Some(raw) => words(raw, expected)?.map(f32::from_le_bytes).collect(),
            None => tensor.float_data.clone(),
        }),
        data_type::INT64 => ArrayData::I64(match raw {
            Some(raw) => words(raw, expected)?.map(i64::from_le_bytes).collect(),
            None => tensor.int64_data.clone(),
        }),
        data_type::INT32 => ArrayData::I32(match raw {
            Some(raw) => words(raw, expected)?.map(i32::from_le_bytes).collect(),
            None => tensor.int32_data.clone(),
        }),
        data_type::UINT16 => ArrayData::U16(match raw {
            Some(raw) => words(raw, expected)?.map(u16::from_le_bytes).collect(),
            None => narrow(&tensor.int32_data)?,
        }),
        data_type::INT16 => ArrayData::I16(match raw {
            Some(raw) => words(raw, expected)?.map(i16::from_le_bytes).collect(),
            None => narrow(&tensor.int32_data)?,
        }),
        data_type::UINT8 | data_type::BOOL => ArrayData::U8(match raw {
            Some(raw) => raw.to_vec(),
            None => narrow(&tensor.int32_data)?,
        }),
        data_type::INT8 => ArrayData::I8(match raw {
            Some(raw) => raw.iter().map(|&byte| byte as i8).collect(),
            None => narrow(&tensor.int32_data)?,
        }),
        data_type::FLOAT16 => ArrayData::F32(match raw {
            Some(raw) => words(raw, expected)?.map(u16::from_le_bytes).map(half).collect(),
            None => narrow(&tensor.int32_data)?.into_iter().map(half).collect(),
        }),
        of @ (data_type::UINT4 | data_type::INT4 | data_type::UINT2 | data_type::INT2) => {
            let bits = if matches!(of, data_type::UINT4 | data_type::INT4) { 4 } else { 2 };
            let bytes = match raw {
                Some(raw) => raw.to_vec(),
                None => narrow(&tensor.int32_data)?,
            };
            let values = fields(&bytes, bits, expected)?;
            if matches!(of, data_type::UINT4 | data_type::UINT2) {
                ArrayData::U8(values)
            } else {
                let shift = 8 - bits;
                ArrayData::I8(values.iter().map(|&v| (v << shift) as i8 >> shift).collect())
            }
        }
        got => return Err(TensorError::ElementType { got }),
    };
    let got = data.len();
    Array::new(shape, data).map_err(|_| TensorError::Length { expected, got })
}

/// The first `expected` fields of `bits` each, from the least significant on.
fn fields(bytes: &[u8], bits: u32, expected: usize) -> Result<Vec<u8>, TensorError> {
    let per_byte = 8 / bits as usize;
    if bytes.len() != expected.div_ceil(per_byte) {
        return Err(TensorError::Length { expected, got: bytes.len().saturating_mul(per_byte) });
    }
    let field = |at: usize| {
        let byte = bytes[at / per_byte] >> (at % per_byte * bits as usize);
        byte & ((1 << bits) - 1)
    };
    Ok((0..expected).map(field).collect())
}

/// The float that 16 bits stand for.
fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (bits >> 15, (bits >> 10) & 31, f32::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        exponent => (1.0 + fraction / 1024.0) * 2f32.powi(i32::from(exponent) - 15),
    };
    if sign == 1 { -size } else { size }
}

fn words<const N: usize>(
    raw: &[u8],
    expected: usize,
) -> Result<impl Iterator<Item = [u8; N]> + '_, TensorError> {
    let (whole, rest) = raw.as_chunks::<N>();
    if !rest.is_empty() {
        let got = whole.len() + 1;
        return Err(TensorError::Length { expected, got });
    }
    Ok(whole.iter().copied())
}

fn narrow<T: TryFrom<i32>>(values: &[i32]) -> Result<Vec<T>, TensorError> {
    values
        .iter()
        .enumerate()
        .map(|(index, &value)| T::try_from(value).map_err(|_| TensorError::Value { index, value }))
        .collect()
}
