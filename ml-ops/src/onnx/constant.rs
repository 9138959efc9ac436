//! Constant tensors of a file, as arrays.

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
        data_type::UINT8 => ArrayData::U8(match raw {
            Some(raw) => raw.to_vec(),
            None => narrow(&tensor.int32_data)?,
        }),
        data_type::INT8 => ArrayData::I8(match raw {
            Some(raw) => raw.iter().map(|&byte| byte as i8).collect(),
            None => narrow(&tensor.int32_data)?,
        }),
        got => return Err(TensorError::ElementType { got }),
    };
    let got = data.len();
    Array::new(shape, data).map_err(|_| TensorError::Length { expected, got })
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
