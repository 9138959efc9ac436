//! A small network of random weights: its integers give the floats' logits, and they can be proved.

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::network::Layer;
use super::*;
use crate::array::{Array, ArrayData};
use crate::gguf::{Gguf, GgufError};
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
    let quantized = network.quantize(how, &calibration(), &mut |_| {}).expect("integers");
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
    let quantize =
        |how, calibration: &[usize]| network.quantize(how, calibration, &mut |_| {}).err();
    assert_eq!(quantize(Quantization { bits: 5, ..how }, &[1]), Some(LlamaError::Bits { got: 5 }));
    let none = Some(LlamaError::Tokens { got: 0, least: 1 });
    assert_eq!(quantize(Quantization { tokens: 0, ..how }, &[1]), none);
    assert_eq!(quantize(how, &[]), none);
    let got = SIZES.vocabulary;
    assert_eq!(quantize(how, &[1, got]), Some(LlamaError::Vocabulary { got, vocabulary: got }));
    let long = Quantization { tokens: 1 << 24, ..how };
    assert_eq!(quantize(long, &[1]), Some(LlamaError::Prompt { got: 1 << 24, most: 4096 }));
}

/// The network's GGUF file.
fn gguf(network: &Network) -> Vec<u8> {
    let Sizes { layers, width, heads, kv_heads, hidden, vocabulary, epsilon, base } = network.sizes;
    let text = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
    let size = |n: usize| [&4u32.to_le_bytes()[..], &(n as u32).to_le_bytes()].concat();
    let float = |x: f64| [&6u32.to_le_bytes()[..], &(x as f32).to_le_bytes()].concat();
    let mut tokens = [9u32, 8].map(u32::to_le_bytes).concat();
    tokens.extend((vocabulary as u64).to_le_bytes());
    tokens.extend((0..vocabulary).flat_map(|token| text(&token.to_string())));
    let values = [
        ("general.architecture", [8u32.to_le_bytes().to_vec(), text("llama")].concat()),
        ("llama.block_count", size(layers)),
        ("llama.embedding_length", size(width)),
        ("llama.attention.head_count", size(heads)),
        ("llama.attention.head_count_kv", size(kv_heads)),
        ("llama.feed_forward_length", size(hidden)),
        ("llama.attention.layer_norm_rms_epsilon", float(epsilon)),
        ("llama.rope.freq_base", float(base)),
        ("tokenizer.ggml.tokens", tokens),
    ];
    let ones = vec![1.0; width];
    let mut tensors = vec![
        ("token_embd".to_owned(), width, &network.embedding),
        ("output_norm".to_owned(), width, &ones),
        ("output".to_owned(), width, &network.output),
    ];
    for (i, layer) in network.layers.iter().enumerate() {
        let parts = [
            ("attn_norm", width, &ones),
            ("attn_q", width, &layer.q),
            ("attn_k", width, &layer.k),
            ("attn_v", width, &layer.v),
            ("attn_output", width, &layer.o),
            ("ffn_norm", width, &ones),
            ("ffn_gate", width, &layer.gate),
            ("ffn_up", width, &layer.up),
            ("ffn_down", hidden, &layer.down),
        ];
        tensors.extend(parts.map(|(part, cols, data)| (format!("blk.{i}.{part}"), cols, data)));
    }
    let mut bytes = [&b"GGUF"[..], &3u32.to_le_bytes()].concat();
    bytes.extend([tensors.len(), values.len()].map(|n| (n as u64).to_le_bytes()).concat());
    bytes.extend(values.iter().flat_map(|(key, value)| [text(key), value.clone()].concat()));
    let mut data = Vec::new();
    for (name, cols, floats) in tensors {
        let norm = floats.len() == cols && name.ends_with("norm");
        let dims = if norm { vec![cols] } else { vec![cols, floats.len() / cols] };
        bytes.extend(text(&format!("{name}.weight")));
        bytes.extend((dims.len() as u32).to_le_bytes());
        bytes.extend(dims.iter().flat_map(|&dim| (dim as u64).to_le_bytes()));
        bytes.extend(0u32.to_le_bytes());
        bytes.extend((data.len() as u64).to_le_bytes());
        data.extend(floats.iter().flat_map(|x| x.to_le_bytes()));
        data.resize(data.len().next_multiple_of(32), 0);
    }
    bytes.resize(bytes.len().next_multiple_of(32), 0);
    [bytes, data].concat()
}

/// What a file's network is as integers, and what those give for a prompt.
fn integers(bytes: &[u8]) -> Result<Array, String> {
    let file = Gguf::parse(bytes).map_err(|e| e.to_string())?;
    let network = Network::new(&file).map_err(|e| e.to_string())?;
    let how = Quantization { tokens: 4, bits: 8 };
    let quantized =
        network.quantize(how, &[3, 1, 4, 1, 5, 9, 2, 6], &mut |_| {}).map_err(|e| e.to_string())?;
    let model = quantized.model(Logits::Last).map_err(|e| e.to_string())?;
    run(&model, &input(&[3, 1, 4, 1])).map_err(|e| e.to_string())
}

#[test]
fn files_are_their_networks() {
    let network = network(17);
    let bytes = gguf(&network);
    let how = Quantization { tokens: 4, bits: 8 };
    let quantized =
        network.quantize(how, &[3, 1, 4, 1, 5, 9, 2, 6], &mut |_| {}).expect("integers");
    let model = quantized.model(Logits::Last).expect("a model");
    let expected = run(&model, &input(&[3, 1, 4, 1])).map_err(|e| e.to_string());
    assert_eq!(integers(&bytes), expected);
}

#[test]
fn numbers_that_are_none_have_an_error() {
    let file = |change: fn(&mut Network)| {
        let mut network = network(17);
        change(&mut network);
        integers(&gguf(&network))
    };
    let error = |e: LlamaError| Err(e.to_string());
    let float = |name: &str, got| error(LlamaError::Float { name: name.to_owned(), got });
    let found = file(|network| network.layers[1].down[7] = f32::NAN);
    assert_eq!(found, float("blk.1.ffn_down.weight", f32::NAN));
    let found = file(|network| network.output[40] = f32::NEG_INFINITY);
    assert_eq!(found, float("output.weight", f32::NEG_INFINITY));
    let found = file(|network| network.output.fill(f32::MAX));
    assert_eq!(found, error(LlamaError::Overflow));
    let found = file(|network| network.sizes.base = 0.0);
    let key = "llama.rope.freq_base".to_owned();
    assert_eq!(found, error(GgufError::Key { key, expected: "a positive number" }.into()));
}

proptest! {
    #[test]
    fn changed_files_do_not_panic(
        seed in 0u64..4,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..4),
    ) {
        let mut bytes = gguf(&network(seed));
        for (at, byte, how) in changes {
            let head = 1500;
            // The head is where most of the meaning is; of floats those that are no numbers, or none to count with.
            let special = [f32::NAN, f32::INFINITY, f32::MAX, -1e-40][usize::from(byte) % 4];
            match how {
                0 => { let at = at.index(bytes.len()); bytes[at] = byte; }
                1 | 2 => bytes[at.index(head)] = byte,
                _ => {
                    let floats = (bytes.len() - head) / 4;
                    let at = bytes.len() - 4 * (1 + at.index(floats));
                    bytes[at..at + 4].copy_from_slice(&special.to_le_bytes());
                }
            }
        }
        let _ = integers(&bytes);
    }
}
