//! No bytes but those of the one honest proof are accepted, and none makes the verifier panic.
#![no_main]

use std::sync::OnceLock;

use binfer_fuzz::{Network, Patch};
use binfer_ml_ops::array::{Array, ArrayData};
use binfer_ml_ops::graph::Model;
use binfer_ml_ops::{ModelCommitment, ProverKey, verify};
use binfer_pcs::Params;
use libfuzzer_sys::fuzz_target;

struct Statement {
    commitment: ModelCommitment,
    input: Array,
    output: Array,
    proof: Vec<u8>,
}

/// A batch of two digits under few queries, so that most time goes to what is read.
fn statement(network: Network) -> &'static Statement {
    static STATEMENTS: OnceLock<[Statement; 2]> = OnceLock::new();
    &STATEMENTS.get_or_init(|| Network::ALL.map(prove))[network as usize]
}

fn prove(network: Network) -> Statement {
    let model = Model::from_onnx(network.onnx()).expect("a model of the repository");
    let params = Params { security_bits: 8, ..Params::default() };
    let shape = [&[2], &model.graph.input.shape[..]].concat();
    let key = ProverKey::new(model, params, &[3; 32]);
    let pixels = (0..128).map(|i| (i % 17) as f32).collect();
    let input = Array::new(shape, ArrayData::F32(pixels)).expect("images of 64 pixels");
    let output = key.run(&input).expect("the input fits");
    let proof = key.prove(&input, &output, &mut |_| ()).expect("true");
    Statement { commitment: key.commitment().clone(), input, output, proof: proof.to_bytes() }
}

fuzz_target!(|input: (Network, Patch)| {
    let (network, patch) = input;
    let Statement { commitment, input, output, proof: honest } = statement(network);
    let proof = patch.apply(honest);
    let accepted = verify(commitment, input, output, &proof).is_ok();
    assert_eq!(accepted, proof == *honest);
});
