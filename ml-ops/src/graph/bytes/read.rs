//! Reading the fields of a graph from bytes of any origin.

use super::DecodeError;
use crate::graph::{
    Alphabet, CodeMatrix, CodeType, Edges, Epilogue, Function, Gather, GatherDim, InputTransform,
    IntegerType, MAX_NAME_BYTES, Node, Op, OutputTransform, Requantize, RoundingProfile, Step,
    TensorKind, TensorShape, Term, WeightShape,
};

/// Bytes, and how many of them have been read.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) offset: usize,
}

impl Reader<'_> {
    pub(super) fn take(&mut self, needed: usize) -> Result<&[u8], DecodeError> {
        let left = self.bytes.len() - self.offset;
        if needed > left {
            return Err(DecodeError::Truncated { offset: self.offset, needed, left });
        }
        let start = self.offset;
        self.offset += needed;
        Ok(&self.bytes[start..self.offset])
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn size(&mut self) -> Result<usize, DecodeError> {
        Ok(self.u32()? as usize)
    }

    pub(super) fn integer(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    pub(super) fn float(&mut self) -> Result<f32, DecodeError> {
        Ok(f32::from_bits(self.u32()?))
    }

    pub(super) fn byte(&mut self) -> Result<u8, DecodeError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// A tag, and a function that makes the error for one that no variant has.
    pub(super) fn tag(&mut self) -> Result<(u8, DecodeError), DecodeError> {
        let offset = self.offset;
        let tag = self.byte()?;
        Ok((tag, DecodeError::Tag { offset, tag }))
    }

    pub(super) fn name(&mut self) -> Result<String, DecodeError> {
        let bytes = self.size()?;
        let offset = self.offset;
        let error = DecodeError::Name { offset, bytes };
        if bytes > MAX_NAME_BYTES {
            return Err(error);
        }
        let text = self.take(bytes)?.to_vec();
        String::from_utf8(text).map_err(|_| error)
    }

    /// A list whose elements take at least `least` bytes each, which bounds what is allocated.
    pub(super) fn list<T>(
        &mut self,
        least: usize,
        read: impl Fn(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.size()?;
        let left = self.bytes.len() - self.offset;
        let needed = count.saturating_mul(least);
        if needed > left {
            return Err(DecodeError::Truncated { offset: self.offset, needed, left });
        }
        (0..count).map(|_| read(self)).collect()
    }

    pub(super) fn dtype(&mut self) -> Result<CodeType, DecodeError> {
        match self.tag()? {
            (0, _) => Ok(CodeType::U8),
            (1, _) => Ok(CodeType::I8),
            (_, error) => Err(error),
        }
    }

    pub(super) fn tensor(&mut self) -> Result<TensorShape, DecodeError> {
        Ok(TensorShape {
            rows_per_sample: self.size()?,
            features: self.size()?,
            kind: match self.tag()? {
                (0, _) => TensorKind::Code,
                (1, _) => TensorKind::Integer { bits: self.u32()? },
                (_, error) => return Err(error),
            },
        })
    }

    pub(super) fn weights(&mut self) -> Result<WeightShape, DecodeError> {
        Ok(WeightShape {
            k: self.size()?,
            n: self.size()?,
            alphabet: match self.tag()? {
                (0, _) => Alphabet::Digits {
                    values: self.list(4, Self::integer)?,
                    per_byte: self.size()?,
                },
                (1, _) => Alphabet::Byte { offsets: self.list(4, Self::integer)? },
                (_, error) => return Err(error),
            },
            bias_bits: self.u32()?,
        })
    }

    pub(super) fn node(&mut self) -> Result<Node, DecodeError> {
        let name = self.name()?;
        let op = match self.tag()? {
            (0, _) => Op::MatMul {
                x: self.size()?,
                gather: self.option(Self::gather)?,
                zero_code: self.byte()?,
                weights: self.size()?,
                groups: self.size()?,
                y: self.size()?,
                epilogue: self.epilogue()?,
            },
            (1, _) => Op::Relu { x: self.size()?, y: self.size()? },
            (2, _) => Op::Combine {
                terms: self.list(18, Self::term)?,
                y: self.size()?,
                epilogue: self.epilogue()?,
            },
            (3, _) => Op::Max {
                x: self.size()?,
                gather: self.gather()?,
                taps: self.size()?,
                y: self.size()?,
            },
            (4, _) => Op::BatchMatMul {
                a: self.code_matrix()?,
                b: self.code_matrix()?,
                heads: self.size()?,
                row_factors: self.option(|r| r.list(8, Self::long))?,
                y: self.size()?,
                epilogue: self.epilogue()?,
            },
            (5, _) => Op::Constant { codes: self.codes()?, y: self.size()? },
            (_, error) => return Err(error),
        };
        Ok(Node { name, op })
    }

    fn codes(&mut self) -> Result<Vec<u8>, DecodeError> {
        let count = self.size()?;
        Ok(self.take(count)?.to_vec())
    }

    fn code_matrix(&mut self) -> Result<CodeMatrix, DecodeError> {
        Ok(CodeMatrix {
            x: self.size()?,
            gather: self.option(Self::gather)?,
            zero_code: self.byte()?,
        })
    }

    fn epilogue(&mut self) -> Result<Epilogue, DecodeError> {
        match self.tag()? {
            (0, _) => Ok(Epilogue::Accumulator),
            (1, _) => Ok(Epilogue::Requantize(Requantize { steps: self.list(21, Self::step)? })),
            (2, _) => Ok(Epilogue::Edges(self.list(5, Self::edges)?)),
            (_, error) => Err(error),
        }
    }

    fn edges(&mut self) -> Result<Edges, DecodeError> {
        Ok(Edges { first: self.byte()?, edges: self.list(8, Self::long)? })
    }

    fn term(&mut self) -> Result<Term, DecodeError> {
        Ok(Term {
            x: self.size()?,
            gather: self.option(Self::gather)?,
            taps: self.size()?,
            function: match self.tag()? {
                (0, _) => {
                    let mut table = Box::new([0; 256]);
                    for value in table.iter_mut() {
                        *value = self.long()?;
                    }
                    Function::Table(table)
                }
                (1, _) => Function::Times(self.long()?),
                (2, _) => Function::Product {
                    with: self.size()?,
                    with_gather: self.option(Self::gather)?,
                    zeros: self.array()?,
                    factor: self.long()?,
                },
                (_, error) => return Err(error),
            },
        })
    }

    fn gather(&mut self) -> Result<Gather, DecodeError> {
        Ok(Gather {
            source_cols: self.list(4, Self::size)?,
            source_rows: self.list(4, Self::size)?,
            offsets: self.list(8, Self::long)?,
            rows: self.list(13, Self::dim)?,
            cols: self.list(13, Self::dim)?,
            pad: self.option(Self::byte)?,
        })
    }

    fn dim(&mut self) -> Result<GatherDim, DecodeError> {
        Ok(GatherDim { size: self.size()?, axis: self.option(Self::size)?, step: self.long()? })
    }

    fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        match self.tag()? {
            (0, _) => Ok(None),
            (1, _) => read(self).map(Some),
            (_, error) => Err(error),
        }
    }

    fn long(&mut self) -> Result<i64, DecodeError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    pub(super) fn step(&mut self) -> Result<Step, DecodeError> {
        Ok(Step {
            scale: self.float()?,
            zero_point: self.integer()?,
            qmin: self.integer()?,
            qmax: self.integer()?,
            type_min: self.integer()?,
            profile: match self.tag()? {
                (0, _) => RoundingProfile::OrtF32Rne,
                (_, error) => return Err(error),
            },
        })
    }

    pub(super) fn input(&mut self) -> Result<InputTransform, DecodeError> {
        match self.tag()? {
            (0, _) => Ok(InputTransform::Codes { dtype: self.dtype()? }),
            (1, _) => Ok(InputTransform::Quantize {
                scale: self.float()?,
                zero_point: self.integer()?,
                dtype: self.dtype()?,
            }),
            (2, _) => Ok(InputTransform::Levels { low: self.float()?, high: self.float()? }),
            (3, _) => Ok(InputTransform::OneHot { vocabulary: self.size()? }),
            (_, error) => Err(error),
        }
    }

    pub(super) fn output(&mut self) -> Result<OutputTransform, DecodeError> {
        match self.tag()? {
            (0, _) => Ok(OutputTransform::Codes { dtype: self.dtype()? }),
            (1, _) => Ok(OutputTransform::Dequantize {
                scale: self.float()?,
                zero_point: self.integer()?,
                dtype: self.dtype()?,
            }),
            (2, _) => match self.tag()? {
                (0, _) => Ok(OutputTransform::Integer { dtype: IntegerType::I32 }),
                (1, _) => Ok(OutputTransform::Integer { dtype: IntegerType::I64 }),
                (_, error) => Err(error),
            },
            (3, _) => Ok(OutputTransform::Affine {
                scales: self.list(4, Self::float)?,
                offsets: self.list(4, Self::float)?,
            }),
            (_, error) => Err(error),
        }
    }
}
