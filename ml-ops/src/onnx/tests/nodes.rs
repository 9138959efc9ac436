//! Nodes that are refused, each as a change to a fixture.

use super::*;

#[test]
fn unknown_operators_name_their_node() {
    let found = graph_error(QGEMM, |g| {
        g.node[0].op_type = Some("QGemv".to_owned());
        g.node[0].name = None;
    });
    let expected = ImportError::Node {
        node: "QGemv_0".to_owned(),
        operator: "com.microsoft.QGemv".to_owned(),
        error: NodeError::UnknownOperator,
    };
    assert_eq!(found, expected);
    let other_domain = node_error(QGEMM, |g| g.node[0].domain = None);
    assert_eq!(other_domain, NodeError::UnknownOperator);
}

#[test]
fn operators_of_computed_scales_and_of_blocks_name_the_way_out() {
    for (operator, expected) in [
        ("DynamicQuantizeLinear", NodeError::DynamicScale),
        ("DynamicQuantizeMatMul", NodeError::DynamicScale),
        ("MatMulNBits", NodeError::BlocksAndFloats),
    ] {
        let found = node_error(QGEMM, |g| g.node[0].op_type = Some(operator.to_owned()));
        assert!(found.to_string().contains("models/quantize.py"), "{found}");
        assert_eq!(found, expected);
    }
}

#[test]
fn functions_beyond_integers_before_a_matmul() {
    let refused = |factor| {
        node_error(fixture!("networks/left_silu_between"), |g| {
            // A product of the function, which the second MatMul reads.
            let at = g.node.iter().position(|node| node.op_type.as_deref() == Some("Mul")).unwrap();
            let function = g.node[at].output[0].clone();
            let scaled = NodeProto {
                input: vec![function.clone(), "factor".to_owned()],
                output: vec!["scaled".to_owned()],
                op_type: Some("Mul".to_owned()),
                ..NodeProto::default()
            };
            for node in &mut g.node {
                node.input.iter_mut().filter(|name| **name == function).for_each(|name| {
                    *name = "scaled".to_owned();
                });
            }
            g.node.insert(at + 1, scaled);
            let mut tensor = TensorProto { name: Some("factor".to_owned()), ..Default::default() };
            set_floats(&mut tensor, &[factor]);
            g.initializer.push(tensor);
        })
    };
    for factor in [1e36, -1e36, f32::MAX] {
        let error = refused(factor);
        assert!(matches!(error, NodeError::Operand { index: 0, .. }), "{factor}: {error}");
    }
}

#[test]
fn accumulators_whose_floats_are_infinite() {
    let refused = node_error(fixture!("networks/left_transposed_normalized"), |g| {
        for scale in ["c0", "c3"] {
            let mut constants = g.initializer.iter_mut();
            set_floats(constants.find(|t| t.name.as_deref() == Some(scale)).unwrap(), &[1e25]);
        }
    });
    let is_infinite = |value: f32| value.is_infinite();
    assert!(
        matches!(refused, NodeError::AccumulatorScale { column: 0, value } if is_infinite(value))
    );
}

#[test]
fn floats_that_the_runtime_rounds_before_a_matmul() {
    // A MatMul and a Gemm of functions, and a Gemm of what no DequantizeLinear comes right before.
    for file in [
        fixture!("networks/left_tanh_before"),
        fixture!("networks/left_gemm_behind_tanh"),
        fixture!("networks/bias_behind_flatten"),
    ] {
        let behind = |g: &mut GraphProto| {
            let mut last = g.node.pop().expect("a QuantizeLinear");
            let sigmoid = NodeProto {
                input: vec![last.input[0].clone()],
                output: vec!["sigmoid".to_owned()],
                op_type: Some("Sigmoid".to_owned()),
                ..NodeProto::default()
            };
            last.input[0] = "sigmoid".to_owned();
            g.node.extend([sigmoid, last]);
        };
        // A QuantizeLinear to 16 bits is none that keeps the runtime from it.
        let wider = |g: &mut GraphProto| {
            set_floats(constant(g, "QuantizeLinear", 1), &[0.03]);
            set_integers(constant(g, "QuantizeLinear", 2), data_type::UINT16, &[], &[9]);
        };
        let expected =
            "dequantized, or a QuantizeLinear behind the product with dequantized weights";
        for refused in [node_error(file, behind), node_error(file, wider)] {
            assert_eq!(refused, NodeError::Operand { index: 0, expected });
        }
    }
}

#[test]
fn attributes_that_are_unknown_or_unsupported() {
    let unknown = node_error(CLIP, |g| g.node[0].attribute.push(int_attribute("min", 0)));
    let expected = NodeError::UnknownAttribute { attribute: "min".to_owned() };
    assert_eq!(unknown, expected);
    let value = node_error(QDQ, |g| {
        let attribute = int_attribute("transA", 1);
        node(g, "Gemm").attribute.push(attribute);
    });
    let expected = NodeError::AttributeValue { attribute: "transA", value: 1.0 };
    assert_eq!(value, expected);
    for (attribute, value) in
        [("alpha", -0.5), ("alpha", 0.0), ("alpha", f32::INFINITY), ("beta", f32::INFINITY)]
    {
        let factor = node_error(QDQ, |g| {
            node(g, "Gemm").attribute.push(float_attribute(attribute, value));
        });
        assert_eq!(factor, NodeError::AttributeValue { attribute, value: value.into() });
    }
    // Of floats that are not quantized before, factors are not known.
    for attribute in ["alpha", "beta"] {
        let factor = node_error(fixture!("networks/left_gemm_behind_tanh"), |g| {
            node(g, "Gemm").attribute.push(float_attribute(attribute, 0.5));
        });
        assert!(matches!(factor, NodeError::Operand { index: 0, .. }), "{factor}");
    }
    let short_bias = node_error(QDQ, |g| {
        node(g, "Gemm").attribute.push(float_attribute("alpha", 0.5));
        let bias = node(g, "Gemm").input[2].clone();
        let dequantize = g.node.iter_mut().find(|node| node.output[0] == bias).expect("a node");
        let [integers, scales, _] = &*dequantize.input.split_off(0) else { panic!("two scales") };
        dequantize.input = vec![integers.clone(), scales.clone()];
        for tensor in &mut g.initializer {
            if tensor.name.as_ref() == Some(integers) {
                set_integers(tensor, data_type::INT32, &[2], &[1, 2]);
            } else if tensor.name.as_ref() == Some(scales) {
                set_floats(tensor, &[0.5, 0.25]);
            }
        }
    });
    assert_eq!(short_bias, NodeError::OperandShape { index: 2, expected: 6, got: 2 });
    let of_another_type = node_error(QDQ, |g| {
        let attribute = int_attribute("alpha", 1);
        node(g, "Gemm").attribute.push(attribute);
    });
    let expected =
        NodeError::AttributeType { attribute: "alpha".to_owned(), got: attribute_type::INT };
    assert_eq!(of_another_type, expected);
    let flattened = node_error(SHAPES, |g| {
        node(g, "Flatten").attribute[0] = int_attribute("axis", 2);
    });
    // Its rows are too short for the QGemm behind.
    assert_eq!(flattened, NodeError::OperandShape { index: 0, expected: 24, got: 2 });
    let flattened = node_error(SHAPES, |g| {
        node(g, "Flatten").attribute[0] = int_attribute("axis", 9);
    });
    let expected = NodeError::AttributeValue { attribute: "axis", value: 9.0 };
    assert_eq!(flattened, expected);
}

#[test]
fn constants_in_attributes_that_are_malformed() {
    let found = node_error(SHAPES, |g| {
        let tensor = g.node[0].attribute[0].t.as_mut().expect("a tensor");
        tensor.data_type = Some(16);
    });
    assert_eq!(found, NodeError::Constant(TensorError::ElementType { got: 16 }));
}

#[test]
fn inputs_and_outputs_of_nodes() {
    let many = node_error(CLIP, |g| g.node[0].input.push("x".to_owned()));
    assert_eq!(many, NodeError::TooManyInputs { most: 3, got: 4 });
    let missing = node_error(QGEMM, |g| g.node[0].input[3].clear());
    assert_eq!(missing, NodeError::MissingInput { index: 3 });
    let missing = node_error(QGEMM, |g| g.node[0].input.truncate(8));
    assert_eq!(missing, NodeError::MissingInput { index: 8 });
    let undefined = node_error(QGEMM, |g| g.node[0].input[3] = "none".to_owned());
    assert_eq!(undefined, NodeError::UndefinedInput { index: 3 });
    let outputs = node_error(QGEMM, |g| g.node[0].output.push("more".to_owned()));
    assert_eq!(outputs, NodeError::OutputCount { got: 2 });
    let redefined = node_error(QGEMM, |g| g.node[0].output[0] = "x".to_owned());
    assert_eq!(redefined, NodeError::Redefined);
    // A value that no node reads any more.
    let redefined = node_error(SHAPES, |g| {
        let first = g.node[0].output[0].clone();
        let last = g.node.last_mut().expect("nodes");
        assert!(!last.input.contains(&first));
        last.output[0] = first;
    });
    assert_eq!(redefined, NodeError::Redefined);
}

#[test]
fn activations_where_weights_are_expected() {
    let found = node_error(QLINEAR, |g| g.node[0].input[3] = "x".to_owned());
    // Zero points of columns are those of weights.
    assert_eq!(found, NodeError::OperandShape { index: 5, expected: 1, got: 5 });
    let floats = node_error(QDQ, |g| {
        let x = node(g, "Gemm").input[0].clone();
        node(g, "Gemm").input[1] = x;
    });
    let expected =
        NodeError::Operand { index: 1, expected: "constant weights, dequantized or of few values" };
    assert_eq!(floats, expected);
}

#[test]
fn operand_types_and_shapes() {
    let weights = node_error(QLINEAR, |g| {
        set_integers(constant(g, "QLinearMatMul", 3), data_type::INT32, &[1], &[0]);
    });
    assert_eq!(weights, NodeError::OperandType { index: 3 });
    let zero = node_error(QLINEAR, |g| {
        set_integers(constant(g, "QLinearMatMul", 2), data_type::INT8, &[], &[0]);
    });
    assert_eq!(zero, NodeError::OperandType { index: 2 });
    let rank = node_error(QLINEAR, |g| constant(g, "QLinearMatMul", 3).dims = vec![80]);
    let shape = |index, expected, got| NodeError::OperandShape { index, expected, got };
    assert_eq!(rank, shape(3, 2, 1));
    let depth = node_error(QLINEAR, |g| {
        constant(g, "QLinearMatMul", 3).dims = vec![8, 10];
        set_floats(constant(g, "QLinearMatMul", 4), &[1.0]);
        set_integers(constant(g, "QLinearMatMul", 5), data_type::UINT8, &[10], &[0; 10]);
    });
    assert_eq!(depth, shape(0, 8, 16));
    let scales = node_error(QLINEAR, |g| {
        set_floats(constant(g, "QLinearMatMul", 4), &[1.0; 3]);
    });
    assert_eq!(scales, shape(4, 5, 3));
    let two = node_error(QLINEAR, |g| {
        set_floats(constant(g, "QLinearMatMul", 1), &[1.0; 2]);
    });
    assert_eq!(two, shape(1, 1, 2));
}

#[test]
fn scales_that_are_no_positive_numbers() {
    for value in [0.0, -1.0, f32::INFINITY] {
        let found = node_error(QLINEAR, |g| {
            set_floats(constant(g, "QLinearMatMul", 6), &[value]);
        });
        assert_eq!(found, NodeError::Scale { index: 6, value });
    }
    let found = node_error(QLINEAR, |g| {
        set_floats(constant(g, "QLinearMatMul", 6), &[f32::NAN]);
    });
    assert!(matches!(found, NodeError::Scale { index: 6, .. }));
    let vanishing = node_error(QLINEAR, |g| {
        set_floats(constant(g, "QLinearMatMul", 4), &[1e-30]);
        set_floats(constant(g, "QLinearMatMul", 6), &[1e30]);
    });
    let expected = NodeError::AccumulatorScale { column: 0, value: 0.0 };
    assert_eq!(vanishing, expected);
}

#[test]
fn accumulators_beyond_32_bits() {
    let found = node_error(QGEMM, |g| {
        let biases = [i32::MAX; 7];
        set_integers(constant(g, "QGemm", 6), data_type::INT32, &[7], &biases);
    });
    assert!(matches!(found, NodeError::AccumulatorRange { bound } if bound >= 1 << 31));
    // A bias that needs all 32 bits where these weights leave room for it, as channels without weights have.
    let mut model = parse(QGEMM);
    let biases = [i32::MAX - (1 << 24); 7];
    let bias = constant(graph(&mut model), "QGemm", 6);
    set_integers(bias, data_type::INT32, &[7], &biases);
    let model = Model::from_onnx(&model.encode_to_vec()).expect("a model");
    assert!(model.graph.weights.iter().any(|weights| weights.bias_bits == 32));
}

#[test]
fn biases_in_another_unit() {
    // The third DequantizeLinear is the bias's.
    let bias = |g: &mut GraphProto, input: usize| {
        let name = g.node[2].input[input].clone();
        g.initializer.iter().position(|t| t.name.as_ref() == Some(&name)).expect("an initializer")
    };
    let scale = node_error(QDQ, |g| {
        let at = bias(g, 1);
        set_floats(&mut g.initializer[at], &[0.5; 6]);
    });
    assert!(matches!(scale, NodeError::BiasScale { column: 0, got: 0.5, .. }));
    let zero_point = node_error(QDQ, |g| {
        let at = bias(g, 2);
        let values = [0, 0, 5, 0, 0, 0];
        set_integers(&mut g.initializer[at], data_type::INT32, &[6], &values);
    });
    let expected = NodeError::BiasZeroPoint { column: 2, value: 5 };
    assert_eq!(zero_point, expected);
}

#[test]
fn clips_without_a_range() {
    let found = node_error(QDQ, |g| set_floats(constant(g, "Clip", 1), &[1e9]));
    assert!(matches!(found, NodeError::ClipBounds { low: 1e9, .. }));
    let found = node_error(QDQ, |g| set_floats(constant(g, "Clip", 1), &[f32::NAN]));
    assert!(matches!(found, NodeError::ClipBounds { .. }));
}

#[test]
fn reshapes_that_mix_the_batch() {
    let wrong = |axis, value| NodeError::Reshape { axis, value };
    for (shape, expected) in [
        (&[2, 24][..], wrong(0, 2)),
        (&[], wrong(0, 0)),
        (&[-1, -1], wrong(0, -1)),
        (&[0, 5, -1], wrong(1, 5)),
        (&[0, 2, 3, 4, 0], wrong(4, 0)),
        (&[0, -2], wrong(1, -2)),
        (&[0, i64::MAX, i64::MAX], wrong(1, i64::MAX)),
    ] {
        assert_eq!(node_error(SHAPES, |g| target(g, shape)), expected);
    }
}

#[test]
fn rows_of_the_input_that_cross_each_other() {
    // The input's 24 elements as rows of 12, and as rows of 8 that are no part of those.
    let found = node_error(SHAPES, |g| {
        let input = g.input[0].r#type.as_mut().and_then(|t| t.tensor_type.as_mut());
        let dims = &mut input.and_then(|t| t.shape.as_mut()).expect("a shape").dim;
        dims.truncate(2);
        dims[1].dim_value = Some(24);
        target(g, &[0, 2, 12]);
        let flatten = node(g, "Flatten");
        flatten.op_type = Some("Identity".to_owned());
        flatten.attribute.clear();
        let mut weights = constant(g, "QGemm", 3).clone();
        let matmul = |g: &mut GraphProto, weights: &mut TensorProto, k: i64, x: &str| {
            weights.dims = vec![k, 2];
            weights.name = Some(format!("narrow{k}"));
            weights.int32_data.clear();
            weights.raw_data = Some((0..2 * k).map(|i| i as u8 * 9).collect());
            g.initializer.push(weights.clone());
            let of = node(g, "QGemm").clone();
            let at = |index: usize| of.input[index].clone();
            let scale = at(1);
            NodeProto {
                op_type: Some("QLinearMatMul".to_owned()),
                input: vec![
                    x.to_owned(),
                    at(1),
                    at(2),
                    format!("narrow{k}"),
                    scale.clone(),
                    at(5),
                    scale,
                    at(8),
                ],
                output: vec![format!("product{k}")],
                ..Default::default()
            }
        };
        let x = node(g, "QGemm").input[0].clone();
        let first = matmul(g, &mut weights, 12, &x);
        let codes = node(g, "QuantizeLinear").output[0].clone();
        let reshape = NodeProto {
            op_type: Some("Reshape".to_owned()),
            input: vec![codes, "other".to_owned()],
            output: vec!["reshaped".to_owned()],
            ..Default::default()
        };
        g.initializer.push(TensorProto {
            dims: vec![3],
            data_type: Some(data_type::INT64),
            int64_data: vec![0, 3, 8],
            name: Some("other".to_owned()),
            ..Default::default()
        });
        let second = matmul(g, &mut weights, 8, "reshaped");
        let at = g.node.iter().position(|n| n.op_type.as_deref() == Some("QGemm"));
        g.node.truncate(at.expect("a QGemm"));
        g.node.extend([first, reshape, second]);
    });
    assert_eq!(found, NodeError::Regrouping { features: 8, rows_hold: 12 });
}

#[test]
fn quantizations_that_onnx_runtime_would_merge() {
    // The fixture's DequantizeLinear - QuantizeLinear, behind another QuantizeLinear.
    let change = |g: &mut GraphProto| {
        let input = g.input[0].r#type.as_mut().expect("a type");
        input.tensor_type.as_mut().expect("a tensor").elem_type = Some(data_type::FLOAT);
        let mut first = g.node[0].clone();
        first.op_type = Some("QuantizeLinear".to_owned());
        first.output[0] = "codes".to_owned();
        g.node[0].input[0] = "codes".to_owned();
        g.node.insert(0, first);
    };
    assert_eq!(node_error(REQUANTIZED, change), NodeError::DoubleQuantization);
}

#[test]
fn inputs_that_are_quantized_in_two_ways() {
    let found = node_error(SHAPES, |g| {
        let mut again = node(g, "QuantizeLinear").clone();
        again.output[0] = "again".to_owned();
        again.input.pop();
        g.node.push(again);
    });
    assert_eq!(found, NodeError::InputQuantizedTwice);
}

#[test]
fn nodes_that_nothing_reads_are_left_out() {
    let mut model = parse(SHAPES);
    let expected = Model::from_onnx(SHAPES).expect("a fixture");
    let mut again = node(graph(&mut model), "QGemm").clone();
    again.output[0] = "again".to_owned();
    graph(&mut model).node.push(again);
    let found = Model::from_onnx(&model.encode_to_vec());
    assert_eq!(found, Ok(expected));
}
