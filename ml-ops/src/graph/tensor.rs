//! Two-dimensional integer tensors: their shapes and their values.

use std::ops::Range;

#[cfg(feature = "prover")]
use rayon::prelude::*;

/// Elements that a parallel task has.
#[cfg(feature = "prover")]
const TASK: usize = 1 << 15;

/// Position of a tensor in [`Graph::tensors`](super::Graph::tensors).
pub type TensorId = usize;

/// An integer type of 8 bits or fewer of an ONNX tensor; in a graph its values `q` are held as codes `q - min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeType {
    /// Unsigned: 0 to 255.
    U8,
    /// Signed: -128 to 127.
    I8,
    /// Unsigned: 0 to 15.
    U4,
    /// Signed: -8 to 7.
    I4,
    /// Unsigned: 0 to 3.
    U2,
    /// Signed: -2 to 1.
    I2,
}

impl CodeType {
    /// The smallest value, which has code 0.
    pub const fn min(self) -> i32 {
        match self {
            Self::U8 | Self::U4 | Self::U2 => 0,
            Self::I8 => -128,
            Self::I4 => -8,
            Self::I2 => -2,
        }
    }

    /// The largest value.
    pub const fn max(self) -> i32 {
        self.min() + self.last() as i32
    }

    /// The code of the largest value.
    pub const fn last(self) -> u8 {
        match self {
            Self::U8 | Self::I8 => 255,
            Self::U4 | Self::I4 => 15,
            Self::U2 | Self::I2 => 3,
        }
    }

    /// Whether values have fewer than 8 bits.
    pub const fn is_narrow(self) -> bool {
        self.last() < 255
    }

    /// Whether arrays have them as signed bytes.
    pub const fn is_signed(self) -> bool {
        self.min() < 0
    }

    /// The code of `value`, if it is a value of this type.
    pub fn code(self, value: i32) -> Option<u8> {
        let code = u8::try_from(i64::from(value) - i64::from(self.min())).ok();
        code.filter(|&code| code <= self.last())
    }
}

/// What a tensor's elements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TensorKind {
    /// Unsigned codes 0 to 255.
    Code,
    /// Signed integers of a two's complement width that every run respects.
    Integer {
        /// The width, 1 to 63.
        bits: u32,
    },
}

impl TensorKind {
    /// Inclusive range of the elements.
    pub fn range(self) -> (i64, i64) {
        match self {
            Self::Code => (0, 255),
            Self::Integer { bits } => {
                let half = 1i64 << (bits.clamp(1, 63) - 1);
                (-half, half - 1)
            }
        }
    }
}

impl TensorKind {
    /// Whether all integers are in its range.
    #[cfg(feature = "prover")]
    pub(crate) fn holds(self, integers: &[i64]) -> bool {
        let (low, high) = self.range();
        are_within(integers, low, high.abs_diff(low).count_ones())
    }
}

/// The shape of a tensor of `batch * rows_per_sample` rows and `features` columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorShape {
    /// Rows that one sample of the batch contributes.
    pub rows_per_sample: usize,
    /// Number of columns.
    pub features: usize,
    /// What the elements are.
    pub kind: TensorKind,
}

impl TensorShape {
    /// Elements that one sample of the batch contributes.
    pub fn per_sample(&self) -> usize {
        self.rows_per_sample * self.features
    }
}

/// The elements of a tensor, feature-major with rows contiguous: index `feature * rows + row`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// Of a [`TensorKind::Code`] tensor.
    Codes(Vec<u8>),
    /// Of a [`TensorKind::Integer`] tensor.
    Integers(Vec<i64>),
}

/// One tensor where several may be.
impl AsRef<[Values]> for Values {
    fn as_ref(&self) -> &[Self] {
        core::slice::from_ref(self)
    }
}

impl Values {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::Codes(v) => v.len(),
            Self::Integers(v) => v.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `batch` samples of the same codes, `[feature][row]` with `rows` rows.
    pub(crate) fn repeated(codes: &[u8], rows: usize, batch: usize) -> Self {
        Self::Codes(codes.chunks(rows.max(1)).flat_map(|feature| feature.repeat(batch)).collect())
    }

    /// The rows `rows` of every feature, of which each has `of`.
    pub(crate) fn rows(&self, rows: Range<usize>, of: usize) -> Self {
        fn part<T: Copy>(values: &[T], rows: &Range<usize>, of: usize) -> Vec<T> {
            let features = values.chunks(of.max(1));
            features.filter_map(|feature| feature.get(rows.clone())).flatten().copied().collect()
        }
        match self {
            Self::Codes(v) => Self::Codes(part(v, &rows, of)),
            Self::Integers(v) => Self::Integers(part(v, &rows, of)),
        }
    }

    /// The codes, if these are codes.
    pub fn as_codes(&self) -> Option<&[u8]> {
        match self {
            Self::Codes(v) => Some(v),
            Self::Integers(_) => None,
        }
    }

    /// The integers, if these are integers.
    pub fn as_integers(&self) -> Option<&[i64]> {
        match self {
            Self::Integers(v) => Some(v),
            Self::Codes(_) => None,
        }
    }
}

/// The least and the largest value, in one pass without a branch each.
pub(crate) fn ends<T: Copy + Ord + Send + Sync>(values: &[T]) -> Option<(T, T)> {
    let first = *values.first()?;
    let join = |(low, high): (T, T), (l, h): (T, T)| (low.min(l), high.max(h));
    let ends = |values: &[T]| values.iter().fold((first, first), |ends, &v| join(ends, (v, v)));
    #[cfg(feature = "prover")]
    return values.par_chunks(TASK).map(ends).reduce_with(join);
    #[cfg(not(feature = "prover"))]
    Some(ends(values))
}

/// Whether all integers are among the `2^bits` from `low` on, in one pass without a branch each.
///
/// Precondition: the largest of these is a 64-bit integer, and `bits` is less than 64.
pub(crate) fn are_within(integers: &[i64], low: i64, bits: u32) -> bool {
    // What is too large or too small leaves a bit, whichever sign it had.
    let beyond = |beyond, &v: &i64| beyond | v.wrapping_sub(low).cast_unsigned() >> bits;
    let are_within = |integers: &[i64]| integers.iter().fold(0, beyond) == 0;
    #[cfg(feature = "prover")]
    return integers.par_chunks(TASK).all(are_within);
    #[cfg(not(feature = "prover"))]
    are_within(integers)
}
