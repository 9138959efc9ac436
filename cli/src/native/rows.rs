//! Tensors in row-major order, as native kernels take them.

use binfer_ml_ops::graph::Values;

/// A tensor in row-major order.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    /// Codes.
    Codes(Vec<u8>),
    /// Integers of 32 bits.
    I32(Vec<i32>),
    /// Integers of 64 bits.
    I64(Vec<i64>),
}

impl Rows {
    /// The row-major tensor of feature-major codes.
    pub(crate) fn from_codes(values: &Values, rows: usize) -> Self {
        let codes = values.as_codes().unwrap_or_default();
        Self::Codes(transposed(codes, rows).collect())
    }

    /// Whether this is the feature-major tensor `values` of `rows` rows.
    pub(crate) fn agrees(&self, values: &Values, rows: usize) -> bool {
        let mut integers = Vec::with_capacity(self.len());
        self.for_each(|_, v| integers.push(v));
        match values {
            Values::Codes(v) => transposed(v, rows).map(i64::from).eq(integers),
            Values::Integers(v) => transposed(v, rows).eq(integers),
        }
    }

    /// Number of elements.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Codes(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::I64(v) => v.len(),
        }
    }

    /// Calls `f` on all positions and elements in order.
    pub(super) fn for_each(&self, mut f: impl FnMut(usize, i64)) {
        match self {
            Self::Codes(v) => v.iter().enumerate().for_each(|(at, &v)| f(at, i64::from(v))),
            Self::I32(v) => v.iter().enumerate().for_each(|(at, &v)| f(at, i64::from(v))),
            Self::I64(v) => v.iter().enumerate().for_each(|(at, &v)| f(at, v)),
        }
    }

    /// The images of integers; codes stay.
    pub(super) fn map_integers(&self, narrow: fn(i32) -> i32, wide: fn(i64) -> i64) -> Self {
        match self {
            Self::Codes(v) => Self::Codes(v.clone()),
            Self::I32(v) => Self::I32(v.iter().map(|&v| narrow(v)).collect()),
            Self::I64(v) => Self::I64(v.iter().map(|&v| wide(v)).collect()),
        }
    }

    /// The images of codes; integers stay.
    pub(super) fn map_codes(&self, table: &[u8; 256]) -> Self {
        match self {
            Self::Codes(v) => Self::Codes(v.iter().map(|&v| table[usize::from(v)]).collect()),
            integers => integers.clone(),
        }
    }
}

/// Feature-major values in row-major order.
fn transposed<T: Copy>(values: &[T], rows: usize) -> impl Iterator<Item = T> + '_ {
    let features = values.len() / rows.max(1);
    (0..rows).flat_map(move |row| (0..features).map(move |f| values[f * rows + row]))
}
