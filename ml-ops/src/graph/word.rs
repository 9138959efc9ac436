//! 16-bit integers at a graph's ports, where they are floats and where they are themselves.

use super::{PortError, TensorKind};
use crate::array::{ArrayData, ElementType};

/// A 16-bit integer type of an ONNX tensor; in a graph its values are integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordType {
    /// Unsigned: 0 to 65535.
    U16,
    /// Signed: -32768 to 32767.
    I16,
}

impl WordType {
    /// The smallest value.
    pub const fn min(self) -> i32 {
        match self {
            Self::U16 => 0,
            Self::I16 => -32768,
        }
    }

    /// The largest value.
    pub const fn max(self) -> i32 {
        self.min() + 65535
    }

    /// The kind of tensors that hold its values.
    pub const fn kind(self) -> TensorKind {
        TensorKind::Integer {
            bits: match self {
                Self::U16 => 17,
                Self::I16 => 16,
            },
        }
    }

    /// Whether `value` is one of the type's.
    pub fn has(self, value: i64) -> bool {
        (i64::from(self.min())..=i64::from(self.max())).contains(&value)
    }

    /// The type of arrays of its values.
    pub(super) const fn element_type(self) -> ElementType {
        match self {
            Self::U16 => ElementType::U16,
            Self::I16 => ElementType::I16,
        }
    }

    /// The values of an array of the type.
    pub(super) fn values(self, data: &ArrayData) -> Option<Vec<i64>> {
        match (self, data) {
            (Self::U16, ArrayData::U16(v)) => Some(v.iter().map(|&q| q.into()).collect()),
            (Self::I16, ArrayData::I16(v)) => Some(v.iter().map(|&q| q.into()).collect()),
            _ => None,
        }
    }

    /// The array's elements that values are.
    pub(super) fn array(self, values: &[i64]) -> Result<ArrayData, PortError> {
        fn narrow<T: TryFrom<i64>>(values: &[i64]) -> Result<Vec<T>, PortError> {
            let of = |(index, &v)| T::try_from(v).map_err(|_| PortError::IntegerRange { index });
            values.iter().enumerate().map(of).collect()
        }
        Ok(match self {
            Self::U16 => ArrayData::U16(narrow(values)?),
            Self::I16 => ArrayData::I16(narrow(values)?),
        })
    }

    /// ONNX Runtime's QuantizeLinear of a number.
    pub(crate) fn quantize(self, x: f32, scale: f32, zero_point: i32) -> i64 {
        let low = (self.min() - zero_point) as f32;
        let high = (self.max() - zero_point) as f32;
        let rounded = (x / scale).max(low).min(high).round_ties_even();
        i64::from(rounded as i32 + zero_point)
    }

    /// ONNX Runtime's DequantizeLinear of a value.
    pub(crate) fn dequantize(value: i64, scale: f32, zero_point: i32) -> f32 {
        (value - i64::from(zero_point)) as f32 * scale
    }

    /// The value whose float is `x`, if there is one.
    pub(super) fn dequantized(self, x: f32, scale: f32, zero_point: i32) -> Option<i64> {
        let near = (f64::from(x) / f64::from(scale)).round();
        if near.is_nan() || near.abs() >= f64::from(1 << 18) {
            return None;
        }
        let near = near as i64 + i64::from(zero_point);
        let is = |value: &i64| {
            let float = Self::dequantize(*value, scale, zero_point);
            self.has(*value) && float.to_bits() == x.to_bits()
        };
        (near - 1..=near + 1).find(is)
    }

    /// Whether values have floats of their own, each finite.
    pub(super) fn is_injective(self, scale: f32, zero_point: i32) -> bool {
        // Factors of at most 17 bits: products differ unless they are below the smallest floats, or not finite.
        let largest = f64::from(scale) * 131_072.0;
        scale >= f32::MIN_POSITIVE && largest < f64::from(f32::MAX) && self.has(zero_point.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_those_of_one_value() {
        for dtype in [WordType::U16, WordType::I16] {
            for (scale, zero) in [(0.1f32, 3), (3.7e-5, dtype.max()), (1e30, dtype.min())] {
                assert!(dtype.is_injective(scale, zero));
                for value in (dtype.min()..=dtype.max()).map(i64::from) {
                    let x = WordType::dequantize(value, scale, zero);
                    assert_eq!(dtype.dequantized(x, scale, zero), Some(value));
                    assert_eq!(dtype.quantize(x, scale, zero), value);
                }
            }
        }
        let of = |x| WordType::I16.dequantized(x, 0.5, 0);
        let outside = [0.25, -0.0, 1e9, 16384.0, f32::NAN, f32::INFINITY];
        assert_eq!(outside.map(of), [None; 6]);
        assert!(!WordType::U16.is_injective(1.0, -1));
        assert!(!WordType::U16.is_injective(1e35, 0));
        assert!(!WordType::U16.is_injective(1e-40, 0));
    }

    #[test]
    fn quantization_saturates_and_rounds_to_even() {
        let q = |x| WordType::U16.quantize(x, 0.5, 10);
        let inputs = [f32::INFINITY, f32::NEG_INFINITY, 1e30, 0.25, 0.75, -0.25];
        assert_eq!(inputs.map(q), [65535, 0, 65535, 10, 12, 10]);
    }
}
