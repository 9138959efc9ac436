//! Exact native inference, the yardstick of a prover's cost.

mod matmul;
mod rows;
mod time;

use binfer_ml_ops::graph::{Epilogue, Model, Op, Requantize};

use matmul::{Int8Gemm, MatMul};
pub(crate) use rows::Rows;
pub(crate) use time::{median, time_inference};

/// A model in the layout that kernels take.
pub(crate) struct Native<'a> {
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
    Map(&'a [u8; 256]),
}

impl<'a> Native<'a> {
    /// Lays out `model`.
    pub(crate) fn new(model: &'a Model) -> Self {
        Self::on(Int8Gemm::new(), model)
    }

    fn on(gemm: Int8Gemm, model: &'a Model) -> Self {
        let graph = &model.graph;
        let mut written = vec![None; graph.tensors.len()];
        let (mut layers, mut reads) = (Vec::new(), Vec::new());
        for (index, node) in graph.nodes.iter().enumerate() {
            reads.push(written[node.op.input()]);
            written[node.op.output()] = Some(index);
            layers.push(match &node.op {
                Op::MatMul { epilogue, .. } => {
                    Layer::MatMul(MatMul::new(&gemm, model, index), epilogue)
                }
                Op::Relu { .. } => Layer::Relu,
                Op::Map { table, .. } => Layer::Map(table),
            });
        }
        Self { gemm, layers, reads, last: written[graph.output.tensor] }
    }

    /// The name of the int8 kernel that this processor has.
    pub(crate) fn kernel(&self) -> &str {
        self.gemm.name()
    }

    /// The output of `rows` rows of input codes.
    pub(crate) fn run(&self, input: &Rows, rows: usize) -> Rows {
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
                        Epilogue::Requantize(requantize) => codes(requantize, &y, matmul.columns()),
                    }
                }
            });
        }
        self.last.map_or_else(|| input.clone(), |index| outputs.swap_remove(index))
    }
}

fn codes(requantize: &Requantize, acc: &Rows, columns: usize) -> Rows {
    let mut codes = Vec::with_capacity(acc.len());
    acc.for_each(|at, acc| codes.push(requantize.step(at % columns).code(acc)));
    Rows::Codes(codes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Task;
    use binfer_ml_ops::run;

    #[test]
    fn limbs_of_either_width_give_the_interpreters_integers() {
        for task in [Task::T3, Task::T1Zero] {
            let workload = task.workload().unwrap();
            let (model, graph) = (&workload.model, &workload.model.graph);
            let output = run(model, &workload.input).unwrap();
            let shape = &graph.tensors[graph.input.tensor];
            let (input, batch) = graph.input.encode(shape, &workload.input).unwrap();
            let input = Rows::from_codes(&input, batch.size);
            let shape = &graph.tensors[graph.output.tensor];
            let expected = graph.output.encode(shape, &output, batch).unwrap();
            for gemm in [Int8Gemm::new(), Int8Gemm::with_limbs(7), Int8Gemm::with_limbs(0)] {
                let native = Native::on(gemm, model);
                let bits = native.gemm.limb_bits();
                let agrees = native.run(&input, batch.size).agrees(&expected, batch.size);
                assert!(agrees, "{} in limbs of {bits} bits", workload.name);
            }
        }
    }
}
