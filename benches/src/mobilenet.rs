//! The shape of MobileNet v1, with random weights: convolutions of all kinds on images of any size.

use binfer_ml_ops::graph::{
    Alphabet, CodeType, Epilogue, Function, Gather, GatherDim, Graph, InputPort, InputTransform,
    Model, Node, Op, OutputPort, OutputTransform, Requantize, RoundingProfile, Step, TensorKind,
    TensorShape, Term, Values, WeightMatrix, WeightShape,
};

use crate::bytes;

/// A depthwise convolution's stride, and the channels of the pointwise convolution after it.
const BLOCKS: [(usize, usize); 13] = [
    (1, 64),
    (2, 128),
    (1, 128),
    (2, 256),
    (1, 256),
    (2, 512),
    (1, 512),
    (1, 512),
    (1, 512),
    (1, 512),
    (1, 512),
    (2, 1024),
    (1, 1024),
];

/// The network on images of `side x side` and three channels, and an input. 569 million
/// multiply-accumulates at a side of 224.
///
/// Precondition: `side` is a positive multiple of 32.
pub fn mobilenet(side: usize) -> (Model, Values) {
    assert!(side > 0 && side.is_multiple_of(32));
    let mut net = Builder::new(side);
    net.convolution(3, 2, 32, 1);
    for (stride, channels) in BLOCKS {
        let groups = net.channels;
        net.convolution(3, stride, groups, groups);
        net.convolution(1, 1, channels, 1);
    }
    net.average();
    net.convolution(1, 1, 1000, 1);
    let graph = &mut net.model.graph;
    graph.output.tensor = graph.tensors.len() - 1;
    graph.output.shape = vec![1000];
    let input = bytes(graph.tensors[0].per_sample(), 77);
    (net.model, Values::Codes(input))
}

/// A network so far, and the image that its last tensor is.
struct Builder {
    model: Model,
    side: usize,
    channels: usize,
}

impl Builder {
    fn new(side: usize) -> Self {
        let dtype = CodeType::U8;
        let image =
            TensorShape { rows_per_sample: side * side, features: 3, kind: TensorKind::Code };
        let input = InputPort {
            tensor: 0,
            shape: vec![side, side, 3],
            transform: InputTransform::Codes { dtype },
        };
        let transform = OutputTransform::Codes { dtype };
        let graph = Graph {
            more_inputs: Vec::new(),
            input_names: Vec::new(),
            more_outputs: Vec::new(),
            name: "mobilenet".into(),
            tensors: vec![image],
            weights: Vec::new(),
            nodes: Vec::new(),
            input,
            output: OutputPort { tensor: 0, shape: Vec::new(), transform },
        };
        Self { model: Model { graph, weights: Vec::new() }, side, channels: 3 }
    }

    /// A convolution of `kernel x kernel` to `channels` channels.
    fn convolution(&mut self, kernel: usize, stride: usize, channels: usize, groups: usize) {
        let (from, side) = (self.channels, self.side.div_ceil(stride));
        let gather = (kernel > 1 || stride > 1).then(|| Gather {
            source_cols: vec![from],
            source_rows: vec![self.side, self.side],
            offsets: vec![0, -(kernel as i64 / 2), -(kernel as i64 / 2)],
            rows: vec![dim(side, 1, stride), dim(side, 2, stride)],
            cols: vec![dim(from, 0, 1), dim(kernel, 1, 1), dim(kernel, 2, 1)],
            pad: None,
        });
        let k = from / groups * kernel * kernel;
        let weights = self.model.weights.len();
        self.model.graph.weights.push(WeightShape {
            k,
            n: channels,
            alphabet: Alphabet::Byte { offsets: vec![-128] },
            bias_bits: 0,
        });
        let index = bytes(k * channels, weights as u64);
        self.model.weights.push(WeightMatrix { index, bias: Vec::new() });
        let step = Step {
            scale: 40.0 / (74.0 * 74.0 * (k as f32).sqrt()),
            zero_point: 100,
            qmin: 0,
            qmax: 255,
            type_min: 0,
            profile: RoundingProfile::OrtF32Rne,
        };
        let tensors = self.model.graph.tensors.len();
        let op = Op::MatMul {
            x: tensors - 1,
            gather,
            zero_code: 100,
            weights,
            groups,
            y: tensors,
            epilogue: Epilogue::Requantize(Requantize { steps: vec![step] }),
        };
        self.push(op, side, channels);
    }

    /// The average of each channel.
    fn average(&mut self) {
        let pixels = self.side * self.side;
        let tensors = self.model.graph.tensors.len();
        let gather = Gather {
            source_cols: vec![self.channels],
            source_rows: vec![pixels],
            offsets: vec![0, 0],
            rows: Vec::new(),
            cols: vec![dim(self.channels, 0, 1), dim(pixels, 1, 1)],
            pad: None,
        };
        let table = Box::new(std::array::from_fn(|code| code as i64));
        let function = Function::Table(table);
        let term = Term { x: tensors - 1, gather: Some(gather), taps: pixels, function };
        let step = Step {
            scale: 1.0 / pixels as f32,
            zero_point: 0,
            qmin: 0,
            qmax: 255,
            type_min: 0,
            profile: RoundingProfile::OrtF32Rne,
        };
        let epilogue = Epilogue::Requantize(Requantize { steps: vec![step] });
        self.push(Op::Combine { terms: vec![term], y: tensors, epilogue }, 1, self.channels);
    }

    fn push(&mut self, op: Op, side: usize, channels: usize) {
        let shape = TensorShape {
            rows_per_sample: side * side,
            features: channels,
            kind: TensorKind::Code,
        };
        self.model.graph.tensors.push(shape);
        let name = format!("node {}", self.model.graph.nodes.len());
        self.model.graph.nodes.push(Node { name, op });
        (self.side, self.channels) = (side, channels);
    }
}

fn dim(size: usize, axis: usize, step: usize) -> GatherDim {
    GatherDim { size, axis: Some(axis), step: step as i64 }
}
