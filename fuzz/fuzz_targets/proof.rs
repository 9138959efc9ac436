//! No bytes but those of the one honest proof are accepted, and none makes the verifier panic.
#![no_main]

use std::sync::OnceLock;

use binfer_fuzz::{Network, Patch};
use binfer_ml_ops::array::{Array, ArrayData, ElementType};
use binfer_ml_ops::graph::{InputPort, Model};
use binfer_ml_ops::{ModelCommitment, ProverKey, verify};
use binfer_pcs::Params;
use libfuzzer_sys::fuzz_target;

struct Statement {
    commitment: ModelCommitment,
    inputs: Vec<Array>,
    output: Array,
    proof: Vec<u8>,
}

/// A batch of two digits or pairs of images under as few queries as convince, so that most time goes to what is read.
fn statement(network: Network) -> &'static Statement {
    static STATEMENTS: OnceLock<[Statement; 3]> = OnceLock::new();
    &STATEMENTS.get_or_init(|| Network::ALL.map(prove))[network as usize]
}

fn prove(network: Network) -> Statement {
    let model = Model::from_onnx(network.onnx()).expect("a model of the repository");
    let params = Params { log_inv_rate: 4, ..Params::small() };
    let inputs: Vec<Array> = model.graph.inputs().map(two_samples).collect();
    let key = ProverKey::new(model, params, &[3; 32]);
    let output = key.run(&inputs).expect("the inputs fit");
    let proof = key.prove(&inputs, &output, &mut |_| ()).expect("true");
    Statement { commitment: key.commitment().clone(), inputs, output, proof: proof.to_bytes() }
}

/// Two samples of an input.
fn two_samples(port: &InputPort) -> Array {
    let shape = [&[2], &port.shape[..]].concat();
    let pixels = (0..shape.iter().product()).map(|i: usize| (i % 17) as u8);
    let data = match port.transform.element_type() {
        ElementType::U8 => ArrayData::U8(pixels.collect()),
        _ => ArrayData::F32(pixels.map(f32::from).collect()),
    };
    Array::new(shape, data).expect("as many pixels")
}

fuzz_target!(|input: (Network, Patch)| {
    let (network, patch) = input;
    let Statement { commitment, inputs, output, proof: honest } = statement(network);
    let proof = patch.apply(honest);
    let accepted = verify(commitment, inputs, output, &proof).is_ok();
    assert_eq!(accepted, proof == *honest);
});
