//! NumPy's `.npy` files as arrays.

use std::io;

use binfer_ml_ops::array::{Array, ArrayData, ArrayError};
use npyz::{
    AutoSerialize, DType, Deserialize, NpyFile, NpyHeader, Order, TypeChar, WriteOptions,
    WriterBuilder,
};
use thiserror::Error;

/// Most bytes of a header's text.
const MAX_HEADER: usize = 4096;
/// Most decimal digits of a header's text, all dimensions and the type together: no product of the
/// dimensions reaches `10^18`.
const MAX_DIGITS: usize = 19;
/// Most brackets that open in a header's text.
const MAX_BRACKETS: usize = 4;

/// Bytes are not an array that a model takes.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum NpyError {
    /// The first bytes are not those of a `.npy` file, or the header is cut off or too long.
    #[error("not a .npy file, or its header is cut off or longer than {MAX_HEADER} bytes")]
    NoHeader,
    /// The header has more digits or brackets than that of a plain array.
    #[error("the header is not that of a plain array, or its dimensions are too large")]
    Complex,
    /// The header is malformed.
    #[error("malformed header: {0}")]
    Header(io::Error),
    /// The element type is none that models use.
    #[error(
        "elements of type {descr}; float32, bool, uint8, uint16, int8, int16, int32 and int64 are supported"
    )]
    ElementType {
        /// NumPy's name of the type.
        descr: String,
    },
    /// The data are of another length than the header says.
    #[error("{got} bytes of data, the header asks for {expected}")]
    Length {
        /// Bytes that the header asks for.
        expected: u64,
        /// Bytes of data.
        got: usize,
    },
    /// The elements cannot be read.
    #[error("{0}")]
    Elements(io::Error),
    /// The shape does not belong to the data.
    #[error("{0}")]
    Shape(#[from] ArrayError),
}

/// The array that the bytes of a `.npy` file hold, in either order of its dimensions.
///
/// # Errors
/// [`NpyError`] on any other bytes; memory is in proportion to their number.
pub(crate) fn parse(bytes: &[u8]) -> Result<Array, NpyError> {
    let text = header_text(bytes).ok_or(NpyError::NoHeader)?;
    let count = |of: fn(&u8) -> bool| text.iter().filter(|b| of(b)).count();
    if count(u8::is_ascii_digit) > MAX_DIGITS || count(|b| b"([{".contains(b)) > MAX_BRACKETS {
        return Err(NpyError::Complex);
    }
    let mut data = bytes;
    let header = NpyHeader::from_reader(&mut data).map_err(NpyError::Header)?;
    let unsupported = || NpyError::ElementType { descr: header.dtype().descr() };
    let DType::Plain(element) = header.dtype() else {
        return Err(unsupported());
    };
    let size = element.size_field();
    let expected = header.len().saturating_mul(size);
    let element = (element.type_char(), size);
    let supported = matches!(
        element,
        (TypeChar::Float, 4)
            | (TypeChar::Bool, 1)
            | (TypeChar::Uint, 1 | 2)
            | (TypeChar::Int, 1 | 2 | 4 | 8)
    );
    if !supported {
        return Err(unsupported());
    }
    if expected != data.len() as u64 {
        return Err(NpyError::Length { expected, got: data.len() });
    }
    // A dimension of 0 leaves the others unbounded.
    let shape: Result<Vec<usize>, _> = header.shape().iter().map(|&d| d.try_into()).collect();
    let shape = shape.map_err(|_| NpyError::Complex)?;
    let data = match element {
        (TypeChar::Float, _) => ArrayData::F32(elements(header, data, &shape)?),
        (TypeChar::Bool, _) => {
            let flags: Vec<bool> = elements(header, data, &shape)?;
            ArrayData::U8(flags.into_iter().map(u8::from).collect())
        }
        (TypeChar::Uint, 2) => ArrayData::U16(elements(header, data, &shape)?),
        (TypeChar::Uint, _) => ArrayData::U8(elements(header, data, &shape)?),
        (_, 1) => ArrayData::I8(elements(header, data, &shape)?),
        (_, 2) => ArrayData::I16(elements(header, data, &shape)?),
        (_, 4) => ArrayData::I32(elements(header, data, &shape)?),
        _ => ArrayData::I64(elements(header, data, &shape)?),
    };
    Ok(Array::new(shape, data)?)
}

/// The bytes of the header's text, by the length that stands before it.
fn header_text(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (version, rest) = rest.split_at_checked(2)?;
    let (length, rest) = rest.split_at_checked(if version[0] == 1 { 2 } else { 4 })?;
    let length = length.iter().rev().fold(0, |n, &b| n << 8 | usize::from(b));
    (length <= MAX_HEADER).then(|| rest.get(..length))?
}

/// All elements in row-major order.
fn elements<T: Deserialize + Copy>(
    header: NpyHeader,
    data: &[u8],
    shape: &[usize],
) -> Result<Vec<T>, NpyError> {
    let order = header.order();
    let stored: Vec<T> =
        NpyFile::with_header(header, data).into_vec().map_err(NpyError::Elements)?;
    match order {
        Order::C => Ok(stored),
        Order::Fortran => Ok(row_major(&stored, shape)),
    }
}

/// Elements whose first index runs fastest, in the order where the last one does.
fn row_major<T: Copy>(stored: &[T], shape: &[usize]) -> Vec<T> {
    let mut index = vec![0; shape.len()];
    let mut result = Vec::with_capacity(stored.len());
    for _ in 0..stored.len() {
        let at = index.iter().zip(shape).rfold(0, |at, (&i, &d)| at * d + i);
        result.push(stored[at]);
        for (i, &d) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < d {
                break;
            }
            *i = 0;
        }
    }
    result
}

/// The bytes of the `.npy` file that holds `array`.
pub(crate) fn to_bytes(array: &Array) -> io::Result<Vec<u8>> {
    match array.data() {
        ArrayData::F32(v) => encode(array.shape(), v),
        ArrayData::U8(v) => encode(array.shape(), v),
        ArrayData::I8(v) => encode(array.shape(), v),
        ArrayData::I32(v) => encode(array.shape(), v),
        ArrayData::I64(v) => encode(array.shape(), v),
        ArrayData::I16(v) => encode(array.shape(), v),
        ArrayData::U16(v) => encode(array.shape(), v),
    }
}

fn encode<T: AutoSerialize>(shape: &[usize], elements: &[T]) -> io::Result<Vec<u8>> {
    let shape: Vec<u64> = shape.iter().map(|&d| d as u64).collect();
    let mut bytes = Vec::new();
    let mut writer =
        WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    writer.extend(elements)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    fn array() -> Array {
        Array::new(vec![2, 3], ArrayData::I32(vec![1, -2, 3, 4, 5, 6])).unwrap()
    }

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn every_type_comes_back() {
        for data in [
            ArrayData::F32(vec![0.5, f32::NAN.copysign(1.0).max(2.0)]),
            ArrayData::U8(vec![0, 255]),
            ArrayData::I8(vec![-128, 127]),
            ArrayData::I32(vec![i32::MIN, i32::MAX]),
            ArrayData::I64(vec![i64::MIN, i64::MAX]),
            ArrayData::I16(vec![i16::MIN, i16::MAX]),
            ArrayData::U16(vec![0, u16::MAX]),
        ] {
            let array = Array::new(vec![2, 1], data).unwrap();
            assert_eq!(parse(&to_bytes(&array).unwrap()).unwrap(), array);
        }
    }

    #[test]
    fn fortran_order_is_put_into_rows() {
        let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n";
        let expected = Array::new(vec![2, 3], ArrayData::U8(vec![1, 3, 5, 2, 4, 6])).unwrap();
        assert_eq!(parse(&file(header, &[1, 2, 3, 4, 5, 6])).unwrap(), expected);
    }

    #[test]
    fn big_endian_is_understood() {
        let header = "{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }\n";
        let expected = Array::new(vec![1], ArrayData::I32(vec![258])).unwrap();
        assert_eq!(parse(&file(header, &[0, 0, 1, 2])).unwrap(), expected);
    }

    #[test]
    fn flags_are_zeros_and_ones() {
        let header = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }\n";
        let expected = Array::new(vec![3], ArrayData::U8(vec![1, 0, 1])).unwrap();
        assert_eq!(parse(&file(header, &[1, 0, 1])).unwrap(), expected);
    }

    #[test]
    fn bad_headers_are_errors() {
        let plain = |shape: &str| {
            let header =
                format!("{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}\n");
            parse(&file(&header, &[0; 8])).unwrap_err()
        };
        assert!(matches!(plain("(2,)"), NpyError::Length { expected: 16, got: 8 }));
        assert!(matches!(plain("(9999999999, 9999999999)"), NpyError::Complex));
        assert!(matches!(plain("((((1))))"), NpyError::Complex));
        assert!(matches!(plain("(-1,)"), NpyError::Header(_)));
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n";
        let error = parse(&file(header, &[0; 8])).unwrap_err();
        assert!(matches!(error, NpyError::ElementType { .. }));
        assert!(matches!(parse(b"").unwrap_err(), NpyError::NoHeader));
        let long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}";
        assert!(matches!(parse(long).unwrap_err(), NpyError::NoHeader));
    }

    #[test]
    fn changed_and_truncated_files_do_not_panic() {
        let good = to_bytes(&array()).unwrap();
        let mut rng = StdRng::seed_from_u64(3);
        for _ in 0..20_000 {
            let mut bytes = good.clone();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] =
                    if rng.random() { rng.random() } else { good[rng.random_range(0..good.len())] };
            }
            let _ = parse(&bytes);
        }
        for n in 0..good.len() {
            assert!(parse(&good[..n]).is_err());
        }
    }
}
