//! Honest proofs that convince of too little, as their commitment asks for few queries: none is made, and none is accepted.

use binfer_pcs::Params;

use crate::argument::{GroupSize, Plan, Requantized};
use crate::array::{Array, ArrayData};
use crate::graph::Model;
use crate::{LEAST_BITS, ProveError, ProverKey, Rejection, estimate_of, interpret, verify};

/// A key of the digits' network, and a sample with its output.
fn key(params: Params) -> (ProverKey, [Array; 2]) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits/digits.onnx");
    let model = Model::from_onnx(&std::fs::read(path).unwrap()).unwrap();
    let port = &model.graph.input;
    let pixels = (0..port.shape.iter().product()).map(|i: usize| (i % 17) as f32);
    let x = Array::new([&[1], &port.shape[..]].concat(), ArrayData::F32(pixels.collect())).unwrap();
    let key = ProverKey::new(model, params, &[3; 32]);
    let y = key.run(&x).unwrap();
    (key, [x, y])
}

#[test]
fn proofs_of_few_bits_are_neither_made_nor_accepted() {
    for (security_bits, is_enough) in [(20, false), (99, false), (103, true)] {
        let (key, [x, y]) = key(Params { security_bits, ..Params::fast() });
        let made = key.prove(&x, &y, &mut |_| ());
        match made {
            Ok(_) => assert!(is_enough, "{security_bits}"),
            Err(ProveError::Security { batch: 1, got }) => {
                assert!(!is_enough && got < f64::from(security_bits) + 1.0, "{got}");
            }
            Err(other) => panic!("{other}"),
        }
        // What a prover makes that does not ask.
        let graph = &key.model().graph;
        let (values, batch) = graph.encode([x.clone()].as_slice()).unwrap();
        let trace = interpret::run(key.model(), &values, batch.size).unwrap();
        let declared = Requantized::new(graph).of_run(graph, &trace);
        let plan = Plan::declared(graph, batch.size, declared);
        let statement = (&[x.clone()][..], &[y.clone()][..], batch.size);
        let group_size = GroupSize::default();
        let proof = key.prove_plan(&plan, group_size, statement, trace, &mut |_| ()).unwrap();
        let stated = estimate_of(&proof).unwrap().soundness_bits;
        match verify(key.commitment(), &x, &y, &proof.to_bytes()) {
            Ok(()) => assert!(is_enough && stated >= LEAST_BITS),
            Err(Rejection::Security { got }) => {
                // The verifier's own account is that of the estimate.
                assert!(!is_enough && (got - stated).abs() < 1e-9, "{got} {stated}");
            }
            Err(other) => panic!("{other}"),
        }
    }
}
