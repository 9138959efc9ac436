//! Floats that no QuantizeLinear comes before, where integers of them would give other codes.

use super::*;

const SUM: &[u8] = fixture!("qdq_add");
const BETWEEN: &[u8] = fixture!("networks/left_silu_between");
const BEFORE: &[u8] = fixture!("networks/left_tanh_before");

/// Puts `operator` with `attribute` or a constant before input `index` of the last node of operator `of`.
fn before(
    g: &mut GraphProto,
    (of, index): (&str, usize),
    operator: &str,
    attribute: Option<AttributeProto>,
    constant: Option<f32>,
) {
    let at = g.node.iter().rposition(|n| n.op_type.as_deref() == Some(of)).expect("a node");
    let mut input = vec![g.node[at].input[index].clone()];
    if let Some(value) = constant {
        let mut tensor = TensorProto { name: Some("put_in".to_owned()), ..Default::default() };
        set_floats(&mut tensor, &[value]);
        g.initializer.push(tensor);
        input.push("put_in".to_owned());
    }
    let output = vec!["put_before".to_owned()];
    g.node[at].input[index].clone_from(&output[0]);
    let op_type = Some(operator.to_owned());
    let attribute = attribute.into_iter().collect();
    g.node.insert(at, NodeProto { op_type, input, output, attribute, ..Default::default() });
}

#[test]
fn sums_and_products_of_which_one_is_lost_beside_the_other() {
    for operator in ["Add", "Mul"] {
        for (alpha, error) in [(0.25, None), (1e30, Some(NodeError::NoTables))] {
            let mut model = parse(SUM);
            let g = graph(&mut model);
            let steep = Some(float_attribute("alpha", alpha));
            before(g, ("Add", 1), "LeakyRelu", steep, None);
            node(g, "Add").op_type = Some(operator.to_owned());
            let found = Model::from_onnx(&model.encode_to_vec()).err().map(|error| match error {
                ImportError::Node { error, .. } => error,
                other => panic!("not a node's error: {other}"),
            });
            assert_eq!(found, error, "{operator} {alpha}");
        }
    }
    // No number at all.
    let infinite = node_error(SUM, |g| before(g, ("Add", 1), "Reciprocal", None, None));
    assert_eq!(infinite, NodeError::NoTables);
}

#[test]
fn codes_finer_than_what_stands_for_floats() {
    for file in [BETWEEN, BEFORE] {
        let fine = node_error(file, |g| set_floats(constant(g, "QuantizeLinear", 1), &[1e-5]));
        assert!(matches!(fine, NodeError::TooCoarse { .. }), "{fine}");
    }
}

#[test]
fn functions_too_large_for_integers() {
    for (operator, constant) in [("Mul", 1e30), ("Sub", 1e30), ("Sub", -1e30)] {
        let large =
            node_error(BETWEEN, |g| before(g, ("MatMul", 0), operator, None, Some(constant)));
        assert!(matches!(large, NodeError::Operand { index: 0, .. }), "{large}");
    }
}
