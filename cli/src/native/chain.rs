//! Plain matmuls with elementwise functions between them, on the kernels of an inference library.

use binfer_ml_ops::graph::{Epilogue, Function, Model, Op, TensorKind, Term};

use super::Rows;
use super::matmul::{Int8Gemm, MatMul};

/// A model in the layout that kernels take.
pub(super) struct Chain<'a> {
    gemm: Int8Gemm,
    layers: Vec<Layer<'a>>,
    /// Of each layer, the one whose output it reads; none where it reads the input.
    reads: Vec<Option<usize>>,
    /// The layer that gives the output, none if it is the input.
    last: Option<usize>,
}

enum Layer<'a> {
    MatMul(MatMul, &'a Epilogue),
    Relu,
    Map([u8; 256]),
}

impl<'a> Chain<'a> {
    /// Lays out `model`, if its nodes are all of the kinds that there are kernels for.
    pub(super) fn new(gemm: Int8Gemm, model: &'a Model) -> Option<Self> {
        let graph = &model.graph;
        let mut written = vec![None; graph.tensors.len()];
        let (mut layers, mut reads) = (Vec::new(), Vec::new());
        for (index, node) in graph.nodes.iter().enumerate() {
            let (x, layer) = match &node.op {
                Op::MatMul { x, gather: None, groups: 1, epilogue, .. } => {
                    (*x, Layer::MatMul(MatMul::new(&gemm, model, index), epilogue))
                }
                Op::Relu { x, .. } => (*x, Layer::Relu),
                Op::Combine { terms, y, epilogue: Epilogue::Accumulator } => match &terms[..] {
                    [Term { x, gather: None, function: Function::Table(table), .. }]
                        if graph.tensors[*y].kind == TensorKind::Code =>
                    {
                        // The images of a valid graph's table are codes.
                        (*x, Layer::Map(table.map(|image| image as u8)))
                    }
                    _ => return None,
                },
                _ => return None,
            };
            reads.push(written[x]);
            written[node.op.output()] = Some(index);
            layers.push(layer);
        }
        Some(Self { gemm, layers, reads, last: written[graph.output.tensor] })
    }

    /// The name of the int8 kernel that this processor has.
    pub(super) fn kernel(&self) -> &str {
        self.gemm.name()
    }

    /// The output of `rows` rows of input codes.
    pub(super) fn run(&self, input: &Rows, rows: usize) -> Rows {
        let mut outputs: Vec<Rows> = Vec::with_capacity(self.layers.len());
        for (layer, &read) in self.layers.iter().zip(&self.reads) {
            let x = read.map_or(input, |index| &outputs[index]);
            outputs.push(match layer {
                Layer::Relu => x.map_integers(|v| v.max(0), |v| v.max(0)),
                Layer::Map(table) => x.map_codes(table),
                Layer::MatMul(matmul, epilogue) => {
                    let y = matmul.run(&self.gemm, x, rows);
                    match epilogue {
                        Epilogue::Accumulator => y,
                        _ => codes(epilogue, &y, matmul.columns()),
                    }
                }
            });
        }
        self.last.map_or_else(|| input.clone(), |index| outputs.swap_remove(index))
    }
}

/// The codes of accumulators with this many columns.
fn codes(epilogue: &Epilogue, acc: &Rows, columns: usize) -> Rows {
    let steps = match epilogue {
        Epilogue::Requantize(requantize) => &requantize.steps[..],
        _ => &[],
    };
    Rows::Codes(match (acc, steps) {
        (Rows::I32(acc), [step]) => acc.iter().map(|&acc| step.code(acc.into())).collect(),
        (Rows::I32(acc), [_, ..]) => {
            let mut codes = vec![0; acc.len()];
            for (codes, acc) in codes.chunks_exact_mut(columns).zip(acc.chunks_exact(columns)) {
                let outputs = codes.iter_mut().zip(acc).zip(steps);
                outputs.for_each(|((code, &acc), step)| *code = step.code(acc.into()));
            }
            codes
        }
        _ => {
            let mut codes = Vec::with_capacity(acc.len());
            // An epilogue without steps has no codes.
            acc.for_each(|at, acc| {
                codes.push(epilogue.code(at % columns, acc).unwrap_or_default())
            });
            codes
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Task;
    use binfer_ml_ops::graph::{Requantize, RoundingProfile, Step};
    use binfer_ml_ops::run;

    #[test]
    fn limbs_of_either_width_give_the_interpreters_integers() {
        for task in [Task::T3, Task::T1Zero] {
            let workload = task.workload().unwrap();
            let (model, graph) = (&workload.model, &workload.model.graph);
            let output = run(model, &workload.inputs).unwrap();
            let (input, batch) = graph.encode(&workload.inputs).unwrap();
            let input = Rows::from_codes(&input[0], batch.size);
            let shape = &graph.tensors[graph.output.tensor];
            let expected = graph.output.encode(shape, &output, batch).unwrap();
            for gemm in [Int8Gemm::new(), Int8Gemm::with_limbs(7), Int8Gemm::with_limbs(0)] {
                let native = Chain::new(gemm, model).unwrap();
                let bits = native.gemm.limb_bits();
                let agrees = native.run(&input, batch.size).agrees(&expected, batch.size);
                assert!(agrees, "{} in limbs of {bits} bits", workload.name);
            }
        }
    }

    #[test]
    fn codes_are_the_epilogues() {
        let step = |scale| Step {
            scale,
            zero_point: 3,
            qmin: -100,
            qmax: 127,
            type_min: -128,
            profile: RoundingProfile::OrtF32Rne,
        };
        let acc: Vec<i32> = (-3000..3000).map(|acc| 7 * acc).collect();
        for scales in [&[0.01][..], &[0.01, 0.5, 0.002]] {
            let steps = scales.iter().copied().map(step).collect();
            let epilogue = Epilogue::Requantize(Requantize { steps });
            let code = |(at, &acc): (usize, &i32)| epilogue.code(at % 3, acc.into()).unwrap();
            let expected: Vec<u8> = acc.iter().enumerate().map(code).collect();
            for acc in [Rows::I32(acc.clone()), Rows::I64(acc.iter().map(|&a| a.into()).collect())]
            {
                let Rows::Codes(codes) = codes(&epilogue, &acc, 3) else { panic!("codes") };
                assert_eq!(codes, expected);
            }
        }
    }
}
