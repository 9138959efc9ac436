//! Metadata: numbers, strings and lists of them.

use super::cursor::Cursor;
use super::error::GgufError;

/// How deep arrays may be nested.
const MAX_DEPTH: usize = 4;

/// A metadata value. Integers of all widths are one kind, as files differ in which they use.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// An integer of any of the eight types.
    Integer(i128),
    /// A float of 32 or 64 bits.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A string.
    String(&'a str),
    /// A list.
    Array(Vec<Value<'a>>),
}

impl<'a> Value<'a> {
    /// The number, if it is an integer that is not negative and within a `usize`.
    pub fn as_size(&self) -> Option<usize> {
        match self {
            Self::Integer(n) => usize::try_from(*n).ok(),
            _ => None,
        }
    }

    /// The number, integers included.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(x) => Some(*x),
            Self::Integer(n) => Some(*n as f64),
            _ => None,
        }
    }

    /// The string.
    pub fn as_str(&self) -> Option<&'a str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The list.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }

    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, GgufError> {
        let kind = kind(cursor)?;
        Self::of_kind(cursor, kind, 0)
    }

    fn of_kind(cursor: &mut Cursor<'a>, kind: u32, depth: usize) -> Result<Self, GgufError> {
        let integer = |n: i128| Ok(Self::Integer(n));
        match kind {
            0 => integer(u8::from_le_bytes(cursor.array()?).into()),
            1 => integer(i8::from_le_bytes(cursor.array()?).into()),
            2 => integer(u16::from_le_bytes(cursor.array()?).into()),
            3 => integer(i16::from_le_bytes(cursor.array()?).into()),
            4 => integer(cursor.u32()?.into()),
            5 => integer(i32::from_le_bytes(cursor.array()?).into()),
            6 => Ok(Self::Float(f32::from_le_bytes(cursor.array()?).into())),
            7 => Ok(Self::Bool(cursor.array::<1>()? != [0])),
            8 => Ok(Self::String(cursor.string()?)),
            10 => integer(cursor.u64()?.into()),
            11 => integer(i64::from_le_bytes(cursor.array()?).into()),
            12 => Ok(Self::Float(f64::from_le_bytes(cursor.array()?))),
            _ => {
                if depth == MAX_DEPTH {
                    return Err(GgufError::Nesting { offset: cursor.offset, most: MAX_DEPTH });
                }
                let inner = self::kind(cursor)?;
                // Grown by what is read: a value in memory is larger than one byte in the file.
                let count = cursor.count(1)?;
                let mut values = Vec::new();
                for _ in 0..count {
                    values.push(Self::of_kind(cursor, inner, depth + 1)?);
                }
                Ok(Self::Array(values))
            }
        }
    }
}

/// A known type's number.
fn kind(cursor: &mut Cursor<'_>) -> Result<u32, GgufError> {
    let (offset, got) = (cursor.offset, cursor.u32()?);
    if got <= 12 { Ok(got) } else { Err(GgufError::ValueType { offset, got }) }
}
