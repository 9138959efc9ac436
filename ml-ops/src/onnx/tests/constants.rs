//! Constants of many values, and masks, that are refused.

use super::*;

const FACTORS: &[u8] = fixture!("qdq_mul_floats");
const SUMMANDS: &[u8] = fixture!("qdq_add_floats");
const DEQUANTIZED: &[u8] = fixture!("qdq_mul_tensor");
const QLINEAR: &[u8] = fixture!("qlinear_mul_tensor");
const MASKED: &[u8] = include_bytes!("../../../tests/fixtures/transformer/softmax_masked.onnx");
const WHERE: &[u8] = include_bytes!("../../../tests/fixtures/transformer/softmax_where.onnx");

#[test]
fn factors_are_multiples_of_the_smallest() {
    for values in [[0.1, 0.25, 1.0, 1.0, 1.0, 1.0], [-1.0, 0.0, 1.0, 2.0, 3.0, 255.0]] {
        // One for each element.
        let found = node_error(FACTORS, |g| {
            set_floats(constant(g, "Mul", 1), &values.repeat(4));
            constant(g, "Mul", 1).dims = vec![4, 6];
        });
        assert_eq!(found, NodeError::ConstantFactor { index: 1 });
    }
    let found = node_error(FACTORS, |g| {
        set_floats(constant(g, "Mul", 1), &[2.0; 24]);
        constant(g, "Mul", 1).float_data[7] = 1.0;
        constant(g, "Mul", 1).dims = vec![4, 6];
        node(g, "Mul").op_type = Some("Div".to_owned());
    });
    assert_eq!(found, NodeError::ProductOfTensors);
}

#[test]
fn summands_are_finite_and_few() {
    let value = f32::INFINITY;
    let found = node_error(SUMMANDS, |g| {
        set_floats(constant(g, "Add", 1), &[0.0, value, 1.0, 0.0, 0.0, 0.0]);
    });
    assert_eq!(found, NodeError::NotOnGrid { index: 1, value });
    let found = node_error(SUMMANDS, |g| {
        let values: Vec<f32> = (0..300).map(|i| i as f32).collect();
        set_floats(constant(g, "Add", 1), &values);
    });
    assert_eq!(found, NodeError::ConstantLevels { index: 1, got: 300 });
}

#[test]
fn constants_are_broadcast_to_the_tensor() {
    let shape = |expected, got| NodeError::OperandShape { index: 1, expected, got };
    let found = node_error(SUMMANDS, |g| set_floats(constant(g, "Add", 1), &[0.5, 1.5, 2.0]));
    assert_eq!(found, shape(6, 3));
    let found = node_error(SUMMANDS, |g| {
        set_floats(constant(g, "Add", 1), &[0.5, 1.5]);
        constant(g, "Add", 1).dims = vec![2, 1, 1];
    });
    assert_eq!(found, shape(3, 3));
    let found = node_error(QLINEAR, |g| {
        set_integers(constant(g, "QLinearMul", 3), data_type::UINT8, &[5], &[1, 2, 3, 4, 5]);
    });
    assert_eq!(found, NodeError::OperandShape { index: 3, expected: 6, got: 5 });
}

#[test]
fn constants_have_one_scale() {
    let found = node_error(DEQUANTIZED, |g| {
        let name = node(g, "Mul").input[1].clone();
        let of = g.node.iter_mut().find(|node| node.output[0] == name).expect("a DequantizeLinear");
        let scale = of.input[1].clone();
        of.input.truncate(2);
        let scale = g.initializer.iter_mut().find(|t| t.name.as_ref() == Some(&scale));
        set_floats(scale.expect("a scale"), &[0.1, 0.2, 0.1, 0.1, 0.1, 0.1]);
    });
    assert_eq!(found, NodeError::Operand { index: 1, expected: "a constant of one scale" });
}

/// Adds `node` of floats in front of all others, its output in the place of operand 1 of `of`.
fn computed(g: &mut GraphProto, operator: &str, inputs: [(&str, &[f32]); 2], of: &str) {
    let mut input = Vec::new();
    for (name, values) in inputs {
        let mut tensor = TensorProto { name: Some(name.to_owned()), ..Default::default() };
        set_floats(&mut tensor, values);
        g.initializer.push(tensor);
        input.push(name.to_owned());
    }
    node(g, of).input[1] = "computed".to_owned();
    let computed = NodeProto {
        op_type: Some(operator.to_owned()),
        input,
        output: vec!["computed".to_owned()],
        ..Default::default()
    };
    g.node.insert(0, computed);
}

#[test]
fn floats_of_constants_are_computed() {
    let import = |change: &dyn Fn(&mut GraphProto)| {
        let mut model = parse(SUMMANDS);
        change(graph(&mut model));
        Model::from_onnx(&model.encode_to_vec())
    };
    let direct = import(&|g| set_floats(constant(g, "Add", 1), &[2.0, 3.0, 0.5, 4.0, 1.5, 6.0]));
    let roots = [4.0, 9.0, 0.25, 16.0, 2.25, 36.0];
    let products = [1.0, 1.5, 0.25, 2.0, 0.75, 3.0];
    for (operator, a, b) in [("Pow", roots, 0.5), ("Mul", products, 2.0), ("Div", products, 0.5)] {
        let found = import(&|g| computed(g, operator, [("a", &a), ("b", &[b])], "Add"));
        assert_eq!(found.expect(operator), direct.clone().expect("constants"), "{operator}");
    }
    let found = node_error(SUMMANDS, |g| {
        computed(g, "Mul", [("a", &products), ("b", &[1.0, 2.0])], "Add");
    });
    assert_eq!(found, NodeError::OperandShape { index: 1, expected: 6, got: 2 });
    let found =
        node_error(SUMMANDS, |g| computed(g, "Pow", [("a", &products), ("b", &[1.7])], "Add"));
    assert_eq!(found, NodeError::NotOnGrid { index: 1, value: 1.7 });
}

#[test]
fn masks_leave_something_and_are_masks() {
    let found = node_error(MASKED, |g| {
        let mut values = vec![0.0; 49];
        values[7..14].fill(-1e9);
        set_floats(constant(g, "Add", 1), &values);
        constant(g, "Add", 1).dims = vec![7, 7];
    });
    assert_eq!(found, NodeError::MaskedRow { index: 1, row: 1 });
    // What is left is not nothing: a sum, which a Softmax does not take.
    let found = node_error(MASKED, |g| {
        set_floats(constant(g, "Add", 1), &[0.0, -3.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    });
    assert!(matches!(found, NodeError::Operand { index: 0, .. }), "{found}");
    let found = node_error(WHERE, |g| set_floats(constant(g, "Where", 2), &[-5.0]));
    assert!(matches!(found, NodeError::Operand { index: 2, .. }), "{found}");
    let found = node_error(WHERE, |g| {
        set_integers(constant(g, "Where", 0), data_type::INT32, &[1], &[1]);
    });
    assert_eq!(found, NodeError::OperandType { index: 0 });
    // Nothing but a Softmax takes what a mask leaves; before a QuantizeLinear it is a sum.
    let found = node_error(MASKED, |g| {
        let softmax = node(g, "Softmax");
        softmax.op_type = Some("Tanh".to_owned());
        softmax.attribute.clear();
    });
    assert!(matches!(found, NodeError::Operand { index: 0, .. }), "{found}");
}

#[test]
fn constants_are_cast_to_types_that_have_them() {
    const FILE: &[u8] = fixture!("exported/computed_zero_points");
    let shape = |sizes: &[i64]| {
        node_error(FILE, |g| {
            let tensor = constant(g, "ConstantOfShape", 0);
            let dims = vec![sizes.len() as i64];
            let name = tensor.name.clone();
            let (data_type, int64_data) = (Some(data_type::INT64), sizes.to_vec());
            *tensor = TensorProto { dims, data_type, int64_data, name, ..TensorProto::default() };
        })
    };
    let most = 1 << 16;
    let long = NodeError::OperandShape { index: 0, expected: most, got: most + 1 };
    for sizes in [&[most as i64 + 1][..], &[i64::MAX, 4], &[-1], &[1 << 40, 1 << 40]] {
        assert_eq!(shape(sizes), long);
    }
    // A value, and what it is cast to.
    let cast = |of: i32, value: i32, to: i32| {
        node_error(FILE, |g| {
            let tensor = node(g, "ConstantOfShape").attribute[0].t.as_mut().expect("a value");
            set_integers(tensor, of, &[1], &[value]);
            let mut casts = g.node.iter_mut().filter(|n| n.op_type.as_deref() == Some("Cast"));
            casts.nth(1).expect("a Cast").attribute = vec![int_attribute("to", to.into())];
        })
    };
    let refused = |to: i32| NodeError::AttributeValue { attribute: "to", value: to.into() };
    assert_eq!(cast(data_type::INT32, 300, data_type::UINT8), refused(data_type::UINT8));
    assert_eq!(cast(data_type::INT8, -1, data_type::UINT8), refused(data_type::UINT8));
    assert_eq!(cast(data_type::INT32, 1, data_type::BOOL), refused(data_type::BOOL));
}
