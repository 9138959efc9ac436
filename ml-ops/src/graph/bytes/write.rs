//! Writing the fields of a graph.

use crate::graph::{
    Alphabet, CodeMatrix, CodeType, Edges, Epilogue, FloatOperator, Function, Gather, GatherDim,
    InputPort, InputTransform, IntegerType, Node, Op, OutputPort, OutputTransform, RoundingProfile,
    Step, TensorKind, TensorShape, Term, WeightShape, WordType,
};
use crate::threads;
use std::collections::HashMap;

/// The tag of a reference to something that was written before.
pub(super) const REFERENCE: u8 = 255;

/// The tags of edges and of a gather that are written out.
pub(super) const EDGES: u8 = 0;
pub(super) const GATHER: u8 = 0;
/// The tags of a step that differs from the one before in its scale alone, and of others.
pub(super) const SAME_STEP: u8 = 0;
pub(super) const OTHER_STEP: u8 = 1;

/// The bytes written so far.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    edges: Written,
    tables: Written,
    gathers: Written,
}

/// Numbers of what has been written, by its bytes.
type Written = HashMap<Vec<u8>, usize>;

impl Writer {
    pub(super) fn tag(&mut self, tag: u8) {
        self.bytes.push(tag);
    }

    /// Seven bits a byte, the lowest first, the eighth bit set in all but the last.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.tag(number as u8 | 0x80);
            number >>= 7;
        }
        self.tag(number as u8);
    }

    pub(super) fn size(&mut self, size: usize) {
        self.number(size as u64);
    }

    /// Twice the number, or twice its complement and one.
    pub(super) fn long(&mut self, value: i64) {
        self.number((value << 1 ^ value >> 63) as u64);
    }

    pub(super) fn integer(&mut self, value: i32) {
        self.long(value.into());
    }

    pub(super) fn float(&mut self, value: f32) {
        self.bytes.extend(value.to_bits().to_le_bytes());
    }

    /// What `write` writes, or where it was written before.
    fn shared(&mut self, known: fn(&mut Self) -> &mut Written, write: impl FnOnce(&mut Self)) {
        self.share(known, Self::bytes_of(write));
    }

    /// What `write` writes.
    fn bytes_of(write: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut own = Self::default();
        write(&mut own);
        own.bytes
    }

    /// These bytes, or where they were written before.
    fn share(&mut self, known: fn(&mut Self) -> &mut Written, bytes: Vec<u8>) {
        let next = known(self).len();
        match known(self).get(&bytes) {
            Some(&number) => {
                self.tag(REFERENCE);
                self.size(number);
            }
            None => {
                self.bytes.extend(&bytes);
                known(self).insert(bytes, next);
            }
        }
    }

    pub(super) fn name(&mut self, name: &str) {
        self.size(name.len());
        self.bytes.extend(name.as_bytes());
    }

    pub(super) fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.size(items.len());
        for item in items {
            write(self, item);
        }
    }

    fn word(&mut self, dtype: WordType) {
        self.tag(match dtype {
            WordType::U16 => 0,
            WordType::I16 => 1,
        });
    }

    pub(super) fn dtype(&mut self, dtype: CodeType) {
        self.tag(match dtype {
            CodeType::U8 => 0,
            CodeType::I8 => 1,
            CodeType::U4 => 2,
            CodeType::I4 => 3,
            CodeType::U2 => 4,
            CodeType::I2 => 5,
        });
    }

    pub(super) fn tensor(&mut self, shape: &TensorShape) {
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

    pub(super) fn weights(&mut self, shape: &WeightShape) {
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

    pub(super) fn node(&mut self, node: &Node) {
        self.name(&node.name);
        match &node.op {
            Op::MatMul { x, gather, zero_code, weights, groups, y, epilogue } => {
                self.tag(0);
                self.size(*x);
                self.option(gather.as_ref(), Self::gather);
                self.tag(*zero_code);
                self.size(*weights);
                self.size(*groups);
                self.size(*y);
                self.epilogue(epilogue);
            }
            Op::Relu { x, y } => {
                self.tag(1);
                self.size(*x);
                self.size(*y);
            }
            Op::Combine { terms, y, epilogue } => {
                self.tag(2);
                self.list(terms, Self::term);
                self.size(*y);
                self.epilogue(epilogue);
            }
            Op::Max { x, gather, taps, y } => {
                self.tag(3);
                self.size(*x);
                self.gather(gather);
                self.size(*taps);
                self.size(*y);
            }
            Op::BatchMatMul { a, b, heads, row_factors, y, epilogue } => {
                self.tag(4);
                self.code_matrix(a);
                self.code_matrix(b);
                self.size(*heads);
                self.option(row_factors.as_ref(), |w, factors| {
                    w.list(factors, |w, &factor| w.long(factor));
                });
                self.size(*y);
                self.epilogue(epilogue);
            }
            Op::ArgMax { x, gather, taps, last, y } => {
                self.tag(6);
                self.size(*x);
                self.gather(gather);
                self.size(*taps);
                self.tag((*last).into());
                self.size(*y);
            }
            Op::Constant { codes, y } => {
                self.tag(5);
                self.size(codes.len());
                self.bytes.extend(codes);
                self.size(*y);
            }
        }
    }

    fn code_matrix(&mut self, matrix: &CodeMatrix) {
        self.size(matrix.x);
        self.option(matrix.gather.as_ref(), Self::gather);
        self.tag(matrix.zero_code);
    }

    fn epilogue(&mut self, epilogue: &Epilogue) {
        match epilogue {
            Epilogue::Accumulator => self.tag(0),
            Epilogue::Requantize(requantize) => {
                self.tag(1);
                self.size(requantize.steps.len());
                let mut last = None;
                for step in &requantize.steps {
                    self.step(step, last);
                    last = Some(step);
                }
            }
            Epilogue::Edges(steps) => {
                self.tag(2);
                self.size(steps.len());
                self.all_edges(steps);
            }
        }
    }

    /// Of several columns: finding the fewest bytes takes most of the time of a graph.
    pub(super) fn all_edges(&mut self, columns: &[Edges]) {
        let bytes = |edges| Self::bytes_of(|w| w.edges(edges));
        for bytes in threads::map(columns.iter().collect(), bytes) {
            self.share(|w| &mut w.edges, bytes);
        }
    }

    /// The first code, how many fewer edges there are than codes after it, and the edges.
    fn edges(&mut self, edges: &Edges) {
        self.tag(EDGES);
        self.tag(edges.first);
        self.size(usize::from(u8::MAX - edges.first).saturating_sub(edges.edges.len()));
        self.values(&edges.edges);
    }

    fn term(&mut self, term: &Term) {
        self.size(term.x);
        self.option(term.gather.as_ref(), Self::gather);
        self.size(term.taps);
        match &term.function {
            Function::Table(table) => {
                self.tag(0);
                self.shared(|w| &mut w.tables, |w| w.values(&table[..]));
            }
            Function::Times(factor) => {
                self.tag(1);
                self.long(*factor);
            }
            Function::Product { with, with_gather, zeros, factor } => {
                self.tag(2);
                self.size(*with);
                self.option(with_gather.as_ref(), Self::gather);
                zeros.iter().for_each(|&zero| self.tag(zero));
                self.long(*factor);
            }
        }
    }

    fn gather(&mut self, gather: &Gather) {
        self.shared(
            |w| &mut w.gathers,
            |w| {
                w.tag(GATHER);
                w.list(&gather.source_cols, |w, &size| w.size(size));
                w.list(&gather.source_rows, |w, &size| w.size(size));
                w.list(&gather.offsets, |w, &offset| w.long(offset));
                w.list(&gather.rows, Self::dim);
                w.list(&gather.cols, Self::dim);
                w.option(gather.pad.as_ref(), |w, &code| w.tag(code));
            },
        );
    }

    fn dim(&mut self, dim: &GatherDim) {
        self.size(dim.size);
        self.option(dim.axis.as_ref(), |w, &axis| w.size(axis));
        self.long(dim.step);
    }

    fn option<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.tag(value.is_some().into());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// The scale, and the rest unless it is that of the step before.
    fn step(&mut self, step: &Step, last: Option<&Step>) {
        self.float(step.scale);
        if last.is_some_and(|last| *step == (Step { scale: step.scale, ..*last })) {
            self.tag(SAME_STEP);
            return;
        }
        self.tag(OTHER_STEP);
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
            InputTransform::Quantize { scale, zero_point, dtype } => {
                self.tag(1);
                self.float(*scale);
                self.integer(*zero_point);
                self.dtype(*dtype);
            }
            InputTransform::Levels { low, high } => {
                self.tag(2);
                self.float(*low);
                self.float(*high);
            }
            InputTransform::OneHot { vocabulary } => {
                self.tag(3);
                self.size(*vocabulary);
            }
            InputTransform::Words { dtype } => {
                self.tag(4);
                self.word(*dtype);
            }
            InputTransform::QuantizeWords { scale, zero_point, dtype } => {
                self.tag(5);
                self.float(*scale);
                self.integer(*zero_point);
                self.word(*dtype);
            }
            InputTransform::Computed { operations, then } => {
                self.tag(6);
                self.list(operations, |w, operation| {
                    w.tag(match operation.operator {
                        FloatOperator::Add => 0,
                        FloatOperator::Mul => 1,
                        FloatOperator::Div => 2,
                        FloatOperator::AtLeast => 3,
                        FloatOperator::AtMost => 4,
                        FloatOperator::Round => 5,
                    });
                    w.list(&operation.numbers, |w, &v| w.float(v));
                    w.size(operation.run);
                });
                self.input(then);
            }
            InputTransform::Numbers { count } => {
                self.tag(7);
                self.size(*count);
            }
        }
    }

    /// A port that an input enters by.
    pub(super) fn input_port(&mut self, port: &InputPort) {
        self.size(port.tensor);
        self.list(&port.shape, |w, &d| w.size(d));
        self.input(&port.transform);
    }

    /// A port that an output leaves by.
    pub(super) fn output_port(&mut self, port: &OutputPort) {
        self.size(port.tensor);
        self.list(&port.shape, |w, &d| w.size(d));
        self.output(&port.transform);
    }

    pub(super) fn output(&mut self, transform: &OutputTransform) {
        match transform {
            OutputTransform::Codes { dtype } => {
                self.tag(0);
                self.dtype(*dtype);
            }
            OutputTransform::Dequantize { scale, zero_point, dtype } => {
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
            OutputTransform::Affine { scales, offsets } => {
                self.tag(3);
                self.list(scales, |w, &v| w.float(v));
                self.list(offsets, |w, &v| w.float(v));
            }
            OutputTransform::Words { dtype } => {
                self.tag(4);
                self.word(*dtype);
            }
            OutputTransform::DequantizeWords { scale, zero_point, dtype } => {
                self.tag(5);
                self.float(*scale);
                self.integer(*zero_point);
                self.word(*dtype);
            }
        }
    }
}
