"""Writes `gpt2.onnx`: the blocks of GPT-2 small in 8 bits, with random weights, and an input for it.

    pip install numpy onnx
    python shapes.py [--tokens N] [--layers N] [--width N] [--heads N] [--out FOLDER]

Shapes and operators are the real ones: LayerNormalization before attention and before the feed-forward layer, scores
under a causal mask, Softmax, Gelu, residual sums, a LayerNormalization at the end.  What a proof costs depends on
these, not on the values of weights.  Embeddings and the head are left out.

    gpt2.onnx   the blocks, QuantizeLinear and DequantizeLinear around every operator
    gpt2.npy    one sample: `tokens` rows of `width` floats
"""

import argparse
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Of activations with a variance near 1: 8 standard deviations are in range.
UNIT = np.float32(1 / 16)


class Blocks:
    """Nodes and constants, one after the other."""

    def __init__(self, seed):
        self.nodes, self.constants = [], []
        self.random = np.random.default_rng(seed)

    def constant(self, value):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), f"c{len(self.constants)}"))
        return self.constants[-1].name

    def node(self, operator, *inputs, **attributes):
        inputs = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [f"v{len(self.nodes)}"], name, **attributes))
        return self.nodes[-1].output[0]

    def codes(self, x, scale=UNIT, zero_point=128):
        """To uint8 and back."""
        scale, zero_point = np.float32(scale), np.uint8(zero_point)
        return self.node("DequantizeLinear", self.node("QuantizeLinear", x, scale, zero_point), scale, zero_point)

    def linear(self, x, k, n, scale=UNIT):
        """Weights of variance 1 / k in int8, a scale for each column, and a bias."""
        w = self.random.normal(size=(k, n)) / np.sqrt(k)
        scales = (np.abs(w).max(0) / 127).astype(np.float32)
        w = self.node("DequantizeLinear", np.rint(w / scales).astype(np.int8), scales, np.zeros(n, np.int8), axis=1)
        bias = self.random.normal(size=n, scale=0.1).astype(np.float32)
        return self.codes(self.node("Add", self.node("MatMul", x, w), bias), scale)

    def normalized(self, x, width):
        gamma = self.random.uniform(0.8, 1.2, width).astype(np.float32)
        beta = self.random.normal(size=width, scale=0.1).astype(np.float32)
        return self.codes(self.node("LayerNormalization", x, gamma, beta, axis=-1, epsilon=1e-5))

    def attention(self, x, tokens, width, heads):
        def split(x, *order):
            x = self.node("Reshape", x, np.array([0, tokens, heads, width // heads]))
            return self.node("Transpose", x, perm=[0, *order])

        q, k, v = (self.linear(x, width, width) for _ in range(3))
        scores = self.node("MatMul", split(q, 2, 1, 3), split(k, 2, 3, 1))
        scores = self.codes(self.node("Mul", scores, np.float32((width // heads) ** -0.5)))
        mask = np.triu(np.full((tokens, tokens), -1e9, np.float32), 1)[None, None]
        shares = self.codes(self.node("Softmax", self.node("Add", scores, mask), axis=-1), 1 / 255, 0)
        y = self.codes(self.node("MatMul", shares, split(v, 2, 1, 3)))
        y = self.node("Reshape", self.node("Transpose", y, perm=[0, 2, 1, 3]), np.array([0, tokens, width]))
        return self.linear(y, width, width)

    def block(self, x, tokens, width, heads, scale):
        y = self.attention(self.normalized(x, width), tokens, width, heads)
        x = self.codes(self.node("Add", x, y), scale)
        y = self.linear(self.normalized(x, width), width, 4 * width)
        y = self.linear(self.codes(self.node("Gelu", y), 1 / 32, 6), 4 * width, width)
        return self.codes(self.node("Add", x, y), scale)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."))
    arguments = parser.parse_args()
    tokens, width, out = arguments.tokens, arguments.width, arguments.out
    blocks = Blocks(arguments.seed)
    x = blocks.codes("x")
    for layer in range(arguments.layers):
        # The stream's variance grows by about 1 a sum.
        x = blocks.block(x, tokens, width, arguments.heads, UNIT * np.sqrt(2 + 2 * layer))
    y = blocks.normalized(x, width)
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", tokens, width]) for name in ("x", y)]
    graph = helper.make_graph(blocks.nodes, "gpt2", ports[:1], ports[1:], blocks.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(model, out / "gpt2.onnx")
    np.save(out / "gpt2.npy", blocks.random.normal(size=(1, tokens, width)).astype(np.float32))


if __name__ == "__main__":
    main()
