//! Dense row-major arrays, the form in which inputs and outputs enter and leave a network.

use core::ops::Range;

use thiserror::Error;

/// An [`Array`] could not be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ArrayError {
    /// The number of elements differs from the product of the dimensions.
    #[error("the shape asks for {expected} elements, the data holds {got}")]
    Length {
        /// Product of the dimensions.
        expected: usize,
        /// Number of elements given.
        got: usize,
    },
    /// The product of the dimensions does not fit in a `usize`.
    #[error("the product of the {rank} dimensions overflows")]
    Overflow {
        /// Number of dimensions.
        rank: usize,
    },
}

/// The elements of an [`Array`], in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub enum ArrayData {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// Unsigned bytes.
    U8(Vec<u8>),
    /// Signed bytes.
    I8(Vec<i8>),
    /// 32-bit signed integers.
    I32(Vec<i32>),
    /// 64-bit signed integers.
    I64(Vec<i64>),
    /// 16-bit signed integers.
    I16(Vec<i16>),
    /// 16-bit unsigned integers.
    U16(Vec<u16>),
}

impl ArrayData {
    /// A part of the elements. Precondition: `range` lies within them.
    pub fn part(&self, range: Range<usize>) -> Self {
        match self {
            Self::F32(v) => Self::F32(v[range].to_vec()),
            Self::U8(v) => Self::U8(v[range].to_vec()),
            Self::I8(v) => Self::I8(v[range].to_vec()),
            Self::I32(v) => Self::I32(v[range].to_vec()),
            Self::I64(v) => Self::I64(v[range].to_vec()),
            Self::I16(v) => Self::I16(v[range].to_vec()),
            Self::U16(v) => Self::U16(v[range].to_vec()),
        }
    }

    /// The nearest float of each element.
    pub fn floats(&self) -> Vec<f64> {
        match self {
            Self::F32(v) => v.iter().map(|&x| x.into()).collect(),
            Self::U8(v) => v.iter().map(|&x| x.into()).collect(),
            Self::I8(v) => v.iter().map(|&x| x.into()).collect(),
            Self::I32(v) => v.iter().map(|&x| x.into()).collect(),
            Self::I64(v) => v.iter().map(|&x| x as f64).collect(),
            Self::I16(v) => v.iter().map(|&x| x.into()).collect(),
            Self::U16(v) => v.iter().map(|&x| x.into()).collect(),
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::U8(v) => v.len(),
            Self::I8(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::I64(v) => v.len(),
            Self::I16(v) => v.len(),
            Self::U16(v) => v.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type of the elements.
    pub fn element_type(&self) -> ElementType {
        match self {
            Self::F32(_) => ElementType::F32,
            Self::U8(_) => ElementType::U8,
            Self::I8(_) => ElementType::I8,
            Self::I32(_) => ElementType::I32,
            Self::I64(_) => ElementType::I64,
            Self::I16(_) => ElementType::I16,
            Self::U16(_) => ElementType::U16,
        }
    }
}

/// The type of an [`Array`]'s elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementType {
    /// 32-bit floats.
    F32,
    /// Unsigned bytes.
    U8,
    /// Signed bytes.
    I8,
    /// 32-bit signed integers.
    I32,
    /// 64-bit signed integers.
    I64,
    /// 16-bit signed integers.
    I16,
    /// 16-bit unsigned integers.
    U16,
}

/// A dense array whose element count is the product of its dimensions.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    shape: Vec<usize>,
    data: ArrayData,
}

/// One array where several may be.
impl AsRef<[Array]> for Array {
    fn as_ref(&self) -> &[Self] {
        core::slice::from_ref(self)
    }
}

impl Array {
    /// An array of the given dimensions over row-major `data`.
    ///
    /// # Errors
    /// [`ArrayError`] if the product of `shape` overflows or is not the number of elements.
    pub fn new(shape: Vec<usize>, data: ArrayData) -> Result<Self, ArrayError> {
        let expected = shape
            .iter()
            .try_fold(1usize, |n, &d| n.checked_mul(d))
            .ok_or(ArrayError::Overflow { rank: shape.len() })?;
        if expected != data.len() {
            return Err(ArrayError::Length { expected, got: data.len() });
        }
        Ok(Self { shape, data })
    }

    /// The dimensions, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in row-major order.
    pub fn data(&self) -> &ArrayData {
        &self.data
    }

    /// The dimensions and the elements, by value.
    pub fn into_parts(self) -> (Vec<usize>, ArrayData) {
        (self.shape, self.data)
    }
}
