"""Attention as one operator, ONNX's own or ONNX Runtime's, and rotated features, in their parts."""

import numpy as np
from onnx import TensorProto

from expansion import Expansion
from weights import MICROSOFT

#: The number that a mask adds where it is 0, if the operator does not say.
LEFT_OUT = -10000.0


class Attention(Expansion):
    """Operators of queries, keys and values, and their features."""

    def rotary(self):
        """ONNX's own, of 23, and that of com.microsoft, whose operands are in another order.  ONNX's own stays where it is of all
        features and of positions that are constants."""
        of_microsoft = self.node.domain == MICROSOFT
        x, places, cos, sin = self.inputs[:4] if of_microsoft else (self.inputs[0], self.inputs[3], *self.inputs[1:3])
        self.need(not self.more.get("is_packed_batching"), "packed batches are not known")
        self.need(self.more.get("scale", 1.0) == 1, "a scale is not known")
        tables = [self.graph.constant(name) for name in (cos, sin)]
        self.need(all(table is not None for table in tables), "its tables are no constants")
        sizes = self.shape(x)
        rotated, heads = self.more.get("rotary_embedding_dim", 0), self.more.get("num_heads", 0)
        is_joined = len(sizes) == 3
        if is_joined:
            # com.microsoft leaves out how many heads there are where all features are rotated.
            heads = heads or (sizes[2] // (2 * tables[0].shape[-1]) if of_microsoft and not rotated else 0)
            self.need(heads > 0, "how many heads there are is not said")
        width = sizes[2] // heads if is_joined else sizes[3]
        tokens = sizes[1] if is_joined else sizes[2]
        if places == "" or self.graph.constant(places) is not None:
            if not of_microsoft and rotated in (0, width):
                # One exact sum for the prover, whose shape ONNX knows.
                self.nodes = [self.node]
                return
        if not places:
            self.need(all(table.ndim == 2 or len(table) == 1 for table in tables), "its tables have angles for each sample")
            tables = [table.reshape(-1, table.shape[-1]) for table in tables]
        x = self.split(x, heads) if is_joined else x
        y = self.rotated(x, tables, places, tokens, width, rotated or width, bool(self.more.get("interleaved")))
        self.end(self.joined(y, width * heads) if is_joined else y)

    def rotated(self, x, tables, places, tokens, width, rotated, interleaved):
        """`x` of (batch, heads, tokens, features), of which the first are turned by the rows `places` of the tables."""
        array = self.graph.constant(places) if places else np.arange(tokens)
        if array is not None:
            array = np.arange(tokens) + array.reshape(-1)[0] if array.size == 1 else array.reshape(-1)
            self.need(array.size == tokens, "positions are not one for each token")
        half, rest = rotated // 2, width - rotated
        self.need(all(table.shape[-1] == half for table in tables), f"its tables do not have {half} columns")
        spread = lambda table: np.repeat(table, 2, -1) if interleaved else np.concatenate([table, table], -1)
        factors = []
        for table in map(spread, tables):
            if array is not None:
                factors.append(self.constant(table[array][None, None]))
            else:
                rows = self.put("Gather", self.constant(table), places, axis=0)
                factors.append(self.put("Unsqueeze", rows, np.array([1])))
        part = lambda first, last, step=1: self.put("Slice", x, np.array([first]), np.array([last]), np.array([-1]), np.array([step]))
        if interleaved:
            column = lambda y: self.put("Unsqueeze", y, np.array([-1]))
            pairs = self.put("Concat", column(self.put("Neg", part(1, rotated, 2))), column(part(0, rotated, 2)), axis=-1)
            turned = self.put("Reshape", pairs, np.array([0, 0, 0, rotated]))
        else:
            turned = self.put("Concat", self.put("Neg", part(half, rotated)), part(0, half), axis=-1)
        first = part(0, rotated) if rest else x
        y = self.put("Add", self.put("Mul", first, factors[0]), self.put("Mul", turned, factors[1]))
        return self.put("Concat", y, part(rotated, width), axis=-1) if rest else y

    def split(self, x, heads):
        """(batch, tokens, heads and features) as (batch, heads, tokens, features)."""
        return self.put("Transpose", self.put("Reshape", x, np.array([0, 0, heads, -1])), perm=[0, 2, 1, 3])

    def joined(self, x, width):
        return self.put("Reshape", self.put("Transpose", x, perm=[0, 2, 1, 3]), np.array([0, 0, width]))

    def attended(self, q, k, v, tokens, scale, masks=(), causal=False, window=-1, groups=1):
        """`softmax(scale q k^T + masks) v` of (batch, heads, tokens, features), the keys' heads being a `groups`-th of the queries'."""
        queries, keys = tokens
        if groups > 1:
            k, v = (self.repeated(of, groups) for of in (k, v))
        scores = self.put("MatMul", q, self.put("Transpose", k, perm=[0, 1, 3, 2]))
        if scale != 1:
            scores = self.put("Mul", scores, np.float32(scale))
        if causal or window > 0:
            at = np.arange(queries)[:, None] - np.arange(keys)[None]
            # As the operators have it, the first query is beside the first key.
            seen = (at >= 0 if causal else True) & (at < window if window > 0 else True)
            masks = [np.where(seen, 0, np.finfo(np.float32).min).astype(np.float32)[None, None], *masks]
        for mask in masks:
            scores = self.put("Add", scores, mask)
        return self.put("MatMul", self.put("Softmax", scores, axis=-1), v)

    def repeated(self, x, groups):
        """Each head as many times, one after the other."""
        x = self.put("Unsqueeze", x, np.array([2]))
        x = self.put("Expand", x, np.array([1, 1, groups, 1, 1]))
        heads = self.heads_of_keys * groups
        return self.put("Reshape", x, np.array([0, heads, *self.sizes_of_keys]))

    def no_past(self, *indices):
        reason = "keys and values of the past are not known: export the model without a cache (use_cache=False)"
        self.need(not any(self.inputs[at] for at in indices), reason)
        self.unread(slice(1, None), reason.replace("of the past", "that are outputs"))

    def attention(self):
        """ONNX's own."""
        q, k, v, mask, _, _, lengths = self.inputs[:7]
        self.no_past(4, 5)
        self.need(not self.more.get("softcap"), "softcap, a function of scores before the mask, is not known")
        self.need(not lengths, "lengths of keys are not known: give a mask")
        sizes, of_keys = self.shape(q), self.shape(k)
        is_joined = len(sizes) == 3
        heads, of = (self.more["q_num_heads"], self.more["kv_num_heads"]) if is_joined else (sizes[1], of_keys[1])
        values = self.shape(v)
        width = sizes[2] // heads if is_joined else sizes[3]
        tokens = (sizes[1], of_keys[1]) if is_joined else (sizes[2], of_keys[2])
        if is_joined:
            q, k, v = self.split(q, heads), self.split(k, of), self.split(v, of)
        of_values = values[2] // of if is_joined else values[3]
        self.need(of == heads or of_values == width, "values of another width than keys, for groups of heads, are not known")
        self.heads_of_keys, self.sizes_of_keys = of, (tokens[1], width)
        masks = [self.mask_of(mask)] if mask else []
        y = self.attended(q, k, v, tokens, self.number("scale", 1 / np.sqrt(width)), masks, self.more.get("is_causal"), groups=heads // of)
        self.end(self.joined(y, heads * of_values) if is_joined else y)

    def mask_of(self, mask):
        """A mask that is added: flags say what stays."""
        array = self.graph.constant(mask)
        least = np.finfo(np.float32).min
        if self.values[mask].dtype != bool:
            return mask
        if array is not None:
            return self.constant(np.where(array, 0, least).astype(np.float32))
        return self.put("Where", mask, np.float32(0), np.float32(least))

    def padding(self, name, tokens):
        """What ONNX Runtime's attentions add of a mask of ones and zeros, one for each token of keys or each pair."""
        sizes = self.shape(name)
        self.need(len(sizes) in (2, 3) and sizes[-1] == tokens, "lengths in the place of a mask are not known: give ones and zeros for all tokens")
        y = self.put("Cast", name, to=TensorProto.FLOAT)
        y = self.put("Unsqueeze", y, np.array([1, 2] if len(sizes) == 2 else [1]))
        y = self.put("Sub", np.float32(1), y)
        return self.put("Mul", y, np.float32(self.number("mask_filter_value", LEFT_OUT)))

    def masks(self, padding, bias, tokens):
        return ([bias] if bias else []) + ([self.padding(padding, tokens)] if padding else [])

    def attention_of_features(self):
        """com.microsoft's Attention, whose weights are inside."""
        x, weights, bias, mask, _, more, _ = self.inputs[:7]
        self.no_past(4, 6)
        self.need(not self.more.get("do_rotary"), "do_rotary is not known")
        array = self.graph.constant(weights)
        self.need(array is not None, "its weights are no constants")
        of_bias = self.graph.constant(bias) if bias else None
        self.need(not bias or of_bias is not None, "its bias is no constant")
        heads, tokens = self.more["num_heads"], self.shape(x)[1]
        widths = self.more.get("qkv_hidden_sizes") or [array.shape[1] // 3] * 3
        ends = np.cumsum(widths)[:2]
        parts = []
        for at, of in enumerate(np.split(array, ends, 1)):
            y = self.put("MatMul", x, of)
            parts.append(self.split(y if of_bias is None else self.put("Add", y, np.split(of_bias, ends)[at]), heads))
        scale = self.number("scale", 1 / np.sqrt(widths[0] // heads))
        y = self.attended(*parts, (tokens, tokens), scale, self.masks(mask, more, tokens), self.more.get("unidirectional"))
        self.end(self.joined(y, widths[2]))

    def multi_head(self):
        """com.microsoft's MultiHeadAttention."""
        q, k, v, bias, padding, more, *_ = self.inputs[:10]
        self.no_past(6, 7, 8, 9)
        heads, sizes = self.more["num_heads"], self.shape(q)
        self.need(k and v and all(len(self.shape(name)) == 3 for name in (q, k, v)), "packed queries, keys and values are not known")
        of_keys, of_values = self.shape(k), self.shape(v)
        parts = [q, k, v]
        if bias:
            array = self.graph.constant(bias)
            self.need(array is not None, "its bias is no constant")
            ends = np.cumsum([sizes[2], of_keys[2]])
            parts = [self.put("Add", x, of) for x, of in zip(parts, np.split(array, ends))]
        parts = [self.split(x, heads) for x in parts]
        scale = self.number("scale", 1 / np.sqrt(sizes[2] // heads))
        self.need(not self.more.get("unidirectional") or sizes[1] == of_keys[1], "which keys a query sees is not known where there are more of either")
        masks = self.masks(padding, more, of_keys[1])
        y = self.attended(*parts, (sizes[1], of_keys[1]), scale, masks, self.more.get("unidirectional"))
        self.end(self.joined(y, of_values[2]))

    def grouped(self):
        """com.microsoft's GroupQueryAttention of a whole prompt, which is causal."""
        q, k, v, _, _, lengths, total, cos, sin, places, more, sink = self.inputs[:12]
        self.no_past(3, 4)
        self.need(not self.more.get("softcap"), "softcap, a function of scores before the mask, is not known")
        self.need(not self.more.get("smooth_softmax", 0) == 1 and not sink, "a smooth Softmax is not known")
        self.need(k and v, "packed queries, keys and values are not known")
        heads, of, sizes = self.more["num_heads"], self.more["kv_num_heads"], self.shape(q)
        tokens, width = sizes[1], sizes[2] // heads
        lengths = self.graph.constant(lengths)
        self.need(lengths is not None and (lengths == tokens - 1).all(), "seqlens_k is no constant of all tokens: prompts of other lengths are not known")
        q, k, v = self.split(q, heads), self.split(k, of), self.split(v, of)
        if self.more.get("do_rotary"):
            tables = [self.graph.constant(name) for name in (cos, sin)]
            self.need(all(table is not None for table in tables), "its tables are no constants")
            turn = lambda x: self.rotated(x, tables, places, tokens, width, 2 * tables[0].shape[-1], bool(self.more.get("rotary_interleaved")))
            q, k = turn(q), turn(k)
        self.heads_of_keys, self.sizes_of_keys = of, (tokens, width)
        scale, window = self.number("scale", 1 / np.sqrt(width)), self.more.get("local_window_size", -1)
        y = self.attended(q, k, v, (tokens, tokens), scale, [more] if more else [], True, window, heads // of)
        self.end(self.joined(y, heads * width))
