//! The canonical byte encoding of a graph: one byte string for each graph, and nothing else decodes.
//!
//! Little-endian. A count or size is a `u32`; a list is its count and its elements; a name is its
//! length and UTF-8; an enum is a `u8` tag and the variant's fields in the order of their declaration.

use super::{
    Alphabet, CodeType, Epilogue, Graph, GraphError, InputPort, InputTransform, IntegerType,
    MAX_NAME_BYTES, Node, Op, OutputPort, OutputTransform, Requantize, RoundingProfile, Step,
    TensorKind, TensorShape, WeightShape,
};
use thiserror::Error;

/// Version of the encoding, its second field.
pub const FORMAT_VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"binfer-g";

/// Bytes are not the encoding of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end within a field.
    #[error("{needed} bytes are needed at offset {offset}, {left} are left")]
    Truncated {
        /// Where the field starts.
        offset: usize,
        /// What it needs.
        needed: usize,
        /// What there is.
        left: usize,
    },
    /// Bytes follow the end.
    #[error("{left} bytes follow the graph")]
    Trailing {
        /// How many.
        left: usize,
    },
    /// The first bytes are not those of a graph.
    #[error("the first 8 bytes are not a graph's")]
    Magic,
    /// The version is another one.
    #[error("version {got} of the encoding, expected {FORMAT_VERSION}")]
    Version {
        /// The version found.
        got: u32,
    },
    /// No variant has this tag.
    #[error("no variant has tag {tag} (offset {offset})")]
    Tag {
        /// Where the tag is.
        offset: usize,
        /// The tag.
        tag: u8,
    },
    /// A name is too long or not UTF-8.
    #[error("the {bytes}-byte name at offset {offset} is too long or not UTF-8")]
    Name {
        /// Where its text starts.
        offset: usize,
        /// Its length.
        bytes: usize,
    },
    /// The bytes decode, but not to a valid graph.
    #[error("invalid graph: {0}")]
    Invalid(#[from] GraphError),
}

impl Graph {
    /// The canonical encoding. Precondition: the graph is valid.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer(Vec::new());
        w.0.extend(MAGIC);
        w.size(FORMAT_VERSION as usize);
        w.name(&self.name);
        w.list(&self.tensors, Writer::tensor);
        w.list(&self.weights, Writer::weights);
        w.list(&self.nodes, Writer::node);
        w.size(self.input.tensor);
        w.list(&self.input.shape, |w, &d| w.size(d));
        w.input(&self.input.transform);
        w.size(self.output.tensor);
        w.list(&self.output.shape, |w, &d| w.size(d));
        w.output(&self.output.transform);
        w.0
    }

    /// The valid graph that `bytes` encode: `to_bytes` of the result is `bytes`.
    ///
    /// # Errors
    /// [`DecodeError`] on any other bytes. What is allocated is at most proportional to `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader { bytes, offset: 0 };
        if r.array::<8>()? != MAGIC {
            return Err(DecodeError::Magic);
        }
        let version = r.u32()?;
        if version != FORMAT_VERSION {
            return Err(DecodeError::Version { got: version });
        }
        let graph = Self {
            name: r.name()?,
            tensors: r.list(9, Reader::tensor)?,
            weights: r.list(17, Reader::weights)?,
            nodes: r.list(13, Reader::node)?,
            input: InputPort {
                tensor: r.size()?,
                shape: r.list(4, Reader::size)?,
                transform: r.input()?,
            },
            output: OutputPort {
                tensor: r.size()?,
                shape: r.list(4, Reader::size)?,
                transform: r.output()?,
            },
        };
        let left = bytes.len() - r.offset;
        if left > 0 {
            return Err(DecodeError::Trailing { left });
        }
        graph.validate()?;
        Ok(graph)
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn tag(&mut self, tag: u8) {
        self.0.push(tag);
    }

    fn size(&mut self, size: usize) {
        self.0.extend((size as u32).to_le_bytes());
    }

    fn integer(&mut self, value: i32) {
        self.0.extend(value.to_le_bytes());
    }

    fn float(&mut self, value: f32) {
        self.0.extend(value.to_bits().to_le_bytes());
    }

    fn name(&mut self, name: &str) {
        self.size(name.len());
        self.0.extend(name.as_bytes());
    }

    fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.size(items.len());
        for item in items {
            write(self, item);
        }
    }

    fn dtype(&mut self, dtype: CodeType) {
        self.tag(match dtype {
            CodeType::U8 => 0,
            CodeType::I8 => 1,
        });
    }

    fn tensor(&mut self, shape: &TensorShape) {
        self.size(shape.rows_per_sample);
        self.size(shape.features);
        match shape.kind {
            TensorKind::Code => self.tag(0),
            TensorKind::Integer { bits } => {
                self.tag(1);
                self.size(bits as usize);
            }
        }
    }

    fn weights(&mut self, shape: &WeightShape) {
        self.size(shape.k);
        self.size(shape.n);
        match &shape.alphabet {
            Alphabet::Digits { values, per_byte } => {
                self.tag(0);
                self.list(values, |w, &v| w.integer(v));
                self.size(*per_byte);
            }
            Alphabet::Byte { offsets } => {
                self.tag(1);
                self.list(offsets, |w, &v| w.integer(v));
            }
        }
        self.size(shape.bias_bits as usize);
    }

    fn node(&mut self, node: &Node) {
        self.name(&node.name);
        match &node.op {
            Op::MatMul {
                x,
                zero_code,
                weights,
                y,
                epilogue,
            } => {
                self.tag(0);
                self.size(*x);
                self.tag(*zero_code);
                self.size(*weights);
                self.size(*y);
                match epilogue {
                    Epilogue::Accumulator => self.tag(0),
                    Epilogue::Requantize(requantize) => {
                        self.tag(1);
                        self.list(&requantize.steps, Self::step);
                    }
                }
            }
            Op::Relu { x, y } => {
                self.tag(1);
                self.size(*x);
                self.size(*y);
            }
            Op::Map { x, y, table } => {
                self.tag(2);
                self.size(*x);
                self.size(*y);
                self.0.extend(table.iter());
            }
        }
    }

    fn step(&mut self, step: &Step) {
        self.float(step.scale);
        self.integer(step.zero_point);
        self.integer(step.qmin);
        self.integer(step.qmax);
        self.integer(step.type_min);
        self.tag(match step.profile {
            RoundingProfile::OrtF32Rne => 0,
        });
    }

    fn input(&mut self, transform: &InputTransform) {
        match transform {
            InputTransform::Codes { dtype } => {
                self.tag(0);
                self.dtype(*dtype);
            }
            InputTransform::Quantize {
                scale,
                zero_point,
                dtype,
            } => {
                self.tag(1);
                self.float(*scale);
                self.integer(*zero_point);
                self.dtype(*dtype);
            }
        }
    }

    fn output(&mut self, transform: &OutputTransform) {
        match transform {
            OutputTransform::Codes { dtype } => {
                self.tag(0);
                self.dtype(*dtype);
            }
            OutputTransform::Dequantize {
                scale,
                zero_point,
                dtype,
            } => {
                self.tag(1);
                self.float(*scale);
                self.integer(*zero_point);
                self.dtype(*dtype);
            }
            OutputTransform::Integer { dtype } => {
                self.tag(2);
                self.tag(match dtype {
                    IntegerType::I32 => 0,
                    IntegerType::I64 => 1,
                });
            }
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl Reader<'_> {
    fn take(&mut self, needed: usize) -> Result<&[u8], DecodeError> {
        let left = self.bytes.len() - self.offset;
        if needed > left {
            return Err(DecodeError::Truncated {
                offset: self.offset,
                needed,
                left,
            });
        }
        let start = self.offset;
        self.offset += needed;
        Ok(&self.bytes[start..self.offset])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn size(&mut self) -> Result<usize, DecodeError> {
        Ok(self.u32()? as usize)
    }

    fn integer(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    fn float(&mut self) -> Result<f32, DecodeError> {
        Ok(f32::from_bits(self.u32()?))
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// A tag, and a function that makes the error for one that no variant has.
    fn tag(&mut self) -> Result<(u8, DecodeError), DecodeError> {
        let offset = self.offset;
        let tag = self.byte()?;
        Ok((tag, DecodeError::Tag { offset, tag }))
    }

    fn name(&mut self) -> Result<String, DecodeError> {
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
    fn list<T>(
        &mut self,
        least: usize,
        read: impl Fn(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.size()?;
        let left = self.bytes.len() - self.offset;
        let needed = count.saturating_mul(least);
        if needed > left {
            return Err(DecodeError::Truncated {
                offset: self.offset,
                needed,
                left,
            });
        }
        (0..count).map(|_| read(self)).collect()
    }

    fn dtype(&mut self) -> Result<CodeType, DecodeError> {
        match self.tag()? {
            (0, _) => Ok(CodeType::U8),
            (1, _) => Ok(CodeType::I8),
            (_, error) => Err(error),
        }
    }

    fn tensor(&mut self) -> Result<TensorShape, DecodeError> {
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

    fn weights(&mut self) -> Result<WeightShape, DecodeError> {
        Ok(WeightShape {
            k: self.size()?,
            n: self.size()?,
            alphabet: match self.tag()? {
                (0, _) => Alphabet::Digits {
                    values: self.list(4, Self::integer)?,
                    per_byte: self.size()?,
                },
                (1, _) => Alphabet::Byte {
                    offsets: self.list(4, Self::integer)?,
                },
                (_, error) => return Err(error),
            },
            bias_bits: self.u32()?,
        })
    }

    fn node(&mut self) -> Result<Node, DecodeError> {
        let name = self.name()?;
        let op = match self.tag()? {
            (0, _) => Op::MatMul {
                x: self.size()?,
                zero_code: self.byte()?,
                weights: self.size()?,
                y: self.size()?,
                epilogue: match self.tag()? {
                    (0, _) => Epilogue::Accumulator,
                    (1, _) => Epilogue::Requantize(Requantize {
                        steps: self.list(21, Self::step)?,
                    }),
                    (_, error) => return Err(error),
                },
            },
            (1, _) => Op::Relu {
                x: self.size()?,
                y: self.size()?,
            },
            (2, _) => Op::Map {
                x: self.size()?,
                y: self.size()?,
                table: Box::new(self.array()?),
            },
            (_, error) => return Err(error),
        };
        Ok(Node { name, op })
    }

    fn step(&mut self) -> Result<Step, DecodeError> {
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

    fn input(&mut self) -> Result<InputTransform, DecodeError> {
        match self.tag()? {
            (0, _) => Ok(InputTransform::Codes {
                dtype: self.dtype()?,
            }),
            (1, _) => Ok(InputTransform::Quantize {
                scale: self.float()?,
                zero_point: self.integer()?,
                dtype: self.dtype()?,
            }),
            (_, error) => Err(error),
        }
    }

    fn output(&mut self) -> Result<OutputTransform, DecodeError> {
        match self.tag()? {
            (0, _) => Ok(OutputTransform::Codes {
                dtype: self.dtype()?,
            }),
            (1, _) => Ok(OutputTransform::Dequantize {
                scale: self.float()?,
                zero_point: self.integer()?,
                dtype: self.dtype()?,
            }),
            (2, _) => match self.tag()? {
                (0, _) => Ok(OutputTransform::Integer {
                    dtype: IntegerType::I32,
                }),
                (1, _) => Ok(OutputTransform::Integer {
                    dtype: IntegerType::I64,
                }),
                (_, error) => Err(error),
            },
            (_, error) => Err(error),
        }
    }
}
