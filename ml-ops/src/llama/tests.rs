//! A small network of random weights: its integers give the floats' logits, and they can be proved.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::network::Layer;
use super::*;
use crate::array::{Array, ArrayData};
use crate::graph::{DecodeError, Model, TensorKind};
use crate::interpret::RunError;
use crate::{Params, ProveError, ProverKey, Rejection, random_salt, run, verify};

const SIZES: Sizes = Sizes {
    layers: 2,
    width: 24,
    heads: 4,
    kv_heads: 2,
    hidden: 48,
    vocabulary: 40,
    epsilon: 1e-5,
    base: 10_000.0,
};

fn network(seed: u64) -> Network {
    let mut random = StdRng::seed_from_u64(seed);
    let mut matrix = |n: usize, size: f32| -> Vec<f32> {
        (0..n).map(|_| (0..4).map(|_| random.random_range(-size..size)).sum()).collect()
    };
    let Sizes { width, hidden, vocabulary, .. } = SIZES;
    let layers = (0..SIZES.layers)
        .map(|_| Layer {
            q: matrix(width * width, 0.3),
            k: matrix(SIZES.keys() * width, 0.3),
            v: matrix(SIZES.keys() * width, 0.2),
            o: matrix(width * width, 0.2),
            gate: matrix(hidden * width, 0.3),
            up: matrix(hidden * width, 0.3),
            down: matrix(width * hidden, 0.2),
        })
        .collect();
    let embedding = matrix(vocabulary * width, 0.5);
    Network { sizes: SIZES, embedding, layers, output: matrix(vocabulary * width, 0.3) }
}

fn calibration() -> Vec<usize> {
    (0..240).map(|n: usize| (n * n + 7 * n) % 37 + n % 3).collect()
}

fn input(tokens: &[usize]) -> Array {
    let data = ArrayData::I64(tokens.iter().map(|&token| token as i64).collect());
    Array::new(vec![1, tokens.len()], data).expect("as many elements as tokens")
}

fn logits(output: &Array) -> Vec<f64> {
    match output.data() {
        ArrayData::I32(logits) => logits.iter().map(|&x| x.into()).collect(),
        data => panic!("{:?}", data.element_type()),
    }
}

fn quantized(network: &Network, bits: u32, logits: Logits) -> Model {
    let how = Quantization { tokens: 8, bits };
    let quantized = network.quantize(how, &calibration()).expect("integers");
    quantized.model(logits).expect("a model")
}

/// The cosine of the angle between two vectors.
fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn integers_give_the_logits_of_floats() {
    for (bits, least) in [(8, 0.99), (4, 0.9)] {
        let network = network(3);
        let model = quantized(&network, bits, Logits::All);
        let (mut floats, mut integers) = (Vec::new(), Vec::new());
        for prompt in calibration().chunks_exact(8).skip(9) {
            floats.extend(network.logits(prompt, 8).expect("tokens").iter().map(|&x| f64::from(x)));
            integers.extend(logits(&run(&model, &input(prompt)).expect("a run")));
        }
        let cosine = cosine(&floats, &integers);
        assert!(cosine > least, "{bits} bits: {cosine}");
    }
}

#[test]
fn rotations_and_balance_change_no_logits() {
    let network = network(4);
    let mut other = network.rotated();
    other.layers = other.layers.iter().map(|layer| layer.balanced(&SIZES)).collect();
    assert!(network.layers.iter().zip(&other.layers).all(|(a, b)| a.q != b.q && a.down != b.down));
    let [a, b] = [&network, &other].map(|of| of.logits(&calibration(), 16).expect("tokens"));
    let most = a.iter().fold(0f32, |most, x| most.max(x.abs()));
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4 * most));
}

#[test]
fn later_tokens_change_nothing() {
    let model = quantized(&network(5), 8, Logits::All);
    let prompt = [3, 1, 4, 1, 5, 9, 2, 6];
    let mut other = prompt;
    other[5] = 33;
    let [a, b] = [prompt, other].map(|p| logits(&run(&model, &input(&p)).expect("a run")));
    let same = 5 * SIZES.vocabulary;
    assert_eq!(a[..same], b[..same]);
    assert_ne!(a[same..], b[same..]);
    // The last row alone is the same too.
    let last = quantized(&network(5), 8, Logits::Last);
    let last = logits(&run(&last, &input(&prompt)).expect("a run"));
    assert_eq!(last, a[7 * SIZES.vocabulary..]);
}

#[test]
fn a_next_token_is_proved() {
    let model = quantized(&network(7), 8, Logits::Last);
    // An embedding is one row of its matrix.
    assert_eq!(model.graph.accumulator_bound(0), 128);
    let key = ProverKey::new(model, Params::default(), &random_salt(&mut StdRng::seed_from_u64(9)));
    let input = input(&[3, 1, 4, 1, 5, 9, 2, 6]);
    let output = key.run(&input).expect("a run");
    let proof = key.prove(&input, &output, &mut |_| ()).expect("a proof").to_bytes();
    assert_eq!(verify(key.commitment(), &input, &output, &proof), Ok(()));
    let (shape, data) = output.into_parts();
    let ArrayData::I32(mut claimed) = data else { panic!("logits are integers") };
    claimed.swap(0, 1);
    let claimed = Array::new(shape, ArrayData::I32(claimed)).expect("as many");
    let answer = verify(key.commitment(), &input, &claimed, &proof);
    assert!(matches!(answer, Err(Rejection::Argument(_))), "{answer:?}");
}

#[test]
fn a_next_token_is_proved_without_its_logits() {
    let input = input(&[3, 1, 4, 1, 5, 9, 2, 6]);
    let logits = logits(&run(&quantized(&network(7), 8, Logits::Last), &input).expect("a run"));
    let first =
        (0..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best });
    let model = quantized(&network(7), 8, Logits::Largest);
    let key = ProverKey::new(model, Params::default(), &random_salt(&mut StdRng::seed_from_u64(9)));
    let output = key.run(&input).expect("a run");
    assert_eq!((output.shape(), output.data()), (&[1][..], &ArrayData::I64(vec![first as i64])));
    let proof = key.prove(&input, &output, &mut |_| ()).expect("a proof").to_bytes();
    assert_eq!(verify(key.commitment(), &input, &output, &proof), Ok(()));
    for other in (0..SIZES.vocabulary as i64).filter(|&other| other != first as i64) {
        let claimed = Array::new(vec![1], ArrayData::I64(vec![other])).expect("a token");
        let answer = verify(key.commitment(), &input, &claimed, &proof);
        assert!(matches!(answer, Err(Rejection::Argument(_))), "{answer:?}");
    }
}

#[test]
fn models_have_bytes() {
    let mut model = quantized(&network(11), 4, Logits::Last);
    for biased in [false, true] {
        if biased {
            let n = model.graph.weights[0].n;
            model.graph.weights[0].bias_bits = 9;
            model.weights[0].bias = (0..n as i64).map(|j| 3 * j - 40).collect();
        }
        let bytes = model.to_bytes();
        assert_eq!(Model::from_bytes(&bytes).as_ref(), Ok(&model));
        for end in [0, 7, 11, 19, 200, bytes.len() - 1] {
            let cut = Model::from_bytes(&bytes[..end]);
            assert!(matches!(cut, Err(DecodeError::Truncated { .. })), "{end}: {cut:?}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Model::from_bytes(&longer), Err(DecodeError::Trailing { left: 1 }));
        let changed = |at: usize| {
            let mut changed = bytes.clone();
            changed[at] ^= 64;
            Model::from_bytes(&changed)
        };
        assert_eq!(changed(2), Err(DecodeError::Magic));
        assert_eq!(changed(8), Err(DecodeError::Version { got: 65 }));
    }
    // A bias that is wider than the graph says.
    model.weights[0].bias[0] = 1 << 20;
    let wide = Model::from_bytes(&model.to_bytes());
    assert!(matches!(wide, Err(DecodeError::Invalid(_))), "{wide:?}");
}

#[test]
fn a_stream_beyond_its_width_is_refused() {
    let mut model = quantized(&network(13), 8, Logits::Last);
    let sum = model.graph.nodes.iter().position(|node| node.name == "layer0/sum0").expect("a sum");
    let stream = model.graph.nodes[sum].op.output();
    model.graph.tensors[stream].kind = TensorKind::Integer { bits: 12 };
    assert_eq!(model.validate(), Ok(()));
    let refused = run(&model, &input(&[3, 1, 4, 1, 5, 9, 2, 6]));
    let Err(ProveError::Run(RunError::Overflow { node, bits: 12, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(node, sum);
}

#[test]
fn what_cannot_be_quantized_has_an_error() {
    let network = network(1);
    let how = Quantization { tokens: 8, bits: 8 };
    let quantize = |how, calibration: &[usize]| network.quantize(how, calibration).err();
    assert_eq!(quantize(Quantization { bits: 5, ..how }, &[1]), Some(LlamaError::Bits { got: 5 }));
    let none = Some(LlamaError::Tokens { got: 0, least: 1 });
    assert_eq!(quantize(Quantization { tokens: 0, ..how }, &[1]), none);
    assert_eq!(quantize(how, &[]), none);
    let got = SIZES.vocabulary;
    assert_eq!(quantize(how, &[1, got]), Some(LlamaError::Vocabulary { got, vocabulary: got }));
    let long = Quantization { tokens: 1 << 24, ..how };
    assert_eq!(quantize(long, &[1]), Some(LlamaError::Prompt { got: 1 << 24, most: 4096 }));
}
