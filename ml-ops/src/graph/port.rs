//! Ports: how the arrays that a user holds become the tensors at a graph's two ends, and back.

#[cfg(feature = "prover")]
use super::transpose::is_transposed;
use super::transpose::{to_feature_major, to_row_major};
use super::{
    CodeType, FloatOperation, PortError, TensorId, TensorShape, Values, WordType, ends, floats,
    numbers,
};
use crate::array::{Array, ArrayData, ElementType};

/// Where the network's input enters.
#[derive(Debug, Clone, PartialEq)]
pub struct InputPort {
    /// The tensor it becomes.
    pub tensor: TensorId,
    /// Dimensions of one sample, without the batch.
    pub shape: Vec<usize>,
    /// What turns the array's elements into codes.
    pub transform: InputTransform,
}

/// How an input array's elements become codes.
#[derive(Debug, Clone, PartialEq)]
pub enum InputTransform {
    /// They are integers of 8 bits or fewer already, in arrays of bytes.
    Codes {
        /// Their type.
        dtype: CodeType,
    },
    /// They are floats, quantized as by ONNX Runtime's QuantizeLinear: float32 quotient, clamp, round
    /// half to even, add the zero point.
    Quantize {
        /// Divisor, finite and positive.
        scale: f32,
        /// Zero point, in the type's own values.
        zero_point: i32,
        /// The type.
        dtype: CodeType,
    },
    /// They are floats, of which operations with constants make those that are quantized.
    Computed {
        /// The operations, in order.
        operations: Vec<FloatOperation>,
        /// [`Quantize`](Self::Quantize) or [`QuantizeWords`](Self::QuantizeWords).
        then: Box<Self>,
    },
    /// They are 16-bit integers, and integers of the tensor.
    Words {
        /// Their type.
        dtype: WordType,
    },
    /// They are floats, quantized likewise to 16-bit integers.
    QuantizeWords {
        /// Divisor, finite and positive.
        scale: f32,
        /// Zero point, in the type's own values.
        zero_point: i32,
        /// The 16-bit type.
        dtype: WordType,
    },
    /// They are floats of 256 levels, `low` to `high` in equal steps, each up to float32's rounding: pixels
    /// that have been scaled. Codes number the levels.
    Levels {
        /// The level of code 0.
        low: f32,
        /// The level of code 255, larger.
        high: f32,
    },
    /// They are numbers of 8, 32 or 64 bits below `count`, each its own code: what a mask is made of.
    Numbers {
        /// How many numbers there are, 1 to 256.
        count: usize,
    },
    /// They are numbers of 8, 32 or 64 bits below `vocabulary`, one a row of the tensor: its code is 1 in the feature of that
    /// number, and 0 in all others.
    OneHot {
        /// Features of the tensor.
        vocabulary: usize,
    },
}

/// Where the network's output leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputPort {
    /// The tensor it comes from.
    pub tensor: TensorId,
    /// Dimensions of one sample, without the batch.
    pub shape: Vec<usize>,
    /// What turns the tensor's elements into the array's.
    pub transform: OutputTransform,
}

/// How a tensor's elements become the output array's.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputTransform {
    /// Codes become integers of 8 bits or fewer, in arrays of bytes.
    Codes {
        /// Their type.
        dtype: CodeType,
    },
    /// Codes become floats `(value - zero_point) * scale` in float32, a different one for each code.
    Dequantize {
        /// Factor, finite and positive.
        scale: f32,
        /// Zero point, in the type's own values.
        zero_point: i32,
        /// The type.
        dtype: CodeType,
    },
    /// Integers become 16-bit integers.
    Words {
        /// Their type.
        dtype: WordType,
    },
    /// 16-bit integers become floats `(value - zero_point) * scale` in float32.
    DequantizeWords {
        /// Factor, finite and positive.
        scale: f32,
        /// Zero point, in the type's own values.
        zero_point: i32,
        /// The 16-bit type.
        dtype: WordType,
    },
    /// Integers stay integers.
    Integer {
        /// The array's type.
        dtype: IntegerType,
    },
    /// Integers become floats `value * scale + offset`, each operation rounded to float32, a different one for
    /// each integer of a width of 17 bits. Larger ones are none that an output holds where a float is that of two.
    Affine {
        /// Factors, finite and not zero: one for all features, or one for each.
        scales: Vec<f32>,
        /// What is added, finite: as many.
        offsets: Vec<f32>,
    },
}

/// The type of an integer output array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntegerType {
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
}

/// The leading dimensions of an input array, which its output shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// Number of samples, at least 1.
    pub size: usize,
    /// The array is a stack of inputs each of leading dimension 1: `(size, 1, ..)`, not `(size, ..)`.
    pub stacked: bool,
}

impl InputPort {
    /// The input tensor (of shape `tensor`) that `array` stands for, and the batch it holds: the
    /// tensor has `batch.size * tensor.rows_per_sample` rows.
    ///
    /// # Errors
    /// [`PortError`] if the type or the shape is not the port's, or a float is not a number.
    pub fn encode(
        &self,
        tensor: &TensorShape,
        array: &Array,
    ) -> Result<(Values, Batch), PortError> {
        let batch = batch_of(&self.shape, array)?;
        let (rows, features) = (batch.size * tensor.rows_per_sample, tensor.features);
        let computed;
        let (transform, data) = match (&self.transform, array.data()) {
            (InputTransform::Computed { operations, then }, ArrayData::F32(v)) => {
                computed = ArrayData::F32(floats::after(operations, v)?);
                (&**then, &computed)
            }
            of => of,
        };
        let codes = match (transform, data) {
            (&InputTransform::Codes { dtype }, data)
                if data.element_type() == code_element(dtype) =>
            {
                let codes = codes(data, dtype, |index| PortError::NoLevel { index })?;
                to_feature_major(&codes, rows, features, |q| q)
            }
            (&InputTransform::Words { dtype }, data) if let Some(values) = dtype.values(data) => {
                return Ok((integers(&values, rows, tensor)?, batch));
            }
            (&InputTransform::QuantizeWords { scale, zero_point, dtype }, ArrayData::F32(v)) => {
                if let Some(index) = v.iter().position(|x| x.is_nan()) {
                    return Err(PortError::NotANumber { index });
                }
                let of = |&x| dtype.quantize(x, scale, zero_point);
                let values: Vec<i64> = v.iter().map(of).collect();
                return Ok((integers(&values, rows, tensor)?, batch));
            }
            (&InputTransform::Quantize { scale, zero_point, dtype }, ArrayData::F32(v)) => {
                let codes = quantize_all(v, scale, zero_point, dtype)?;
                to_feature_major(&codes, rows, features, |q| q)
            }
            (&InputTransform::Levels { low, high }, ArrayData::F32(v)) => {
                to_feature_major(&levels(v, low, high)?, rows, features, |q| q)
            }
            (&InputTransform::OneHot { vocabulary }, data) if let Some(v) = numbers::of(data) => {
                numbers::one_hot(&v, vocabulary)?
            }
            (&InputTransform::Numbers { count }, data) if let Some(v) = numbers::of(data) => {
                to_feature_major(&numbers::codes(&v, count)?, rows, features, |q| q)
            }
            (transform, data) => {
                return Err(PortError::ElementType {
                    expected: transform.element_type(),
                    got: data.element_type(),
                });
            }
        };
        Ok((Values::Codes(codes), batch))
    }
}

impl InputTransform {
    /// The type of the arrays that the port takes; of several, the widest.
    pub fn element_type(&self) -> ElementType {
        match self {
            Self::Codes { dtype } => code_element(*dtype),
            Self::Words { dtype } => dtype.element_type(),
            Self::Quantize { .. }
            | Self::Computed { .. }
            | Self::QuantizeWords { .. }
            | Self::Levels { .. } => ElementType::F32,
            Self::OneHot { .. } | Self::Numbers { .. } => ElementType::I64,
        }
    }
}

impl OutputTransform {
    /// The type of the arrays that the port gives.
    pub fn element_type(&self) -> ElementType {
        match self {
            Self::Codes { dtype } => code_element(*dtype),
            Self::Words { dtype } => dtype.element_type(),
            Self::Dequantize { .. } | Self::DequantizeWords { .. } | Self::Affine { .. } => {
                ElementType::F32
            }
            Self::Integer { dtype: IntegerType::I32 } => ElementType::I32,
            Self::Integer { dtype: IntegerType::I64 } => ElementType::I64,
        }
    }
}

impl OutputPort {
    /// The array that the output tensor (of shape `tensor`) stands for, with the input's batch.
    ///
    /// # Errors
    /// [`PortError::Values`] or [`PortError::IntegerRange`] if `values` is not such a tensor, or an integer has no float of its own.
    pub fn decode(
        &self,
        tensor: &TensorShape,
        values: &Values,
        batch: Batch,
    ) -> Result<Array, PortError> {
        let wrong = |expected| PortError::Values { expected, got: values.len() };
        let expected = batch.size.checked_mul(tensor.per_sample()).ok_or(wrong(usize::MAX))?;
        if values.len() != expected {
            return Err(wrong(expected));
        }
        let rows = batch.size * tensor.rows_per_sample;
        let data = match (&self.transform, values) {
            (OutputTransform::Codes { dtype }, Values::Codes(codes)) => {
                let codes = to_row_major(codes, rows, tensor.features);
                if dtype.is_signed() {
                    let value = |&code: &u8| (i32::from(code) + dtype.min()) as i8;
                    ArrayData::I8(codes.iter().map(value).collect())
                } else {
                    ArrayData::U8(codes)
                }
            }
            (OutputTransform::Dequantize { scale, zero_point, dtype }, Values::Codes(codes)) => {
                let images = dequantize_table(*scale, *zero_point, *dtype);
                let codes = to_row_major(codes, rows, tensor.features);
                ArrayData::F32(codes.iter().map(|&c| images[usize::from(c)]).collect())
            }
            (OutputTransform::Words { dtype }, Values::Integers(integers)) => {
                dtype.array(&to_row_major(integers, rows, tensor.features))?
            }
            (OutputTransform::DequantizeWords { scale, zero_point, .. }, Values::Integers(v)) => {
                let integers = to_row_major(v, rows, tensor.features);
                let float = |&value: &i64| WordType::dequantize(value, *scale, *zero_point);
                ArrayData::F32(integers.iter().map(float).collect())
            }
            (OutputTransform::Integer { dtype }, Values::Integers(integers)) => match dtype {
                IntegerType::I64 => ArrayData::I64(to_row_major(integers, rows, tensor.features)),
                IntegerType::I32 => {
                    let narrow: Vec<i32> = integers
                        .iter()
                        .enumerate()
                        .map(|(index, &v)| {
                            i32::try_from(v).map_err(|_| PortError::IntegerRange { index })
                        })
                        .collect::<Result<_, _>>()?;
                    ArrayData::I32(to_row_major(&narrow, rows, tensor.features))
                }
            },
            (OutputTransform::Affine { scales, offsets }, Values::Integers(integers)) => {
                let integers = to_row_major(integers, rows, tensor.features);
                let images = integers.iter().enumerate().map(|(index, &value)| {
                    let feature = index % tensor.features;
                    let (scale, offset) = (of(scales, feature), of(offsets, feature));
                    let image = affine(value, scale, offset);
                    let is_own = affine_inverse(image, scale, offset) == Some(value);
                    is_own.then_some(image).ok_or(PortError::IntegerRange { index })
                });
                ArrayData::F32(images.collect::<Result<_, _>>()?)
            }
            _ => return Err(wrong(expected)),
        };
        let mut shape = vec![batch.size];
        if batch.stacked {
            shape.push(1);
        }
        shape.extend(&self.shape);
        Array::new(shape, data).map_err(|_| wrong(expected))
    }

    /// The output tensor (of shape `tensor`) that `array` stands for: the inverse of
    /// [`decode`](Self::decode). The array's leading dimensions must be the input's.
    ///
    /// # Errors
    /// [`PortError`] if the type, the shape or the batch is wrong, or an element is none that
    /// `decode` gives.
    pub fn encode(
        &self,
        tensor: &TensorShape,
        array: &Array,
        batch: Batch,
    ) -> Result<Values, PortError> {
        let got = batch_of(&self.shape, array)?;
        if got != batch {
            return Err(PortError::Batch { expected: batch.size, got: got.size });
        }
        let rows = batch.size * tensor.rows_per_sample;
        let features = tensor.features;
        match (&self.transform, array.data()) {
            (OutputTransform::Codes { dtype }, data)
                if data.element_type() == code_element(*dtype) =>
            {
                let codes = codes(data, *dtype, |index| PortError::NoSuchOutput { index })?;
                Ok(Values::Codes(to_feature_major(&codes, rows, features, |q| q)))
            }
            (OutputTransform::Words { dtype }, data) if let Some(values) = dtype.values(data) => {
                integers(&values, rows, tensor)
            }
            (OutputTransform::DequantizeWords { scale, zero_point, dtype }, ArrayData::F32(v)) => {
                let inverse = v.iter().enumerate().map(|(index, &x)| {
                    let value = dtype.dequantized(x, *scale, *zero_point);
                    value.ok_or(PortError::NoSuchOutput { index })
                });
                integers(&inverse.collect::<Result<Vec<_>, _>>()?, rows, tensor)
            }
            (OutputTransform::Dequantize { scale, zero_point, dtype }, ArrayData::F32(v)) => {
                let images = dequantize_table(*scale, *zero_point, *dtype);
                let codes: Vec<u8> = v
                    .iter()
                    .enumerate()
                    .map(|(index, x)| {
                        images
                            .binary_search_by(|image| image.total_cmp(x))
                            .map(|code| code as u8)
                            .map_err(|_| PortError::NoSuchOutput { index })
                    })
                    .collect::<Result<_, _>>()?;
                Ok(Values::Codes(to_feature_major(&codes, rows, features, |q| q)))
            }
            (OutputTransform::Integer { dtype: IntegerType::I32 }, ArrayData::I32(v)) => {
                integers(v, rows, tensor)
            }
            (OutputTransform::Integer { dtype: IntegerType::I64 }, ArrayData::I64(v)) => {
                integers(v, rows, tensor)
            }
            (OutputTransform::Affine { scales, offsets }, ArrayData::F32(v)) => {
                let inverse = v.iter().enumerate().map(|(index, &x)| {
                    let feature = index % features;
                    affine_inverse(x, of(scales, feature), of(offsets, feature))
                        .ok_or(PortError::NoSuchOutput { index })
                });
                integers(&inverse.collect::<Result<Vec<_>, _>>()?, rows, tensor)
            }
            (transform, data) => Err(PortError::ElementType {
                expected: transform.element_type(),
                got: data.element_type(),
            }),
        }
    }
}

#[cfg(feature = "prover")]
impl OutputPort {
    /// Whether `array` is what [`decode`](Self::decode) makes of `values`, which are such a tensor.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub(crate) fn gives(
        &self,
        tensor: &TensorShape,
        values: &Values,
        array: &Array,
        batch: Batch,
    ) -> Result<bool, PortError> {
        let shape = (batch.size * tensor.rows_per_sample, tensor.features);
        let is_given = batch_of(&self.shape, array) == Ok(batch)
            && match (&self.transform, array.data(), values) {
                (OutputTransform::Integer { dtype: IntegerType::I32 }, ArrayData::I32(v), y) => {
                    y.as_integers().is_some_and(|y| is_transposed(v, y, shape, |&x| x.into()))
                }
                (OutputTransform::Integer { dtype: IntegerType::I64 }, ArrayData::I64(v), y) => {
                    y.as_integers().is_some_and(|y| is_transposed(v, y, shape, |&x| x))
                }
                (OutputTransform::Codes { dtype: CodeType::U8 }, ArrayData::U8(v), y) => {
                    y.as_codes().is_some_and(|y| is_transposed(v, y, shape, |&q| q))
                }
                (OutputTransform::Codes { dtype: CodeType::I8 }, ArrayData::I8(v), y) => {
                    y.as_codes().is_some_and(|y| is_transposed(v, y, shape, |&q| q as u8 ^ 0x80))
                }
                _ => false,
            };
        // Of all others the array's tensor tells, or why it has none.
        Ok(is_given || self.encode(tensor, array, batch)? == *values)
    }
}

/// ONNX Runtime's QuantizeLinear of a number: the code in `dtype`.
pub(crate) fn quantize(x: f32, scale: f32, zero_point: i32, dtype: CodeType) -> u8 {
    let low = (dtype.min() - zero_point) as f32;
    let high = (dtype.max() - zero_point) as f32;
    let rounded = (x / scale).max(low).min(high).round_ties_even();
    (rounded as i32 + zero_point - dtype.min()) as u8
}

/// ONNX Runtime's DequantizeLinear of every code, non-decreasing.
pub(crate) fn dequantize_table(scale: f32, zero_point: i32, dtype: CodeType) -> [f32; 256] {
    std::array::from_fn(|code| (code as i32 + dtype.min() - zero_point) as f32 * scale)
}

/// The float of an integer.
fn affine(value: i64, scale: f32, offset: f32) -> f32 {
    value as f32 * scale + offset
}

/// The integer near `(x - offset) / scale` whose float is `x`, if there is one.
fn affine_inverse(x: f32, scale: f32, offset: f32) -> Option<i64> {
    let near = (f64::from(x) - f64::from(offset)) / f64::from(scale);
    if near.is_nan() || near.abs() >= f64::from(1 << 24) {
        return None;
    }
    let near = near.round() as i64;
    // The float bit for bit: zero has two.
    (near - 1..=near + 1).find(|&value| affine(value, scale, offset).to_bits() == x.to_bits())
}

/// Whether integers of a width of `bits`, or of 17 of these, all have floats of their own.
pub(super) fn affine_is_injective(bits: u32, scale: f32, offset: f32) -> bool {
    let bits = bits.min(17);
    if !scale.is_finite() || scale == 0.0 || !offset.is_finite() {
        return false;
    }
    // Neighbours are `scale` apart, floats up to `largest` are rounded twice, each time by `largest / 2^24`.
    let (scale, offset) = (f64::from(scale).abs(), f64::from(offset).abs());
    let largest = f64::from(1u32 << (bits.max(1) - 1)) * scale + offset;
    scale * f64::from(1 << 21) > largest && largest < f64::from(f32::MAX) / 2.0
}

fn of(values: &[f32], feature: usize) -> f32 {
    match values {
        [only] => *only,
        values => values.get(feature).copied().unwrap_or(0.0),
    }
}

/// The codes of floats that are, up to rounding, `low` to `high` in 255 equal steps.
fn levels(values: &[f32], low: f32, high: f32) -> Result<Vec<u8>, PortError> {
    let (low, high) = (f64::from(low), f64::from(high));
    let step = (high - low) / 255.0;
    values
        .iter()
        .enumerate()
        .map(|(index, &x)| {
            if x.is_nan() {
                return Err(PortError::NotANumber { index });
            }
            let level = (f64::from(x) - low) / step;
            let code = level.round_ties_even();
            let off = (level - code).abs() * step;
            let rounding = low.abs().max(high.abs()) * f64::from(f32::EPSILON);
            if (0.0..=255.0).contains(&code) && off <= 4.0 * rounding {
                Ok(code as u8)
            } else {
                Err(PortError::NoLevel { index })
            }
        })
        .collect()
}

fn quantize_all(
    values: &[f32],
    scale: f32,
    zero_point: i32,
    dtype: CodeType,
) -> Result<Vec<u8>, PortError> {
    values
        .iter()
        .enumerate()
        .map(|(index, &x)| {
            if x.is_nan() {
                Err(PortError::NotANumber { index })
            } else {
                Ok(quantize(x, scale, zero_point, dtype))
            }
        })
        .collect()
}

fn integers<T: Copy + Default + Ord + Into<i64> + Send + Sync>(
    values: &[T],
    rows: usize,
    tensor: &TensorShape,
) -> Result<Values, PortError> {
    let (low, high) = tensor.kind.range();
    let is_outside = |v: T| !(low..=high).contains(&v.into());
    // A search only where there is something to find.
    if ends(values).is_some_and(|(least, most)| is_outside(least) || is_outside(most)) {
        let index = values.iter().position(|&v| is_outside(v)).unwrap_or(0);
        return Err(PortError::NoSuchOutput { index });
    }
    Ok(Values::Integers(to_feature_major(values, rows, tensor.features, T::into)))
}

fn code_element(dtype: CodeType) -> ElementType {
    if dtype.is_signed() { ElementType::I8 } else { ElementType::U8 }
}

/// The codes of an array of the type's elements; `error` of one that is no value of the type.
fn codes(
    data: &ArrayData,
    dtype: CodeType,
    error: impl Fn(usize) -> PortError,
) -> Result<Vec<u8>, PortError> {
    let code = |(index, value): (usize, i32)| dtype.code(value).ok_or_else(|| error(index));
    match data {
        // All bytes are values of these.
        ArrayData::U8(v) if dtype == CodeType::U8 => Ok(v.clone()),
        ArrayData::I8(v) if dtype == CodeType::I8 => {
            Ok(v.iter().map(|&q| q as u8 ^ 0x80).collect())
        }
        ArrayData::U8(v) => v.iter().map(|&q| q.into()).enumerate().map(code).collect(),
        ArrayData::I8(v) => v.iter().map(|&q| q.into()).enumerate().map(code).collect(),
        other => {
            Err(PortError::ElementType { expected: code_element(dtype), got: other.element_type() })
        }
    }
}

fn batch_of(sample: &[usize], array: &Array) -> Result<Batch, PortError> {
    let shape = array.shape();
    let batch = match shape {
        [size, rest @ ..] if rest == sample => Batch { size: *size, stacked: false },
        [size, 1, rest @ ..] if rest == sample => Batch { size: *size, stacked: true },
        _ => {
            return Err(PortError::Shape {
                sample_rank: sample.len(),
                sample_elements: sample.iter().product(),
                got_rank: shape.len(),
                got_elements: array.data().len(),
            });
        }
    };
    if batch.size == 0 {
        return Err(PortError::EmptyBatch);
    }
    Ok(batch)
}
