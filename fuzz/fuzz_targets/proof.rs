//! No bytes but those of the one honest proof are accepted, and none makes the verifier panic.
#![no_main]

use std::sync::OnceLock;

use binfer_fuzz::Patch;
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
fn statement() -> &'static Statement {
    static STATEMENT: OnceLock<Statement> = OnceLock::new();
    STATEMENT.get_or_init(|| {
        let onnx = include_bytes!("../../models/digits/digits_ternary.onnx");
        let model = Model::from_onnx(onnx).expect("a model of the repository");
        let params = Params { security_bits: 8, ..Params::default() };
        let key = ProverKey::new(model, params, &[3; 32]);
        let pixels = (0..128).map(|i| (i % 17) as f32).collect();
        let input = Array::new(vec![2, 64], ArrayData::F32(pixels)).expect("2 x 64 elements");
        let output = key.run(&input).expect("the input fits");
        let proof = key.prove(&input, &output, &mut |_| ()).expect("true");
        Statement { commitment: key.commitment().clone(), input, output, proof: proof.to_bytes() }
    })
}

fuzz_target!(|patch: Patch| {
    let Statement { commitment, input, output, proof: honest } = statement();
    let proof = patch.apply(honest);
    let accepted = verify(commitment, input, output, &proof).is_ok();
    assert_eq!(accepted, proof == *honest);
});
