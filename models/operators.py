"""Operators that stand for several: attention, rotated features, sums that are normalized, products with what follows.

`in_parts` writes ONNX's own Attention and RotaryEmbedding, and what ONNX Runtime's optimizer and its transformers' tools put
together (domain com.microsoft), in the operators that they are made of, so that `quantize_static` can round between them.  What
cannot be written so is an error that names the node: keys and values of the past, lengths in the place of masks, soft caps.
"""

import numpy as np
import onnx
import onnxruntime
from onnx import helper

from attention import Attention
from expansion import Expansion
from weights import MICROSOFT, Graph


class Fused(Expansion):
    """Sums and products with what is before and behind."""

    def activated(self, x, name):
        scaled = {"alpha": self.more["activation_alpha"]} if "activation_alpha" in self.more else {}
        params = self.more.get("activation_params")
        if name == "Clip":
            return self.put("Clip", x, np.float32(params[0]), np.float32(params[1]))
        if params:
            scaled = dict(zip({"LeakyRelu": ["alpha"], "HardSigmoid": ["alpha", "beta"]}.get(name, []), params))
        return self.put(name, x, **scaled)

    def skip_normalization(self):
        is_simple = self.node.op_type == "SkipSimplifiedLayerNormalization"
        x, skip, gamma, beta, bias = (*self.inputs[:3], "", self.inputs[3]) if is_simple else self.inputs[:5]
        self.unread(slice(1, 3), "means and deviations are not known")
        sum = self.added(self.put("Add", x, skip), bias)
        self.end(self.normalized(sum, gamma, beta, is_simple))
        self.end(sum, 3)

    def normalized(self, x, gamma, beta, is_simple):
        epsilon = self.more.get("epsilon", 1e-5 if self.node.op_type == "SimplifiedLayerNormalization" else 1e-12)
        if not is_simple:
            return self.put("LayerNormalization", x, gamma, *([beta] if beta else []), axis=-1, epsilon=epsilon)
        # In its parts, whose shapes ONNX knows; `parts.join_normalizations` puts them together.
        squares = self.put("Mul", x, x)
        mean = self.put("ReduceMean", squares, axes=[-1]) if self.opset < 18 else self.put("ReduceMean", squares, np.array([-1]))
        size = self.put("Sqrt", self.put("Add", mean, np.float32(epsilon)))
        return self.put("Mul", self.put("Div", x, size), gamma)

    def simple_normalization(self):
        self.need(self.more.get("axis", -1) in (-1, len(self.shape(self.inputs[0])) - 1), "it is not along the last axis")
        self.unread(slice(1, 2), "deviations are not known")
        self.end(self.normalized(*self.inputs[:2], "", True))

    def embedded(self):
        ids, segments, words, positions, types, gamma, beta, _, places = self.inputs[:9]
        self.unread(slice(1, 2), "lengths in the place of a mask are not known: give attention the mask")
        tokens = self.shape(ids)[1]
        sum = self.put("Gather", words, ids)
        sum = self.put("Add", sum, self.put("Gather", positions, places or np.arange(tokens, dtype=np.int64)[None]))
        sum = self.added(sum, types and self.put("Gather", types, segments))
        self.end(self.normalized(sum, gamma, beta, False))
        self.end(sum, 2)

    def gelu(self, x):
        y = self.put("Erf", self.put("Div", x, np.float32(np.sqrt(2))))
        return self.put("Mul", self.put("Mul", x, self.put("Add", y, np.float32(1))), np.float32(0.5))

    def bias_gelu(self):
        """Of a bias or none."""
        self.end(self.gelu(self.added(*self.inputs[:2])))

    def fast_gelu(self):
        x = self.added(*self.inputs[:2])
        cube = self.put("Mul", self.put("Mul", x, x), x)
        inner = self.put("Add", x, self.put("Mul", cube, np.float32(0.044715)))
        tanh = self.put("Tanh", self.put("Mul", inner, np.float32(np.sqrt(2 / np.pi))))
        self.end(self.put("Mul", self.put("Mul", x, np.float32(0.5)), self.put("Add", tanh, np.float32(1))))

    def quick_gelu(self):
        x = self.inputs[0]
        inner = self.put("Mul", x, np.float32(self.more.get("alpha", 1.702)))
        self.end(self.put("Mul", x, self.put("Sigmoid", inner)))

    def fused_matmul(self):
        self.need(not self.more.get("transBatchA") and not self.more.get("transBatchB"), "transposed batches are not known")

        def turned(name, flag):
            rank = len(self.shape(name))
            return self.put("Transpose", name, perm=[*range(rank - 2), rank - 1, rank - 2]) if self.more.get(flag) and rank > 1 else name

        y = self.put("MatMul", turned(self.inputs[0], "transA"), turned(self.inputs[1], "transB"))
        alpha = self.more.get("alpha", 1.0)
        self.end(y if alpha == 1 else self.put("Mul", y, np.float32(alpha)))

    def plain(self):
        """The attributes that are the plain operator's."""
        return {name: value for name, value in self.more.items() if not name.startswith("activation")}

    def fused_conv(self):
        y = self.put("Conv", *[name for name in self.inputs[:3] if name], **self.plain())
        y = self.added(y, self.inputs[3])
        name = self.more.get("activation", b"").decode()
        self.end(self.activated(y, name) if name else y)

    def fused_gemm(self):
        y = self.put("Gemm", *[name for name in self.inputs[:3] if name], **self.plain())
        name = self.more.get("activation", b"").decode()
        self.end(self.activated(y, name) if name else y)


RULES = {
    ("", "Attention"): (Attention, "attention"),
    ("", "RotaryEmbedding"): (Attention, "rotary"),
    ("", "SimplifiedLayerNormalization"): (Fused, "simple_normalization"),
    (MICROSOFT, "Attention"): (Attention, "attention_of_features"),
    (MICROSOFT, "BiasGelu"): (Fused, "bias_gelu"),
    (MICROSOFT, "EmbedLayerNormalization"): (Fused, "embedded"),
    (MICROSOFT, "FastGelu"): (Fused, "fast_gelu"),
    (MICROSOFT, "FusedConv"): (Fused, "fused_conv"),
    (MICROSOFT, "FusedGemm"): (Fused, "fused_gemm"),
    (MICROSOFT, "FusedMatMul"): (Fused, "fused_matmul"),
    (MICROSOFT, "Gelu"): (Fused, "bias_gelu"),
    (MICROSOFT, "GroupQueryAttention"): (Attention, "grouped"),
    (MICROSOFT, "MultiHeadAttention"): (Attention, "multi_head"),
    (MICROSOFT, "QuickGelu"): (Fused, "quick_gelu"),
    (MICROSOFT, "RotaryEmbedding"): (Attention, "rotary"),
    (MICROSOFT, "SkipLayerNormalization"): (Fused, "skip_normalization"),
    (MICROSOFT, "SkipSimplifiedLayerNormalization"): (Fused, "skip_normalization"),
}


def rule(node):
    return RULES.get(("" if node.domain == "ai.onnx" else node.domain, node.op_type))


def are_there(model):
    """Whether a model has such operators."""
    return any(rule(node) for node in model.graph.node)


def sample(model, names, feed):
    """Those values of a model in a run."""
    if not names:
        return {}
    run = onnx.ModelProto()
    run.CopyFrom(model)
    del run.graph.output[:]
    run.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(run.SerializeToString(), options)
    return dict(zip(names, session.run(names, feed), strict=True))


def in_parts(model, feed):
    """Writes all such operators in their parts, with the sizes of a run of `feed`."""
    graph, found = Graph(model), {}
    nodes = [node for node in model.graph.node if rule(node)]
    names = {name for node in nodes for name in node.input if name}
    computed = sorted(name for name in names if graph.constant(name) is None and name not in feed)
    values = sample(model, computed, feed) | feed | {name: graph.constant(name) for name in names if graph.constant(name) is not None}
    for node in nodes:
        kind, method = rule(node)
        expansion = kind(graph, node, values)
        getattr(expansion, method)()
        found[id(node)] = expansion.nodes
    graph.replace(found)
