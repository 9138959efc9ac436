//! A file: its metadata, and where its tensors are.

use std::collections::BTreeMap;

use super::blocks::TensorType;
use super::cursor::Cursor;
use super::error::GgufError;
use super::value::Value;

const MAGIC: [u8; 4] = *b"GGUF";

/// What tensors are aligned to where the file does not say it.
const ALIGNMENT: u64 = 32;

/// A tensor's place and shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Sizes of its dimensions, the fastest first.
    pub dims: Vec<u64>,
    /// The number of its type.
    kind: u32,
    /// Where its data start.
    offset: u64,
}

/// A file's metadata and tensors. It borrows the bytes.
#[derive(Debug, Clone)]
pub struct Gguf<'a> {
    metadata: BTreeMap<&'a str, Value<'a>>,
    tensors: BTreeMap<&'a str, Tensor>,
    /// The tensors' data, aligned.
    data: &'a [u8],
}

impl<'a> Gguf<'a> {
    /// The file that `bytes` are.
    ///
    /// # Errors
    /// [`GgufError`] on anything that is not one. What is allocated is at most proportional to `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, GgufError> {
        let mut cursor = Cursor { bytes, offset: 0 };
        if cursor.array::<4>()? != MAGIC {
            return Err(GgufError::Magic);
        }
        let version = cursor.u32()?;
        if !(2..=3).contains(&version) {
            return Err(GgufError::Version { got: version });
        }
        // Counts come first, and both lists take more than 12 bytes an item.
        let n_tensors = cursor.count(12)?;
        let n_values = cursor.count(12)?;
        let mut metadata = BTreeMap::new();
        for _ in 0..n_values {
            let key = cursor.string()?;
            let value = Value::read(&mut cursor)?;
            insert(&mut metadata, key, value)?;
        }
        let mut tensors = BTreeMap::new();
        for _ in 0..n_tensors {
            let name = cursor.string()?;
            let n_dims = cursor.u32()?;
            let mut dims = Vec::new();
            for _ in 0..n_dims {
                dims.push(cursor.u64()?);
            }
            let tensor = Tensor { dims, kind: cursor.u32()?, offset: cursor.u64()? };
            insert(&mut tensors, name, tensor)?;
        }
        let alignment = match metadata.get("general.alignment") {
            None => ALIGNMENT,
            Some(value) => {
                let got = value.as_size().unwrap_or(0) as u64;
                if !got.is_power_of_two() || !(8..=1 << 16).contains(&got) {
                    return Err(GgufError::Alignment { got });
                }
                got
            }
        };
        let start = (cursor.offset as u64).next_multiple_of(alignment);
        let data = usize::try_from(start).ok().and_then(|start| bytes.get(start..));
        Ok(Self { metadata, tensors, data: data.unwrap_or(&[]) })
    }

    /// The metadata value of a key.
    pub fn value(&self, key: &str) -> Option<&Value<'a>> {
        self.metadata.get(key)
    }

    /// The size that a key stands for.
    ///
    /// # Errors
    /// [`GgufError::Key`] if it is missing or no size.
    pub fn size(&self, key: &str) -> Result<usize, GgufError> {
        let size = self.value(key).and_then(Value::as_size);
        size.ok_or_else(|| missing(key, "a size"))
    }

    /// The number that a key stands for.
    ///
    /// # Errors
    /// [`GgufError::Key`] if it is missing or no number.
    pub fn float(&self, key: &str) -> Result<f64, GgufError> {
        let float = self.value(key).and_then(Value::as_float);
        float.ok_or_else(|| missing(key, "a number"))
    }

    /// The string that a key stands for.
    ///
    /// # Errors
    /// [`GgufError::Key`] if it is missing or no string.
    pub fn string(&self, key: &str) -> Result<&'a str, GgufError> {
        self.value(key).and_then(Value::as_str).ok_or_else(|| missing(key, "a string"))
    }

    /// The list of strings that a key stands for.
    ///
    /// # Errors
    /// [`GgufError::Key`] if it is missing or no such list.
    pub fn strings(&self, key: &str) -> Result<Vec<&'a str>, GgufError> {
        let list = self.value(key).and_then(Value::as_array);
        let strings = list.and_then(|list| list.iter().map(Value::as_str).collect());
        strings.ok_or_else(|| missing(key, "a list of strings"))
    }

    /// The names of all tensors, and their places.
    pub fn tensors(&self) -> impl Iterator<Item = (&'a str, &Tensor)> {
        self.tensors.iter().map(|(&name, tensor)| (name, tensor))
    }

    /// The floats of tensor `name`, in the file's order: the first of `dims` is the fastest. `None` stands for a
    /// tensor that is not there.
    ///
    /// # Errors
    /// [`GgufError`] if its type is not understood, its shape is none, or its data are not in the file.
    pub fn floats(&self, name: &str) -> Result<Option<Vec<f32>>, GgufError> {
        let Some(tensor) = self.tensors.get(name) else { return Ok(None) };
        let Tensor { dims, kind, offset } = tensor;
        let known = TensorType::new(*kind);
        let kind = known.ok_or(GgufError::TensorType { name: name.to_owned(), got: *kind })?;
        let elements = dims.iter().try_fold(1u64, |n, &dim| n.checked_mul(dim));
        let size = || GgufError::Size { name: name.to_owned(), dims: dims.len(), elements };
        let (Some(elements), Some(&row)) = (elements, dims.first()) else { return Err(size()) };
        if elements == 0 {
            return Err(size());
        }
        let block = kind.block();
        if !row.is_multiple_of(block as u64) {
            return Err(GgufError::Block { name: name.to_owned(), row, block });
        }
        let bytes = (elements / block as u64).checked_mul(kind.bytes() as u64).ok_or_else(size)?;
        let range = offset
            .checked_add(bytes)
            .and_then(|end| Some(usize::try_from(*offset).ok()?..usize::try_from(end).ok()?));
        let data = range.and_then(|range| self.data.get(range)).ok_or(GgufError::Data {
            name: name.to_owned(),
            offset: *offset,
            bytes,
            have: self.data.len(),
        })?;
        Ok(Some(kind.dequantize(data)))
    }

    /// The floats of a tensor of a given shape, the fastest dimension first.
    ///
    /// # Errors
    /// Those of [`floats`](Self::floats), [`GgufError::NoTensor`] and [`GgufError::Shape`].
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, GgufError> {
        let no_tensor = || GgufError::NoTensor { name: name.to_owned() };
        let tensor = self.tensors.get(name).ok_or_else(no_tensor)?;
        let expected: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
        if tensor.dims != expected {
            let got = tensor.dims.clone();
            return Err(GgufError::Shape { name: name.to_owned(), expected, got });
        }
        self.floats(name)?.ok_or_else(no_tensor)
    }
}

fn insert<'a, V>(map: &mut BTreeMap<&'a str, V>, name: &'a str, value: V) -> Result<(), GgufError> {
    match map.insert(name, value) {
        None => Ok(()),
        Some(_) => Err(GgufError::Twice { name: name.to_owned() }),
    }
}

fn missing(key: &str, expected: &'static str) -> GgufError {
    GgufError::Key { key: key.to_owned(), expected }
}
