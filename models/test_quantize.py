"""Tests of quantize.py on small models: `python -m unittest` in this folder, with numpy, onnx and onnxruntime."""

import pathlib
import sys
import tempfile
import unittest

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import parts
import quantize
import weights

RNG = np.random.default_rng(3)


def floats(*shape):
    return RNG.normal(0, 1, shape).astype(np.float32)


def model(nodes, constants, shape, output="y", opset=17):
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)]
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    graph = helper.make_graph([helper.make_node(*node[:3], f"n{at}", **node[3]) for at, node in enumerate(nodes)], "g", inputs, outputs, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def run(model, x):
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]


def integers(model):
    return {numpy_helper.to_array(tensor).tobytes() for tensor in model.graph.initializer if tensor.data_type in (TensorProto.INT8, TensorProto.UINT8) and np.prod(tensor.dims) > 8}


class Weights(unittest.TestCase):
    def quantized(self, source, **options):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            onnx.save(source, folder / "a.onnx")
            quantization.quantize_dynamic(folder / "a.onnx", folder / "b.onnx", **options)
            dynamic = onnx.load(folder / "b.onnx")
            x = floats(32, *[dim.dim_value for dim in source.graph.input[0].type.tensor_type.shape.dim[1:]])
            quantize.quantize(folder / "b.onnx", folder / "c.onnx", [{"x": sample[None]} for sample in x])
            return dynamic, onnx.load(folder / "c.onnx"), x

    def test_integers_scales_and_zero_points_stay(self):
        nodes = [
            ("Conv", ["x", "w", "b"], ["c"], {}), ("Flatten", ["c"], ["f"], {}),
            ("Gemm", ["f", "v", "u"], ["h"], {"transB": 1}), ("MatMul", ["h", "m"], ["y"], {}),
        ]  # fmt: skip
        source = model(nodes, {"w": floats(4, 2, 3, 3), "b": floats(4), "v": floats(6, 36), "u": floats(6), "m": floats(6, 5)}, ["n", 2, 5, 5])
        for weight_type in (quantization.QuantType.QInt8, quantization.QuantType.QUInt8):
            for per_channel in (False, True):
                before, after, x = self.quantized(source, weight_type=weight_type, per_channel=per_channel)
                self.assertEqual(len(integers(before)), 3)
                self.assertTrue(integers(before) <= integers(after))
                a, b = (run(of, x).ravel() for of in (before, after))
                self.assertGreater(a @ b / np.linalg.norm(a) / np.linalg.norm(b), 0.999)

    def test_floats_of_a_weight_are_those_of_dequantize_linear(self):
        for axis, scale, zero in ((1, floats(5) ** 2, RNG.integers(-9, 9, 5)), (0, floats(3) ** 2, RNG.integers(-9, 9, 3)), (0, floats(1) ** 2, [4])):
            q, scale, zero = RNG.integers(-128, 128, (3, 5)).astype(np.int8), np.squeeze(scale), np.squeeze(np.array(zero, np.int8))
            nodes = [("DequantizeLinear", ["q", "s", "z"], ["d"], {"axis": axis}), ("Add", ["d", "x"], ["y"], {})]
            theirs = run(model(nodes, {"q": q, "s": scale, "z": zero}, [1]), np.zeros(1, np.float32))
            kept = weights.Kept(q, scale.reshape(-1), zero.reshape(-1), axis)
            np.testing.assert_array_equal(kept.floats(), theirs)
            np.testing.assert_array_equal(kept.transposed().floats(), theirs.T)


class Parts(unittest.TestCase):
    def test_normalizations_in_their_parts_are_joined(self):
        layer = [
            ("ReduceMean", ["x"], ["m"], {"axes": [-1]}), ("Sub", ["x", "m"], ["c"], {}), ("Pow", ["c", "two"], ["q"], {}),
            ("ReduceMean", ["q"], ["v"], {"axes": [-1]}), ("Add", ["v", "e"], ["w"], {}), ("Sqrt", ["w"], ["r"], {}),
            ("Div", ["c", "r"], ["d"], {}), ("Mul", ["d", "gamma"], ["g"], {}), ("Add", ["g", "beta"], ["y"], {}),
        ]  # fmt: skip
        root = [
            ("Mul", ["x", "x"], ["q"], {}), ("ReduceMean", ["q"], ["v"], {"axes": [-1]}), ("Add", ["v", "e"], ["w"], {}),
            ("Sqrt", ["w"], ["r"], {}), ("Reciprocal", ["r"], ["i"], {}), ("Mul", ["x", "i"], ["d"], {}), ("Mul", ["d", "gamma"], ["y"], {}),
        ]  # fmt: skip
        constants = {"two": np.float32(2), "e": np.float32(1e-5), "gamma": floats(6), "beta": floats(6)}
        for nodes, operator in ((layer, "LayerNormalization"), (root, "SimplifiedLayerNormalization")):
            source = model(nodes, constants, ["n", 4, 6])
            x = floats(3, 4, 6)
            before = run(source, x)
            parts.join_normalizations(source)
            self.assertEqual([node.op_type for node in source.graph.node], [operator])
            np.testing.assert_allclose(run(source, x), before, atol=1e-5)

    def test_a_gemm_of_a_tensor_is_a_sum(self):
        nodes = [("MatMul", ["x", "w"], ["a"], {}), ("Gemm", ["a", "w", "x"], ["y"], {})]
        source, x = model(nodes, {"w": floats(6, 6)}, ["n", 6]), floats(3, 6)
        before = run(source, x)
        parts.split_sums(source)
        self.assertEqual([node.op_type for node in source.graph.node], ["MatMul", "MatMul", "Add"])
        np.testing.assert_allclose(run(source, x), before, atol=1e-4)

    def test_a_gather_of_all_elements_is_a_reshape(self):
        nodes = [("Flatten", ["x"], ["f"], {"axis": 2}), ("Gather", ["f", "i"], ["y"], {})]
        for places, left in ((np.arange(6), ["Reshape"]), (np.arange(6)[::-1], ["Flatten", "Gather"])):
            source, x = model(nodes, {"i": places.reshape(1, 1, 1, 6)}, [1, 6]), floats(1, 6)
            before = run(source, x)
            parts.drop_guards(source)
            self.assertEqual([node.op_type for node in source.graph.node], left)
            np.testing.assert_array_equal(run(source, x), before)

    def test_rows_of_rows_are_those_of_one_table(self):
        nodes = [
            ("Cast", ["x"], ["i"], {"to": TensorProto.INT64}), ("GatherElements", ["numbers", "i"], ["t"], {"axis": 1}),
            ("Gather", ["table", "t"], ["r"], {}), ("Add", ["r", "b"], ["y"], {}),
        ]  # fmt: skip
        for numbers, left in (([[1, 0, 1, 1]], ["Cast", "Gather", "Add"]), ([[1, 1, 1, 1]], ["Identity", "Add"])):
            source, x = model(nodes, {"numbers": np.array(numbers), "table": floats(2, 5), "b": floats(1, 3, 5)}, [1, 3]), np.float32([[3, 1, 0]])
            before = run(source, x)
            parts.join_tables(source)
            self.assertEqual([node.op_type for node in source.graph.node], left)
            np.testing.assert_array_equal(run(source, x), before)

    def test_biases_are_parted_from_masks(self):
        least, seen = np.finfo(np.float32).min, np.tri(4, dtype=bool)
        biases = floats(4, 4)
        chosen = [("Where", ["seen", "biases", "least"], ["m"], {})]
        sums = [("MatMul", ["x", "w"], ["s"], {}), ("Add", ["s", "m"], ["a"], {}), ("Softmax", ["a"], ["y"], {})]
        constants = {"w": floats(4, 4), "seen": seen, "biases": biases, "least": least}
        for nodes, more in ((chosen + sums, {}), (sums, {"m": np.where(seen, biases, least).astype(np.float32)})):
            source, x = model(nodes, {**constants, **more}, ["n", 4, 4]), floats(2, 4, 4)
            before = run(source, x)
            parts.regroup(source)
            self.assertEqual([node.op_type for node in source.graph.node if node.op_type == "Add"], ["Add", "Add"])
            np.testing.assert_allclose(run(source, x), before, atol=1e-6)
            # The biases are rounded, the mask is not.
            self.assertEqual(len([name for name in parts.left_alone(source) if "biased" in name]), 0)

    def test_functions_of_one_tensor_are_left_alone(self):
        nodes = [
            ("MatMul", ["x", "w"], ["a"], {}), ("Sigmoid", ["a"], ["s"], {}), ("Mul", ["a", "s"], ["b"], {}),
            ("MatMul", ["b", "w"], ["c"], {}), ("Relu", ["c"], ["d"], {}), ("MatMul", ["d", "w"], ["y"], {}),
        ]  # fmt: skip
        self.assertEqual(parts.left_alone(model(nodes, {"w": floats(6, 6)}, ["n", 6])), ["n1", "n2"])


if __name__ == "__main__":
    unittest.main()
