//! Writing the fields of a graph.

use crate::graph::{
    Alphabet, CodeMatrix, CodeType, Edges, Epilogue, Function, Gather, GatherDim, InputTransform,
    IntegerType, Node, Op, OutputTransform, RoundingProfile, Step, TensorKind, TensorShape, Term,
    WeightShape,
};

/// The bytes written so far.
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn tag(&mut self, tag: u8) {
        self.0.push(tag);
    }

    pub(super) fn size(&mut self, size: usize) {
        self.0.extend((size as u32).to_le_bytes());
    }

    pub(super) fn integer(&mut self, value: i32) {
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn float(&mut self, value: f32) {
        self.0.extend(value.to_bits().to_le_bytes());
    }

    pub(super) fn name(&mut self, name: &str) {
        self.size(name.len());
        self.0.extend(name.as_bytes());
    }

    pub(super) fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.size(items.len());
        for item in items {
            write(self, item);
        }
    }

    pub(super) fn dtype(&mut self, dtype: CodeType) {
        self.tag(match dtype {
            CodeType::U8 => 0,
            CodeType::I8 => 1,
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
            Op::Constant { codes, y } => {
                self.tag(5);
                self.size(codes.len());
                self.0.extend(codes);
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
                self.list(&requantize.steps, Self::step);
            }
            Epilogue::Edges(steps) => {
                self.tag(2);
                self.list(steps, Self::edges);
            }
        }
    }

    fn edges(&mut self, edges: &Edges) {
        self.tag(edges.first);
        self.list(&edges.edges, |w, &edge| w.long(edge));
    }

    fn term(&mut self, term: &Term) {
        self.size(term.x);
        self.option(term.gather.as_ref(), Self::gather);
        self.size(term.taps);
        match &term.function {
            Function::Table(table) => {
                self.tag(0);
                table.iter().for_each(|&value| self.long(value));
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
        self.list(&gather.source_cols, |w, &size| w.size(size));
        self.list(&gather.source_rows, |w, &size| w.size(size));
        self.list(&gather.offsets, |w, &offset| w.long(offset));
        self.list(&gather.rows, Self::dim);
        self.list(&gather.cols, Self::dim);
        self.option(gather.pad.as_ref(), |w, &code| w.tag(code));
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

    fn long(&mut self, value: i64) {
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn step(&mut self, step: &Step) {
        self.float(step.scale);
        self.integer(step.zero_point);
        self.integer(step.qmin);
        self.integer(step.qmax);
        self.integer(step.type_min);
        self.tag(match step.profile {
            RoundingProfile::OrtF32Rne => 0,
        });
    }

    pub(super) fn input(&mut self, transform: &InputTransform) {
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
        }
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
        }
    }
}
