"""Tests of operators.py: each operator in its parts is what ONNX Runtime computes of the whole."""

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
import operators
import quantize

RNG = np.random.default_rng(7)
MICROSOFT = "com.microsoft"
TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64, np.dtype(np.int32): TensorProto.INT32, np.dtype(bool): TensorProto.BOOL}
TOKENS, WIDTH, HEADS = 6, 16, 4


def floats(*shape):
    return RNG.normal(0, 1, shape).astype(np.float32)


def model(operator, inputs, feed, domain=MICROSOFT, opset=20, outputs=("y",), **more):
    """A node of inputs that are names of `feed`, or constants, or left out."""
    names, constants = [], []
    for at, value in enumerate(inputs):
        if isinstance(value, str):
            names.append(value)
        else:
            names.append(f"c{at}")
            constants.append(numpy_helper.from_array(value, names[-1]))
    node = helper.make_node(operator, names, list(outputs), "n", domain=domain, **more)
    ports = [helper.make_tensor_value_info(name, TYPES[x.dtype], x.shape) for name, x in feed.items()]
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs if name]
    graph = helper.make_graph([node], "g", ports, made, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(MICROSOFT, 1)], ir_version=10)


def run(model, feed):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, feed)


def integers(path):
    """The constants of a file that are matrices of 8-bit integers."""
    arrays = (numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer)
    return [array for array in arrays if array.dtype.itemsize == 1 and array.ndim == 2]


class Operators(unittest.TestCase):
    def same(self, operator, inputs, feed, **more):
        whole = model(operator, inputs, feed, **more)
        before = run(whole, feed)
        operators.in_parts(whole, feed)
        self.assertNotIn(operator, [node.op_type for node in whole.graph.node if node.domain == more.get("domain", MICROSOFT)])
        for a, b in zip(before, run(whole, feed), strict=True):
            np.testing.assert_allclose(b, a, atol=2e-5)

    def refused(self, reason, operator, inputs, feed, **more):
        with self.assertRaisesRegex(SystemExit, f"n .{operator}.: .*{reason}"):
            operators.in_parts(model(operator, inputs, feed, **more), feed)

    def test_attention(self):
        joined = {"q": floats(2, TOKENS, WIDTH), "k": floats(2, TOKENS, WIDTH), "v": floats(2, TOKENS, WIDTH)}
        grouped = {"q": floats(2, TOKENS, WIDTH), "k": floats(2, 5, WIDTH // 2), "v": floats(2, 5, WIDTH // 2)}
        split = {"q": floats(2, HEADS, TOKENS, 4), "k": floats(2, 2, TOKENS, 4), "v": floats(2, 2, TOKENS, 4)}
        mask = np.tril(np.ones((TOKENS, TOKENS), bool))[None, None]
        own = {"domain": "", "opset": 23}
        names = ["q", "k", "v"]
        self.same("Attention", names, joined, q_num_heads=HEADS, kv_num_heads=HEADS, scale=0.7, **own)
        self.same("Attention", names, joined, q_num_heads=HEADS, kv_num_heads=HEADS, is_causal=1, **own)
        self.same("Attention", names, grouped, q_num_heads=HEADS, kv_num_heads=2, **own)
        self.same("Attention", names, split, is_causal=1, **own)
        self.same("Attention", [*names, mask], split, **own)
        self.same("Attention", [*names, floats(1, HEADS, TOKENS, TOKENS)], split, **own)
        flags = RNG.random((2, 1, TOKENS, TOKENS)) < 0.7
        flags[..., 0] = True
        self.same("Attention", [*names, "m"], {**split, "m": flags}, **own)
        self.refused("softcap", "Attention", names, split, softcap=30.0, **own)
        past = {"k0": floats(2, 2, 3, 4), "v0": floats(2, 2, 3, 4)}
        self.refused("use_cache=False", "Attention", [*names, "", "k0", "v0"], {**split, **past}, outputs=["y", "pk", "pv"], **own)
        self.refused("use_cache=False", "Attention", names, split, outputs=["y", "pk", "pv"], **own)

    def test_attention_of_features(self):
        feed = {"x": floats(2, TOKENS, WIDTH)}
        padded = {**feed, "m": np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]], np.int32)}
        weights, bias = floats(WIDTH, 3 * WIDTH), floats(3 * WIDTH)
        self.same("Attention", ["x", weights, bias], feed, num_heads=HEADS)
        self.same("Attention", ["x", weights, bias], feed, num_heads=HEADS, unidirectional=1, scale=0.3)
        self.same("Attention", ["x", weights, bias, "m"], padded, num_heads=HEADS)
        self.same("Attention", ["x", weights, bias, "", "", floats(1, HEADS, TOKENS, TOKENS)], feed, num_heads=HEADS)
        self.same("Attention", ["x", floats(WIDTH, 40), floats(40)], feed, num_heads=HEADS, qkv_hidden_sizes=[16, 16, 8])
        lengths = {**feed, "m": np.array([6, 3], np.int32)}
        self.refused("lengths in the place of a mask", "Attention", ["x", weights, bias, "m"], lengths, num_heads=HEADS)

    def test_integers_of_attention_stay(self):
        feed = {"x": floats(1, TOKENS, WIDTH)}
        whole = model("Attention", ["x", floats(WIDTH, 3 * WIDTH), floats(3 * WIDTH)], feed, opset=17, num_heads=HEADS)
        with tempfile.TemporaryDirectory() as name:
            a, b, c = (pathlib.Path(name) / f"{of}.onnx" for of in "abc")
            onnx.save(whole, a)
            quantization.quantize_dynamic(a, b)
            self.assertIn("QAttention", [node.op_type for node in onnx.load(b).graph.node])
            quantize.quantize(b, c, [{"x": floats(1, TOKENS, WIDTH)} for _ in range(16)])
            before = {numpy_helper.to_array(tensor).tobytes() for part in np.split(integers(b)[0], 3, 1) for tensor in [numpy_helper.from_array(part.copy())]}
            self.assertLessEqual(before, {of.tobytes() for of in integers(c)})
            x, y = (run(onnx.load(of), feed)[0].ravel() for of in (b, c))
        self.assertGreater(x @ y / np.linalg.norm(x) / np.linalg.norm(y), 0.99)

    def test_multi_head_attention(self):
        feed = {"q": floats(2, TOKENS, WIDTH), "k": floats(2, 5, WIDTH), "v": floats(2, 5, 8)}
        padded = {**feed, "m": np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.int32)}
        self.same("MultiHeadAttention", ["q", "k", "v"], feed, num_heads=HEADS)
        self.same("MultiHeadAttention", ["q", "k", "v", floats(40), "m"], padded, num_heads=HEADS)
        own = {name: floats(2, TOKENS, WIDTH) for name in ("q", "k", "v")}
        self.same("MultiHeadAttention", ["q", "k", "v", "", "", floats(1, HEADS, TOKENS, TOKENS)], own, num_heads=HEADS, unidirectional=1)
        packed = {"q": floats(2, TOKENS, HEADS, 3, 4)}
        self.refused("packed", "MultiHeadAttention", ["q"], packed, num_heads=HEADS)

    def test_grouped_attention(self):
        feed = {"q": floats(1, TOKENS, 64), "k": floats(1, TOKENS, 32), "v": floats(1, TOKENS, 32)}
        lengths, total = np.array([TOKENS - 1], np.int32), np.array(TOKENS, np.int32)
        angle = np.arange(8)[:, None] * 0.3 ** np.arange(8)
        tables = [np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)]
        inputs = ["q", "k", "v", "", "", lengths, total]
        heads = {"num_heads": 4, "kv_num_heads": 2, "outputs": ["y", "pk", "pv"]}
        # The runtime's operator always has three outputs, which nothing is to read.
        for more in ({}, {"local_window_size": 3}, {"scale": 0.2}, {"do_rotary": 1}, {"do_rotary": 1, "rotary_interleaved": 1}):
            whole = model("GroupQueryAttention", inputs + tables, feed, **heads, **more)
            del whole.graph.output[1:]
            before = run(whole, feed)[0]
            operators.in_parts(whole, feed)
            np.testing.assert_allclose(run(whole, feed)[0], before, atol=2e-5)
        short = {**feed, "n": lengths}
        whole = model("GroupQueryAttention", ["q", "k", "v", "", "", "n", total], short, **heads)
        del whole.graph.output[1:]
        with self.assertRaisesRegex(SystemExit, "seqlens_k"):
            operators.in_parts(whole, short)

    def test_rotary_embedding(self):
        angle = np.arange(9)[:, None] * 0.4 ** np.arange(4)
        tables = [np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)]
        places = np.tile(np.arange(1, TOKENS + 1), (2, 1))
        split, joined = {"x": floats(2, 3, TOKENS, 8)}, {"x": floats(2, TOKENS, 24)}
        for interleaved in (0, 1):
            for feed, more in ((split, {}), (joined, {"num_heads": 3})):
                own = dict(domain="", opset=23, interleaved=interleaved, **more)
                self.same("RotaryEmbedding", ["x", *tables, "p"], {**feed, "p": places}, **own)
                half = [table[:, :2] for table in tables]
                self.same("RotaryEmbedding", ["x", *half, "p"], {**feed, "p": places}, rotary_embedding_dim=4, **own)
                self.same("RotaryEmbedding", ["x", "p", *tables], {**feed, "p": places}, interleaved=interleaved)
                self.same("RotaryEmbedding", ["x", np.array([2]), *tables], feed, interleaved=interleaved)

    def test_rotary_embedding_by_constants_stays(self):
        angle = np.arange(TOKENS)[None, :, None] * 0.4 ** np.arange(4)
        tables = [np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)]
        feed = {"x": floats(1, 3, TOKENS, 8)}
        whole = model("RotaryEmbedding", ["x", *tables], feed, domain="", opset=23)
        operators.in_parts(whole, feed)
        self.assertEqual([node.op_type for node in whole.graph.node], ["RotaryEmbedding"])
        half = [table[..., :2] for table in tables]
        self.same("RotaryEmbedding", ["x", *half], feed, domain="", opset=23, rotary_embedding_dim=4)

    def test_normalizations(self):
        feed = {"x": floats(2, TOKENS, WIDTH), "s": floats(2, TOKENS, WIDTH)}
        gamma, beta, bias = floats(WIDTH), floats(WIDTH), floats(WIDTH)
        sums = {"outputs": ["y", "", "", "sum"]}
        self.same("SkipLayerNormalization", ["x", "s", gamma, beta], feed)
        self.same("SkipLayerNormalization", ["x", "s", gamma, beta, bias], feed, **sums)
        for opset in (17, 20):
            self.same("SkipSimplifiedLayerNormalization", ["x", "s", gamma, bias], feed, epsilon=1e-3, opset=opset, **sums)
            self.same("SimplifiedLayerNormalization", ["x", gamma], {"x": feed["x"]}, domain="", opset=opset)
        ids = {"i": RNG.integers(0, 9, (2, TOKENS)).astype(np.int32), "t": RNG.integers(0, 2, (2, TOKENS)).astype(np.int32)}
        tables = [floats(9, WIDTH), floats(8, WIDTH), floats(2, WIDTH)]
        whole = model("EmbedLayerNormalization", ["i", "t", *tables, gamma, beta], ids, outputs=["y", "mask"])
        del whole.graph.output[1:]
        before = run(whole, ids)[0]
        operators.in_parts(whole, ids)
        np.testing.assert_allclose(run(whole, ids)[0], before, atol=2e-5)

    def test_functions_and_products(self):
        x, bias = {"x": floats(2, TOKENS, WIDTH)}, floats(WIDTH)
        self.same("BiasGelu", ["x", bias], x)
        self.same("Gelu", ["x"], x)
        self.same("FastGelu", ["x"], x)
        self.same("FastGelu", ["x", bias], x)
        self.same("QuickGelu", ["x"], x)
        self.same("FusedMatMul", ["x", floats(2, 5, WIDTH)], x, transB=1, alpha=0.3)
        self.same("FusedMatMul", ["x", floats(2, TOKENS, 5)], x, transA=1)
        rows, image = {"x": floats(3, 8)}, {"x": floats(2, 3, 7, 7)}
        self.same("FusedGemm", ["x", floats(5, 8), floats(5)], rows, transB=1, activation="LeakyRelu", activation_alpha=0.2)
        filters = [floats(4, 3, 3, 3), floats(4)]
        self.same("FusedConv", ["x", *filters], image, pads=[1, 1, 1, 1], activation="Clip", activation_params=[0.1, 0.9])
        self.same("FusedConv", ["x", *filters, floats(2, 4, 7, 7)], image, pads=[1, 1, 1, 1], activation="Relu")


if __name__ == "__main__":
    unittest.main()
