//! Reading the fields of a graph from bytes of any origin.

use super::DecodeError;
use super::write::{EDGES, GATHER, OTHER_STEP, REFERENCE, SAME_STEP};
use crate::graph::{
    Alphabet, CodeMatrix, CodeType, Edges, Epilogue, FloatOperation, FloatOperator, Function,
    Gather, GatherDim, InputPort, InputTransform, IntegerType, MAX_ENTRIES, MAX_NAME_BYTES, Node,
    Op, OutputPort, OutputTransform, Requantize, RoundingProfile, Step, TensorKind, TensorShape,
    Term, WeightShape, WordType,
};

/// Bytes, and how many of them have been read.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) offset: usize,
    /// Values of lists and fields of gathers that may still be made.
    left: usize,
    edges: Vec<Edges>,
    tables: Vec<[i64; 256]>,
    gathers: Vec<Gather>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (edges, tables, gathers) = (Vec::new(), Vec::new(), Vec::new());
        Self { bytes, offset: 0, left: MAX_ENTRIES, edges, tables, gathers }
    }
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

    fn number(&mut self) -> Result<u64, DecodeError> {
        let offset = self.offset;
        let mut number = 0u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(DecodeError::Number { offset })
    }

    /// A number that fits 32 bits.
    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        let offset = self.offset;
        u32::try_from(self.number()?).map_err(|_| DecodeError::Number { offset })
    }

    pub(super) fn size(&mut self) -> Result<usize, DecodeError> {
        Ok(self.u32()? as usize)
    }

    pub(super) fn long(&mut self) -> Result<i64, DecodeError> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(super) fn integer(&mut self) -> Result<i32, DecodeError> {
        let offset = self.offset;
        i32::try_from(self.long()?).map_err(|_| DecodeError::Number { offset })
    }

    pub(super) fn float(&mut self) -> Result<f32, DecodeError> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    /// Counts values that are made.
    fn make(&mut self, values: usize) -> Result<(), DecodeError> {
        let offset = self.offset;
        self.left = self.left.checked_sub(values).ok_or(DecodeError::Entries { offset })?;
        Ok(())
    }

    /// The number of something that was read before, one of `known`.
    fn reference(&mut self, known: usize) -> Result<usize, DecodeError> {
        let offset = self.offset;
        let number = self.size()?;
        if number < known { Ok(number) } else { Err(DecodeError::Reference { offset, number }) }
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
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.size()?;
        let left = self.bytes.len() - self.offset;
        let needed = count.saturating_mul(least);
        if needed > left {
            return Err(DecodeError::Truncated { offset: self.offset, needed, left });
        }
        (0..count).map(|_| read(self)).collect()
    }

    fn word(&mut self) -> Result<WordType, DecodeError> {
        match self.tag()? {
            (0, _) => Ok(WordType::U16),
            (1, _) => Ok(WordType::I16),
            (_, error) => Err(error),
        }
    }

    pub(super) fn dtype(&mut self) -> Result<CodeType, DecodeError> {
        match self.tag()? {
            (0, _) => Ok(CodeType::U8),
            (1, _) => Ok(CodeType::I8),
            (2, _) => Ok(CodeType::U4),
            (3, _) => Ok(CodeType::I4),
            (4, _) => Ok(CodeType::U2),
            (5, _) => Ok(CodeType::I2),
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
                    values: self.list(1, Self::integer)?,
                    per_byte: self.size()?,
                },
                (1, _) => Alphabet::Byte { offsets: self.list(1, Self::integer)? },
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
                terms: self.list(5, Self::term)?,
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
                row_factors: self.option(|r| r.list(1, Self::long))?,
                y: self.size()?,
                epilogue: self.epilogue()?,
            },
            (5, _) => Op::Constant { codes: self.codes()?, y: self.size()? },
            (6, _) => Op::ArgMax {
                x: self.size()?,
                gather: self.gather()?,
                taps: self.size()?,
                last: self.flag()?,
                y: self.size()?,
            },
            (_, error) => return Err(error),
        };
        Ok(Node { name, op })
    }

    fn flag(&mut self) -> Result<bool, DecodeError> {
        match self.tag()? {
            (0, _) => Ok(false),
            (1, _) => Ok(true),
            (_, error) => Err(error),
        }
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
            (1, _) => {
                let mut last = None;
                let step = |r: &mut Self| {
                    let step = r.step(last)?;
                    last = Some(step);
                    Ok(step)
                };
                Ok(Epilogue::Requantize(Requantize { steps: self.list(5, step)? }))
            }
            (2, _) => Ok(Epilogue::Edges(self.list(2, Self::edges)?)),
            (_, error) => Err(error),
        }
    }

    fn edges(&mut self) -> Result<Edges, DecodeError> {
        match self.tag()? {
            (EDGES, _) => {
                let first = self.byte()?;
                let offset = self.offset;
                let n = usize::from(u8::MAX - first).checked_sub(self.size()?);
                let n = n.ok_or(DecodeError::Number { offset })?;
                self.make(n)?;
                let edges = Edges { first, edges: self.values(n)?.into() };
                self.edges.push(edges.clone());
                Ok(edges)
            }
            (REFERENCE, _) => {
                let number = self.reference(self.edges.len())?;
                self.make(self.edges[number].edges.len())?;
                Ok(self.edges[number].clone())
            }
            (_, error) => Err(error),
        }
    }

    fn table(&mut self) -> Result<Box<[i64; 256]>, DecodeError> {
        self.make(256)?;
        if self.bytes.get(self.offset) == Some(&REFERENCE) {
            self.byte()?;
            let number = self.reference(self.tables.len())?;
            return Ok(Box::new(self.tables[number]));
        }
        let mut table = Box::new([0; 256]);
        table.copy_from_slice(&self.values(256)?);
        self.tables.push(*table);
        Ok(table)
    }

    fn term(&mut self) -> Result<Term, DecodeError> {
        Ok(Term {
            x: self.size()?,
            gather: self.option(Self::gather)?,
            taps: self.size()?,
            function: match self.tag()? {
                (0, _) => Function::Table(self.table()?),
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
        match self.tag()? {
            (GATHER, _) => {
                let gather = Gather {
                    source_cols: self.list(1, Self::size)?,
                    source_rows: self.list(1, Self::size)?,
                    offsets: self.list(1, Self::long)?,
                    rows: self.list(3, Self::dim)?,
                    cols: self.list(3, Self::dim)?,
                    pad: self.option(Self::byte)?,
                };
                self.make(gather.fields())?;
                self.gathers.push(gather.clone());
                Ok(gather)
            }
            (REFERENCE, _) => {
                let number = self.reference(self.gathers.len())?;
                self.make(self.gathers[number].fields())?;
                Ok(self.gathers[number].clone())
            }
            (_, error) => Err(error),
        }
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

    fn step(&mut self, last: Option<Step>) -> Result<Step, DecodeError> {
        let scale = self.float()?;
        match (self.tag()?, last) {
            ((SAME_STEP, _), Some(last)) => Ok(Step { scale, ..last }),
            ((OTHER_STEP, _), _) => Ok(Step {
                scale,
                zero_point: self.integer()?,
                qmin: self.integer()?,
                qmax: self.integer()?,
                type_min: self.integer()?,
                profile: match self.tag()? {
                    (0, _) => RoundingProfile::OrtF32Rne,
                    (_, error) => return Err(error),
                },
            }),
            ((_, error), _) => Err(error),
        }
    }

    fn input(&mut self) -> Result<InputTransform, DecodeError> {
        match self.tag()? {
            (0, _) => Ok(InputTransform::Codes { dtype: self.dtype()? }),
            (1, _) => Ok(InputTransform::Quantize {
                scale: self.float()?,
                zero_point: self.integer()?,
                dtype: self.dtype()?,
            }),
            (2, _) => Ok(InputTransform::Levels { low: self.float()?, high: self.float()? }),
            (3, _) => Ok(InputTransform::OneHot { vocabulary: self.size()? }),
            (4, _) => Ok(InputTransform::Words { dtype: self.word()? }),
            (5, _) => Ok(InputTransform::QuantizeWords {
                scale: self.float()?,
                zero_point: self.integer()?,
                dtype: self.word()?,
            }),
            (6, error) => {
                let operations = self.list(3, Self::float_operation)?;
                // One is not computed of another.
                if self.bytes.get(self.offset) == Some(&6) {
                    return Err(error);
                }
                Ok(InputTransform::Computed { operations, then: Box::new(self.input()?) })
            }
            (7, _) => Ok(InputTransform::Numbers { count: self.size()? }),
            (_, error) => Err(error),
        }
    }

    /// A port that an input enters by.
    pub(super) fn input_port(&mut self) -> Result<InputPort, DecodeError> {
        let (tensor, shape) = (self.size()?, self.list(1, Self::size)?);
        Ok(InputPort { tensor, shape, transform: self.input()? })
    }

    /// A port that an output leaves by.
    pub(super) fn output_port(&mut self) -> Result<OutputPort, DecodeError> {
        let (tensor, shape) = (self.size()?, self.list(1, Self::size)?);
        Ok(OutputPort { tensor, shape, transform: self.output()? })
    }

    fn float_operation(&mut self) -> Result<FloatOperation, DecodeError> {
        Ok(FloatOperation {
            operator: match self.tag()? {
                (0, _) => FloatOperator::Add,
                (1, _) => FloatOperator::Mul,
                (2, _) => FloatOperator::Div,
                (3, _) => FloatOperator::AtLeast,
                (4, _) => FloatOperator::AtMost,
                (5, _) => FloatOperator::Round,
                (_, error) => return Err(error),
            },
            numbers: self.list(4, Self::float)?,
            run: self.size()?,
        })
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
            (4, _) => Ok(OutputTransform::Words { dtype: self.word()? }),
            (5, _) => Ok(OutputTransform::DequantizeWords {
                scale: self.float()?,
                zero_point: self.integer()?,
                dtype: self.word()?,
            }),
            (3, _) => Ok(OutputTransform::Affine {
                scales: self.list(4, Self::float)?,
                offsets: self.list(4, Self::float)?,
            }),
            (_, error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::write::Writer;
    use super::*;

    #[test]
    fn references_do_not_make_more_than_there_may_be() {
        let edges = Edges { first: 0, edges: (0..255).collect() };
        let mut w = Writer::default();
        w.all_edges(&vec![edges.clone(); 3]);
        let mut r = Reader { left: 2 * 255, ..Reader::new(&w.bytes) };
        assert_eq!(r.edges(), Ok(edges.clone()));
        assert_eq!(r.edges(), Ok(edges));
        let offset = r.offset + 2;
        assert_eq!(r.edges(), Err(DecodeError::Entries { offset }));
    }
}
