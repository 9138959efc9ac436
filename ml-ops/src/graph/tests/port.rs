//! Ports: quantization, leading dimensions, and each way in which an array does not fit.

use super::super::port::quantize;
use super::super::*;
use super::graph;
use crate::array::{Array, ArrayData, ArrayError, ElementType};

fn floats(shape: &[usize], value: f32) -> Array {
    let data = ArrayData::F32(vec![value; shape.iter().product()]);
    Array::new(shape.to_vec(), data).expect("a shape that fits")
}

fn encode(array: &Array) -> Result<(Values, Batch), PortError> {
    let graph = graph();
    graph.input.encode(&graph.tensors[0], array)
}

/// A dequantizing port over a 1 x 3 tensor.
fn output() -> (OutputPort, TensorShape) {
    let port = OutputPort {
        tensor: 0,
        shape: vec![3],
        transform: OutputTransform::Dequantize { scale: 0.1, zero_point: 3, dtype: CodeType::I8 },
    };
    let shape = TensorShape { rows_per_sample: 1, features: 3, kind: TensorKind::Code };
    (port, shape)
}

const TWO: Batch = Batch { size: 2, stacked: false };

#[test]
fn arrays_have_as_many_elements_as_their_shape() {
    let data = || ArrayData::U8(vec![0; 5]);
    assert_eq!(Array::new(vec![2, 3], data()), Err(ArrayError::Length { expected: 6, got: 5 }));
    assert_eq!(Array::new(vec![usize::MAX, 3], data()), Err(ArrayError::Overflow { rank: 2 }));
    assert!(ArrayData::I64(vec![]).is_empty());
}

#[test]
fn inputs_are_quantized_and_transposed() {
    let data = (0..12).map(|i| i as f32 * 0.25).collect();
    let array = Array::new(vec![2, 2, 3], ArrayData::F32(data)).expect("12 elements");
    let (values, batch) = encode(&array).expect("a batch of two");
    assert_eq!(batch, TWO);
    let expected = [100, 103, 106, 109, 101, 104, 107, 110, 102, 105, 108, 111u8];
    assert_eq!(values.as_codes(), Some(&expected[..]));
    assert_eq!((values.len(), values.is_empty()), (12, false));
    assert_eq!(values.as_integers(), None);
}

#[test]
fn quantization_saturates_and_rounds_to_even() {
    let q = |x| quantize(x, 0.5, 10, CodeType::U8);
    let inputs = [f32::INFINITY, f32::NEG_INFINITY, 1e30, 0.25, 0.75, -0.25];
    assert_eq!(inputs.map(q), [255, 0, 255, 10, 12, 10]);
    assert_eq!(quantize(-1e9, 0.5, -3, CodeType::I8), 0);
}

#[test]
fn leading_dimensions_are_the_batch() {
    let batch = |shape: &[usize]| encode(&floats(shape, 0.0)).map(|(_, batch)| batch);
    assert_eq!(batch(&[2, 2, 3]), Ok(TWO));
    let stacked = Batch { size: 2, stacked: true };
    assert_eq!(batch(&[2, 1, 2, 3]), Ok(stacked));
    for shape in [&[2, 3][..], &[2, 2, 2, 3], &[12], &[2, 3, 2], &[]] {
        let error = PortError::Shape {
            sample_rank: 2,
            sample_elements: 6,
            got_rank: shape.len(),
            got_elements: shape.iter().product(),
        };
        assert_eq!(batch(shape), Err(error));
    }
    assert_eq!(batch(&[0, 2, 3]), Err(PortError::EmptyBatch));
}

#[test]
fn inputs_have_the_port_s_type_and_are_numbers() {
    let array = Array::new(vec![1, 2, 3], ArrayData::I8(vec![0; 6])).expect("6 elements");
    let error = PortError::ElementType { expected: ElementType::F32, got: ElementType::I8 };
    assert_eq!(encode(&array), Err(error));
    assert_eq!(encode(&floats(&[1, 2, 3], f32::NAN)), Err(PortError::NotANumber { index: 0 }));
}

#[test]
fn outputs_round_trip_in_every_type() {
    let (mut port, mut shape) = output();
    let codes = Values::Codes(vec![0, 255, 7, 131, 128, 130]);
    for transform in [
        port.transform,
        OutputTransform::Codes { dtype: CodeType::U8 },
        OutputTransform::Codes { dtype: CodeType::I8 },
    ] {
        port.transform = transform.clone();
        let array = port.decode(&shape, &codes, TWO).expect("6 codes");
        assert_eq!(array.shape(), [2, 3]);
        assert_eq!(array.data().element_type(), transform.element_type());
        assert_eq!(port.encode(&shape, &array, TWO), Ok(codes.clone()));
    }
    shape.kind = TensorKind::Integer { bits: 20 };
    let integers = Values::Integers(vec![1, -2, 3, -4, 5, 1 << 18]);
    for dtype in [IntegerType::I32, IntegerType::I64] {
        port.transform = OutputTransform::Integer { dtype };
        let array = port.decode(&shape, &integers, TWO).expect("6 integers");
        assert_eq!(array.data().element_type(), port.transform.element_type());
        assert_eq!(port.encode(&shape, &array, TWO), Ok(integers.clone()));
    }
}

#[test]
fn output_floats_are_images_of_codes() {
    let (port, shape) = output();
    let encode = |value| port.encode(&shape, &floats(&[2, 3], value), TWO);
    assert_eq!(encode(0.0), Ok(Values::Codes(vec![131; 6])));
    assert_eq!(encode(4.0 * 0.1), Ok(Values::Codes(vec![135; 6])));
    let next = f32::from_bits((4.0f32 * 0.1).to_bits() + 1);
    for value in [f32::NAN, -0.0, next, 1e9, f32::NEG_INFINITY] {
        assert_eq!(encode(value), Err(PortError::NoSuchOutput { index: 0 }));
    }
}

#[test]
fn output_integers_fit_their_tensor() {
    let (mut port, mut shape) = output();
    shape.kind = TensorKind::Integer { bits: 8 };
    port.transform = OutputTransform::Integer { dtype: IntegerType::I64 };
    let array = Array::new(vec![1, 3], ArrayData::I64(vec![127, -128, 128])).expect("3 elements");
    let one = Batch { size: 1, stacked: false };
    let error = PortError::NoSuchOutput { index: 2 };
    assert_eq!(port.encode(&shape, &array, one), Err(error));
}

#[test]
fn output_batches_are_the_input_s() {
    let (port, shape) = output();
    let error = |got| PortError::Batch { expected: 2, got };
    let three = port.encode(&shape, &floats(&[3, 3], 0.0), TWO);
    assert_eq!(three, Err(error(3)));
    let stacked = port.encode(&shape, &floats(&[2, 1, 3], 0.0), TWO);
    assert_eq!(stacked, Err(error(2)));
    let bytes = Array::new(vec![2, 3], ArrayData::U8(vec![0; 6])).expect("6 elements");
    let error = PortError::ElementType { expected: ElementType::F32, got: ElementType::U8 };
    assert_eq!(port.encode(&shape, &bytes, TWO), Err(error));
}

#[test]
fn only_tensors_of_the_port_decode() {
    let (mut port, shape) = output();
    let short = port.decode(&shape, &Values::Codes(vec![0; 5]), TWO);
    let error = |got| PortError::Values { expected: 6, got };
    assert_eq!(short, Err(error(5)));
    let integers = Values::Integers(vec![0, 0, 1 << 40, 0, 0, 0]);
    assert_eq!(port.decode(&shape, &integers, TWO), Err(error(6)));
    port.transform = OutputTransform::Integer { dtype: IntegerType::I32 };
    assert_eq!(port.decode(&shape, &integers, TWO), Err(PortError::IntegerRange { index: 2 }));
}

#[test]
fn levels_are_numbered_and_others_refused() {
    let mut graph = graph();
    graph.input.transform = InputTransform::Levels { low: -1.0, high: 1.0 };
    let of = |value: f32| {
        let array = floats(&[1, 2, 3], value);
        graph.input.encode(&graph.tensors[0], &array).map(|(values, _)| values)
    };
    for code in [0u8, 1, 127, 128, 200, 255] {
        // Two ways in which pixels are scaled.
        for value in [f32::from(code) / 127.5 - 1.0, (f32::from(code) / 255.0 - 0.5) / 0.5] {
            assert_eq!(of(value), Ok(Values::Codes(vec![code; 6])), "{value}");
        }
    }
    for value in [0.0, 1.01, -1.01, 0.5, f32::INFINITY] {
        assert_eq!(of(value), Err(PortError::NoLevel { index: 0 }), "{value}");
    }
    assert_eq!(of(f32::NAN), Err(PortError::NotANumber { index: 0 }));
}

/// A batch is its samples one after the other, whatever the port makes of them: a port that mixed them would have
/// outputs proved that no sample has.
#[test]
fn batches_are_their_samples() {
    let (dtype, word) = (CodeType::U8, WordType::U16);
    let floats = |of: fn(u8) -> f32| ArrayData::F32((0..12).map(of).collect());
    let bytes = || ArrayData::U8((0..12).map(|i| 20 * i).collect());
    let words = || ArrayData::U16((0..12).map(|i| 5000 * i).collect());
    let numbers = |count: i64| ArrayData::I64((0..12).map(|i| i * i / 5 % count).collect());
    let quantize = InputTransform::Quantize { scale: 0.5, zero_point: 3, dtype };
    let add = FloatOperation { operator: FloatOperator::Add, numbers: vec![1.0], run: 1 };
    let ports = [
        (InputTransform::Codes { dtype }, bytes()),
        (InputTransform::Words { dtype: word }, words()),
        (quantize.clone(), floats(f32::from)),
        (
            InputTransform::QuantizeWords { scale: 0.5, zero_point: 3, dtype: word },
            floats(f32::from),
        ),
        (
            InputTransform::Levels { low: -1.0, high: 1.0 },
            floats(|i| f32::from(20 * i) / 127.5 - 1.0),
        ),
        (
            InputTransform::Computed { operations: vec![add], then: Box::new(quantize) },
            floats(f32::from),
        ),
        (InputTransform::Numbers { count: 11 }, numbers(11)),
        (InputTransform::OneHot { vocabulary: 3 }, numbers(3)),
    ];
    for (transform, data) in ports {
        let one_hot = matches!(transform, InputTransform::OneHot { .. });
        // Samples of two rows; of one-hot rows each number is one.
        let (rows, features) = if one_hot { (6, 3) } else { (2, 3) };
        let wide = matches!(
            transform,
            InputTransform::Words { .. } | InputTransform::QuantizeWords { .. }
        );
        let kind = if wide { TensorKind::Integer { bits: 17 } } else { TensorKind::Code };
        let tensor = TensorShape { rows_per_sample: rows, features, kind };
        let port = InputPort { tensor: 0, shape: vec![6], transform };
        let values = |samples: core::ops::Range<usize>| -> Vec<i64> {
            let at = 6 * samples.start..6 * samples.end;
            let data = match &data {
                ArrayData::U8(v) => ArrayData::U8(v[at].to_vec()),
                ArrayData::U16(v) => ArrayData::U16(v[at].to_vec()),
                ArrayData::I64(v) => ArrayData::I64(v[at].to_vec()),
                ArrayData::F32(v) => ArrayData::F32(v[at].to_vec()),
                other => panic!("{other:?}"),
            };
            let array = Array::new(vec![samples.len(), 6], data).expect("whole samples");
            match port.encode(&tensor, &array).expect("values of the port").0 {
                Values::Codes(codes) => codes.into_iter().map(i64::from).collect(),
                Values::Integers(integers) => integers,
            }
        };
        let (both, each) = (values(0..2), [values(0..1), values(1..2)]);
        assert_ne!(each[0], each[1]);
        let of_each: Vec<i64> = (0..features)
            .flat_map(|feature| {
                each.iter().flat_map(move |sample| sample[feature * rows..][..rows].to_vec())
            })
            .collect();
        assert_eq!(both, of_each, "{:?}", port.transform);
    }
}

#[test]
fn floats_are_computed_before_they_are_quantized() {
    let mut graph = graph();
    let dtype = CodeType::U8;
    let quantize = InputTransform::Quantize { scale: 0.5, zero_point: 3, dtype };
    let operation = |operator, numbers: &[f32], run| FloatOperation {
        operator,
        numbers: numbers.to_vec(),
        run,
    };
    let computed = |operations: &[FloatOperation], then: &InputTransform| {
        let operations = operations.to_vec();
        InputTransform::Computed { operations, then: Box::new(then.clone()) }
    };
    // Of samples of 6: a number for each half, one for each third of a half, and one for all.
    let operations = [
        operation(FloatOperator::Add, &[1.0, -1.0], 3),
        operation(FloatOperator::Mul, &[1.0, 2.0, 3.0], 1),
        operation(FloatOperator::Div, &[0.5], 1),
        operation(FloatOperator::AtLeast, &[-1.0], 6),
        operation(FloatOperator::AtMost, &[30.0], 2),
        operation(FloatOperator::Round, &[-0.5], 1),
    ];
    graph.input.transform = computed(&operations, &quantize);
    assert_eq!(graph.validate(), Ok(()));
    assert_eq!(graph.input.transform.element_type(), ElementType::F32);
    let encode = |graph: &Graph, values: [f32; 6]| {
        let array = Array::new(vec![1, 2, 3], ArrayData::F32(values.to_vec()));
        graph.input.encode(&graph.tensors[0], &array.expect("a sample")).map(|(values, _)| values)
    };
    let floats: [f32; 6] = [0.25, 0.1, -3.0, 4.125, f32::INFINITY, -7.0];
    let expected =
        [(1.25, 1.0), (1.1, 2.0), (-2.0, 3.0), (3.125, 1.0), (f32::INFINITY, 2.0), (-8.0, 3.0)]
            .map(|(x, factor): (f32, f32)| {
                (x * factor / 0.5).clamp(-1.0, 30.0).round_ties_even() - 0.5
            })
            .map(|x| ((x / 0.5).round_ties_even() + 3.0).clamp(0.0, 255.0) as u8);
    let plain = |codes: [u8; 6]| {
        let mut graph = graph.clone();
        graph.input.transform = InputTransform::Codes { dtype };
        let array = Array::new(vec![1, 2, 3], ArrayData::U8(codes.to_vec()));
        graph.input.encode(&graph.tensors[0], &array.expect("a sample")).map(|(values, _)| values)
    };
    assert_eq!(encode(&graph, floats), plain(expected));
    for index in 0..6 {
        let mut floats = floats;
        floats[index] = f32::NAN;
        assert_eq!(encode(&graph, floats), Err(PortError::NotANumber { index }));
    }
    // Infinity times zero is no number.
    let zero = [operation(FloatOperator::Mul, &[0.0], 1)];
    graph.input.transform = computed(&zero, &quantize);
    assert_eq!(encode(&graph, floats), Err(PortError::NotANumber { index: 4 }));
    let wrong = [
        operation(FloatOperator::Add, &[1.0; 4], 1),
        operation(FloatOperator::Add, &[1.0; 2], 2),
        operation(FloatOperator::Add, &[], 1),
        operation(FloatOperator::Add, &[1.0], 0),
        operation(FloatOperator::Add, &[1.0; 2], usize::MAX),
        operation(FloatOperator::Add, &[f32::NAN], 1),
        operation(FloatOperator::Div, &[0.0], 1),
    ];
    for operation in wrong {
        graph.input.transform = computed(&[operation], &quantize);
        assert_eq!(graph.validate(), Err(GraphError::PortScale { tensor: 0 }));
    }
    for then in [InputTransform::Codes { dtype }, computed(&[], &quantize)] {
        graph.input.transform = computed(&operations, &then);
        assert_eq!(graph.validate(), Err(GraphError::PortScale { tensor: 0 }));
    }
}

#[test]
fn affine_outputs_round_trip_and_others_are_refused() {
    let (mut port, mut shape) = output();
    shape.kind = TensorKind::Integer { bits: 12 };
    let (scales, offsets) = (vec![0.1, -3.0, 1e-3], vec![7.0, 0.0, -0.5]);
    port.transform = OutputTransform::Affine { scales, offsets };
    let values = Values::Integers(vec![1, -2, 3, -4, 5, 2047]);
    let array = port.decode(&shape, &values, TWO).expect("6 integers");
    let expected =
        [0.1f32 + 7.0, -9.0, 5.0 * 1e-3 - 0.5, -2.0 * 0.1 + 7.0, 12.0, 2047.0 * 1e-3 - 0.5];
    assert_eq!(array.data(), &ArrayData::F32(expected.to_vec()));
    assert_eq!(port.encode(&shape, &array, TWO), Ok(values));
    for (value, index) in [(7.05, 0), (1e30, 0), (f32::NAN, 0), (7.1, 1)] {
        let found = port.encode(&shape, &floats(&[2, 3], value), TWO);
        assert_eq!(found, Err(PortError::NoSuchOutput { index }), "{value}");
    }
    // Of integers that are too large, some have the float of another.
    shape.kind = TensorKind::Integer { bits: 32 };
    port.transform = OutputTransform::Affine { scales: vec![0.1], offsets: vec![0.0] };
    for value in [(1 << 23) - 1, 1 - (1 << 23)] {
        let values = Values::Integers(vec![0, 1, value, 2, 3, 4]);
        let array = port.decode(&shape, &values, TWO).expect("floats of their own");
        assert_eq!(port.encode(&shape, &array, TWO), Ok(values));
    }
    for value in [(1 << 24) + 1, -(1 << 31)] {
        let values = Values::Integers(vec![0, 1, value, 2, 3, 4]);
        assert_eq!(port.decode(&shape, &values, TWO), Err(PortError::IntegerRange { index: 1 }));
    }
    // Of two zeros one is the image of a number.
    port.transform = OutputTransform::Affine { scales: vec![-3.0], offsets: vec![0.0] };
    let zeros = port.encode(&shape, &floats(&[2, 3], 0.0), TWO);
    assert_eq!(zeros, Ok(Values::Integers(vec![0; 6])));
    let others = port.encode(&shape, &floats(&[2, 3], -0.0), TWO);
    assert_eq!(others, Err(PortError::NoSuchOutput { index: 0 }));
}

#[test]
fn few_numbers_are_their_codes() {
    let mut graph = graph();
    graph.input.transform = InputTransform::Numbers { count: 3 };
    assert_eq!(graph.validate(), Ok(()));
    let encode = |data: ArrayData| {
        let array = Array::new(vec![1, 2, 3], data).expect("a sample");
        graph.input.encode(&graph.tensors[0], &array).map(|(values, _)| values)
    };
    let expected = Ok(Values::Codes(vec![2, 0, 1, 1, 0, 2]));
    assert_eq!(encode(ArrayData::I64(vec![2, 1, 0, 0, 1, 2])), expected);
    assert_eq!(encode(ArrayData::I32(vec![2, 1, 0, 0, 1, 2])), expected);
    assert_eq!(encode(ArrayData::U8(vec![2, 1, 0, 0, 1, 2])), expected);
    let error = |index, got| Err(PortError::Vocabulary { index, got, vocabulary: 3 });
    assert_eq!(encode(ArrayData::I64(vec![2, 1, 0, -1, 1, 2])), error(3, -1));
    assert_eq!(encode(ArrayData::U8(vec![2, 1, 0, 0, 1, 3])), error(5, 3));
    let (expected, got) = (ElementType::I64, ElementType::F32);
    let floats = encode(ArrayData::F32(vec![0.0; 6]));
    assert_eq!(floats, Err(PortError::ElementType { expected, got }));
}

#[test]
fn numbers_become_one_hot_rows() {
    let mut graph = graph();
    graph.input.shape = vec![2];
    graph.input.transform = InputTransform::OneHot { vocabulary: 3 };
    assert_eq!(graph.validate(), Ok(()));
    // Of the table only the rows that are looked up.
    assert_eq!(graph.macs_per_sample(), 2 * (4 + 4 * 2));
    assert_eq!(graph.input.transform.element_type(), ElementType::I64);
    let encode = |ids: &[i64]| {
        let array = Array::new(vec![ids.len() / 2, 2], ArrayData::I64(ids.to_vec()));
        graph.input.encode(&graph.tensors[0], &array.expect("pairs"))
    };
    let (values, batch) = encode(&[2, 0, 1, 2]).expect("two samples");
    assert_eq!(batch, TWO);
    assert_eq!(values, Values::Codes(vec![0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1]));
    for got in [3, -1, i64::MAX, i64::MIN] {
        let error = PortError::Vocabulary { index: 1, got, vocabulary: 3 };
        assert_eq!(encode(&[2, got]), Err(error));
    }
    let narrow = Array::new(vec![1, 2], ArrayData::I32(vec![1, 0])).expect("a pair");
    let found = graph.input.encode(&graph.tensors[0], &narrow).map(|(values, _)| values);
    assert_eq!(found, Ok(Values::Codes(vec![0, 1, 1, 0, 0, 0])));
    // Numbers are rows, and the vocabulary is all features.
    let wrong = Err(GraphError::PortShape { tensor: 0 });
    graph.input.shape = vec![2, 3];
    assert_eq!(graph.validate(), wrong);
    graph.input.shape = vec![3];
    graph.input.transform = InputTransform::OneHot { vocabulary: 2 };
    assert_eq!(graph.validate(), wrong);
}
