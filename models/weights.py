"""Weights that a model has as integers: written as floats for ONNX Runtime's calibration, and put back bit for bit.

`to_floats` turns dynamically quantized operators (DynamicQuantizeLinear with MatMulInteger or ConvInteger, and the operators
that an optimized file has for them), weights of integers behind Cast and Mul or DequantizeLinear, and weights in blocks
(MatMulNBits) into float operators.  `put_back` gives the model that `quantize_static` made of those the integers, scales
and zero points again that the file had.  Weights in blocks have no one scale for a column: they stay the floats that they
are until `quantize_static` rounds them.
"""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"


class Kept:
    """Integers of a weight with their scales and zero points, of one number or one for each index of `axis`."""

    def __init__(self, integers, scale, zero, axis):
        self.integers, self.scale, self.axis = integers, np.float32(scale), axis
        self.zero = np.zeros(self.scale.shape, integers.dtype) if zero is None else zero.astype(integers.dtype)
        if self.scale.size == 1:
            self.scale, self.zero = self.scale.reshape(()), self.zero.reshape(-1)[0]
        elif self.zero.size == 1:
            self.zero = np.full(self.scale.shape, self.zero.reshape(-1)[0])

    def floats(self):
        """What a DequantizeLinear gives."""
        along = [-1 if dim == self.axis else 1 for dim in range(self.integers.ndim)]
        spread = lambda x: x.reshape(along) if x.ndim else x
        centred = self.integers.astype(np.int32) - spread(self.zero).astype(np.int32)
        return centred.astype(np.float32) * spread(self.scale)

    def transposed(self):
        order = list(range(self.integers.ndim - 2)) + [self.integers.ndim - 1, self.integers.ndim - 2]
        axis = order.index(self.axis) if self.scale.ndim else self.axis
        return Kept(np.ascontiguousarray(self.integers.transpose(order)), self.scale, self.zero, axis)


def names_read(node):
    """The names that a node reads, also in its branches."""
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node if attribute.HasField("g") else ():
            yield from names_read(inner)


class Graph:
    """A model with what is needed to find patterns in it and to write others in their place."""

    def __init__(self, model):
        self.model, self.graph = model, model.graph
        self.constants = {tensor.name: tensor for tensor in self.graph.initializer}
        self.makers, self.readers = {}, {}
        for node in self.graph.node:
            if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
                tensor = node.attribute[0].t
                self.constants[node.output[0]] = tensor
            for name in node.output:
                self.makers[name] = node
            for name in names_read(node):
                self.readers.setdefault(name, []).append(node)
        self.outputs = {output.name for output in self.graph.output}

    def constant(self, name):
        """The array of a constant, also behind a Reshape, or nothing."""
        if name in self.constants:
            return numpy_helper.to_array(self.constants[name])
        maker = self.makers.get(name)
        if maker is not None and maker.op_type == "Reshape":
            array, shape = (self.constant(input) for input in maker.input)
            if array is not None and shape is not None:
                return array.reshape(shape)
        return None

    def maker(self, name, *operators):
        node = self.makers.get(name)
        return node if node is not None and node.op_type in operators else None

    def only_reader(self, name, operator):
        """The one node that reads a value, if it is `operator`."""
        readers = self.readers.get(name, [])
        alone = len(readers) == 1 and name not in self.outputs
        return readers[0] if alone and readers[0].op_type == operator else None

    def add(self, name, array):
        self.graph.initializer.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def replace(self, found):
        """Writes the nodes of `found` ({id of an old node: new ones}) in place of the old ones, and drops what nothing reads."""
        nodes = [new for node in self.graph.node for new in found.get(id(node), [node])]
        read = set(self.outputs)
        kept = []
        for node in reversed(nodes):
            if any(name in read for name in node.output):
                kept.append(node)
                read.update(names_read(node))
        del self.graph.node[:]
        self.graph.node.extend(reversed(kept))
        initializers = [tensor for tensor in self.graph.initializer if tensor.name in read]
        del self.graph.initializer[:]
        self.graph.initializer.extend(initializers)


def attributes(node):
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


class Floats:
    """The rewriting of one model."""

    def __init__(self, model):
        self.of, self.kept, self.blocks, self.found = Graph(model), [], 0, {}

    def weight(self, name, scale, zero, axis):
        """A name for the floats of integers that are to be kept."""
        integers, scale = self.of.constant(name), self.of.constant(scale)
        zero = self.of.constant(zero) if zero else None
        if integers is None or scale is None:
            raise SystemExit(f"{name}: weights and their scales are to be constants")
        self.kept.append(Kept(integers, scale.reshape(-1), None if zero is None else zero.reshape(-1), axis % integers.ndim))
        return self.of.add(f"{name}_floats_{len(self.kept)}", self.kept[-1].floats())

    def scaled(self, node):
        """What a product of integers becomes: Cast and Mul by both scales; the last node, and the weights' scale."""
        cast = self.of.only_reader(node.output[0], "Cast")
        product = cast and self.of.only_reader(cast.output[0], "Mul")
        if not product:
            return None
        (by,) = [name for name in product.input if name != cast.output[0]]
        scales = self.of.maker(by, "Mul")
        weights = [name for name in scales.input if self.of.constant(name) is not None] if scales else []
        return (product, weights[0]) if weights else None

    def integer_product(self, node):
        """MatMulInteger or ConvInteger of a tensor that DynamicQuantizeLinear makes."""
        quantized = self.of.maker(node.input[0], "DynamicQuantizeLinear")
        scaled = self.scaled(node)
        if quantized is None or scaled is None:
            return
        last, scale = scaled
        zero = node.input[3] if len(node.input) > 3 else None
        is_conv = node.op_type == "ConvInteger"
        inputs = [quantized.input[0], self.weight(node.input[1], scale, zero, 0 if is_conv else -1)]
        added = self.of.only_reader(last.output[0], "Add") if is_conv else None
        bias = added and [self.of.constant(name) for name in added.input if name != last.output[0]]
        if bias and bias[0] is not None and bias[0].size == max(bias[0].shape):
            inputs.append(self.of.add(f"{added.output[0]}_bias", bias[0].reshape(-1)))
            last = added
        self.write(last, "Conv" if is_conv else "MatMul", inputs, node.name, attributes(node))

    def write(self, old, operator, inputs, name, more=None, bias=None):
        """The node `operator`, and an Add of `bias`, in the place of an old one."""
        output = f"{old.output[0]}_product" if bias else old.output[0]
        nodes = [helper.make_node(operator, inputs, [output], name, **(more or {}))]
        if bias:
            nodes.append(helper.make_node("Add", [output, bias], old.output[:1], f"{name}_bias"))
        self.found[id(old)] = nodes

    def fused_product(self, node):
        """DynamicQuantizeMatMul or MatMulIntegerToFloat."""
        names = list(node.input) + [""] * 7
        if node.op_type == "DynamicQuantizeMatMul":
            x, (w, scale, zero, bias) = names[0], names[1:5]
        else:
            quantized = self.of.maker(names[0], "DynamicQuantizeLinear")
            if quantized is None:
                return
            x, w, scale, zero, bias = quantized.input[0], names[1], names[3], names[5], names[6]
        self.write(node, "MatMul", [x, self.weight(w, scale, zero, -1)], node.name, bias=bias)

    def attention(self, node):
        """QAttention of a tensor that DynamicQuantizeLinear makes: the weights of queries, keys and values are side by side."""
        x, w, bias, _, scale, mask, _, zero, past = [*node.input, *[""] * 9][:9]
        quantized = self.of.maker(x, "DynamicQuantizeLinear")
        if quantized is None or past:
            raise SystemExit(f"{node.name} (QAttention): of a tensor that is quantized dynamically, without keys and values of the past, is known alone")
        integers, scale, zero = (self.of.constant(name) if name else None for name in (w, scale, zero))
        spread = lambda of: [None] * 3 if of is None else np.split(of, 3) if of.size > 1 else [of.reshape(-1)] * 3
        parts = zip(np.split(integers, 3, 1), spread(scale), spread(zero))
        parts = [Kept(np.ascontiguousarray(of), by, less, 1) for of, by, less in parts]
        self.kept.extend(parts)
        floats = self.of.add(f"{w}_floats", np.concatenate([part.floats() for part in parts], 1))
        self.write(node, "Attention", [quantized.input[0], floats, bias, mask], node.name, {**attributes(node), "domain": MICROSOFT})

    def dequantized(self, node):
        """A DequantizeLinear of constants, or of what a Gather reads of them."""
        more = attributes(node)
        gather = self.of.maker(node.input[0], "Gather")
        name = gather.input[0] if gather else node.input[0]
        integers = self.of.constant(name)
        if integers is None or integers.dtype.itemsize > 1 and integers.dtype.name not in ("int4", "uint4"):
            return
        zero = node.input[2] if len(node.input) > 2 else None
        if more.get("block_size"):
            self.in_blocks(node, integers, zero, more)
        elif gather is None:
            self.found[id(node)] = [helper.make_node("Identity", [self.weight(name, node.input[1], zero, more.get("axis", 1))], node.output)]
        elif self.of.constant(node.input[1]).size == 1:
            table = self.weight(name, node.input[1], zero, 0)
            self.write(node, "Gather", [table, gather.input[1]], gather.name, attributes(gather))

    def in_blocks(self, node, integers, zero, more):
        axis = more.get("axis", 1) % integers.ndim
        spread = lambda x: np.repeat(x, more["block_size"], axis).take(range(integers.shape[axis]), axis)
        zero = spread(self.of.constant(zero)).astype(np.float32) if zero else 0
        floats = (integers.astype(np.float32) - zero) * spread(self.of.constant(node.input[1]))
        self.blocks += 1
        self.found[id(node)] = [helper.make_node("Identity", [self.of.add(f"{node.output[0]}_floats", floats)], node.output)]

    def cast(self, node):
        """Integers that a Cast makes floats, times a constant of scales."""
        integers = self.of.constant(node.input[0])
        product = self.of.only_reader(node.output[0], "Mul")
        if integers is None or product is None or integers.dtype.name not in ("int8", "uint8") or integers.ndim < 2:
            return
        (scale,) = [name for name in product.input if name != node.output[0]]
        scales = self.of.constant(scale)
        axes = [dim for dim, size in enumerate(scales.shape) if size > 1] if scales is not None else [0, 0]
        if len(axes) < 2 and scales.dtype == np.float32 and scales.ndim in (0, 1, integers.ndim):
            axis = axes[0] - scales.ndim if axes else 0
            self.found[id(product)] = [helper.make_node("Identity", [self.weight(node.input[0], scale, None, axis)], product.output)]

    def blocked_product(self, node):
        """MatMulNBits: `block_size` integers along a column share a scale."""
        more, names = attributes(node), list(node.input) + [""] * 6
        rows, columns, bits, size = more["K"], more["N"], more.get("bits", 4), more["block_size"]
        if names[4] or bits not in (4, 8):
            raise SystemExit(f"{node.name}: MatMulNBits of {bits} bits, or with an order of its own, is not known")
        blocks = -(-rows // size)

        def unpacked(packed, count):
            packed = packed.reshape(columns, -1)
            if bits == 4:
                packed = np.stack([packed & 15, packed >> 4], -1).reshape(columns, -1)
            return packed[:, :count].astype(np.int32)

        integers = unpacked(self.of.constant(names[1]), blocks * size)
        scales = self.of.constant(names[2]).astype(np.float32).reshape(columns, blocks)
        zeros = self.of.constant(names[3]) if names[3] else None
        if zeros is None:
            zeros = np.full((columns, blocks), 1 << (bits - 1))
        elif zeros.dtype == np.uint8:
            zeros = unpacked(zeros, blocks)
        each = lambda x: np.repeat(x.reshape(columns, blocks), size, 1)[:, :rows].T
        centred = integers[:, :rows].T - each(zeros)
        if blocks == 1 and np.array_equal(centred, centred.astype(np.int8)):
            self.kept.append(Kept(np.ascontiguousarray(centred.astype(np.int8)), scales[:, 0], None, 1))
        else:
            self.blocks += 1
        floats = self.of.add(f"{names[1]}_floats", centred.astype(np.float32) * each(scales))
        self.write(node, "MatMul", [names[0], floats], node.name, bias=names[5])

    RULES = {
        "MatMulInteger": integer_product,
        "ConvInteger": integer_product,
        "DynamicQuantizeMatMul": fused_product,
        "MatMulIntegerToFloat": fused_product,
        "DequantizeLinear": dequantized,
        "Cast": cast,
        "MatMulNBits": blocked_product,
        "QAttention": attention,
    }

    def write_all(self):
        for node in list(self.of.graph.node):
            if rule := self.RULES.get(node.op_type):
                rule(self, node)
        self.of.replace(self.found)
        left = [node for node in self.of.graph.node if node.op_type.startswith("DynamicQuantize")]
        if left:
            raise SystemExit(f"{left[0].name or left[0].output[0]} ({left[0].op_type}): no product of integers that is known follows")


def to_floats(model):
    """The model with float weights, the integers of those that have one scale a column, and how many have their scales in blocks."""
    floats = Floats(model)
    floats.write_all()
    return floats.kept, floats.blocks


def put_back(prepared, model, kept):
    """Writes the integers into the `model` that `quantize_static` made of `prepared`; how many of them are there."""
    by_floats = {}
    for index, weight in enumerate(kept):
        turned = [weight.transposed()] if weight.integers.ndim > 1 else []
        for form in [weight, *turned]:
            floats = form.floats()
            by_floats.setdefault((floats.shape, floats.tobytes()), (set(), form))[0].add(index)
    found = {}
    for tensor in prepared.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            floats = numpy_helper.to_array(tensor)
            if form := by_floats.get((floats.shape, floats.tobytes())):
                found[tensor.name] = form
    graph, there, first = Graph(model), set(), []
    for name, (indices, form) in found.items():
        parts = [graph.add(f"{name}_kept", form.integers), graph.add(f"{name}_kept_scale", form.scale)]
        parts.append(graph.add(f"{name}_kept_zero_point", form.zero))
        axis = {"axis": form.axis} if form.scale.ndim else {}
        made = lambda output, label: helper.make_node("DequantizeLinear", parts, [output], label, **axis)
        of_integers = [node for node in graph.graph.node if node.op_type == "DequantizeLinear" and node.input[0] == f"{name}_quantized"]
        for node in of_integers:
            node.CopyFrom(made(node.output[0], node.name))
        if name in graph.constants:
            first.append(made(name, f"{name}_kept"))
            graph.graph.initializer.remove(graph.constants[name])
        there.update(indices)
    nodes = first + list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    graph.replace({})
    return len(there)
