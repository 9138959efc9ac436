"""Parts of a float network that are one function of integers: what `quantize_static` is not to round between.

Normalizations that are written in their parts become the operators that they are, and what changes nothing is dropped.  Left
alone are normalizations, functions of one tensor (of which Gelu, Swish and the like are made), and what lies between the scores of
attention and its weights.
"""

import numpy as np
from onnx import helper

from weights import Graph, attributes

#: Operators of one tensor, or of two that are a constant and a function of the same tensor.
ELEMENTWISE = {
    "Abs", "Add", "Ceil", "Clip", "Div", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Log", "Max",
    "Min", "Mish", "Mul", "Neg", "Pow", "Reciprocal", "Relu", "Round", "Sigmoid", "Softplus", "Softsign", "Sqrt", "Sub", "Tanh",
}  # fmt: skip

#: Operators that `quantize_static` gives quantized operands.
QUANTIZED = {"Add", "AveragePool", "Concat", "Conv", "ConvTranspose", "Gemm", "GlobalAveragePool", "MatMul", "MaxPool", "Mul"}

#: Operators of masks, beside those on each element.
OF_MASKS = {"And", "Cast", "Equal", "Expand", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "Or", "Unsqueeze", "Where"}


def number(graph, name):
    array = graph.constant(name)
    return array.reshape(-1)[0] if array is not None and array.size == 1 else None


def others(node, *names):
    return [name for name in node.input if name not in names]


def is_last(graph, node):
    """Whether a ReduceMean is along the last axis and keeps it."""
    more = attributes(node)
    axes = more.get("axes") or (graph.constant(node.input[1]) if len(node.input) > 1 else None)
    return axes is not None and list(axes) == [-1] and more.get("keepdims", 1) == 1


def divided(graph, root, over):
    """The node that divides `over` by `root`, or multiplies it with one over `root`."""
    quotient = graph.only_reader(root, "Div")
    if quotient and list(quotient.input) == [over, root]:
        return quotient
    is_inverse = quotient and number(graph, quotient.input[0]) == 1 and quotient.input[1] == root
    inverse = quotient if is_inverse else graph.only_reader(root, "Reciprocal")
    product = inverse and graph.only_reader(inverse.output[0], "Mul")
    return product if product and over in product.input else None


def normalization(graph, square):
    """`x / sqrt(mean(x^2) + epsilon)` whose square is the node, of `x` or of `x` less its mean: the nodes of its end, and of what."""
    of = square.input[0]
    if square.op_type == "Pow" and number(graph, square.input[1]) != 2 or square.op_type == "Mul" and square.input[1] != of:
        return None
    mean = graph.only_reader(square.output[0], "ReduceMean")
    summed = mean and is_last(graph, mean) and graph.only_reader(mean.output[0], "Add")
    root = summed and graph.only_reader(summed.output[0], "Sqrt")
    end = root and divided(graph, root.output[0], of)
    epsilon = number(graph, others(summed, mean.output[0])[0]) if end else None
    return (end, of, float(epsilon)) if epsilon is not None else None


def scaled(graph, end, operator):
    """The node that follows and its constant, one number for each element of a row."""
    node = graph.only_reader(end.output[0], operator)
    constant = graph.constant(others(node, end.output[0])[0]) if node and others(node, end.output[0]) else None
    return (node, constant) if constant is not None and constant.ndim == 1 and constant.size > 1 else (end, None)


def join_normalizations(model):
    """Writes normalizations in their parts as LayerNormalization and SimplifiedLayerNormalization; their outputs."""
    graph, found = Graph(model), {}
    for square in model.graph.node:
        if square.op_type not in ("Pow", "Mul") or not (made := normalization(graph, square)):
            continue
        end, of, epsilon = made
        centred = graph.maker(of, "Sub")
        mean = centred and graph.maker(centred.input[1], "ReduceMean")
        is_layer = mean is not None and mean.input[0] == centred.input[0] and is_last(graph, mean)
        last, gamma = scaled(graph, end, "Mul")
        last, beta = scaled(graph, last, "Add") if is_layer else (last, None)
        width = [constant.size for constant in (gamma, beta) if constant is not None]
        if not width:
            continue
        name = last.output[0]
        inputs = [centred.input[0] if is_layer else of]
        inputs.append(graph.add(f"{name}_gamma", np.ones(width[0], np.float32) if gamma is None else gamma))
        if is_layer:
            inputs.append(graph.add(f"{name}_beta", np.zeros(width[0], np.float32) if beta is None else beta))
        operator = "LayerNormalization" if is_layer else "SimplifiedLayerNormalization"
        found[id(last)] = [helper.make_node(operator, inputs, [name], f"{name}_norm", axis=-1, epsilon=epsilon)]
    graph.replace(found)


def depends_on_batch(model):
    """Whether numbers are counted, or constants repeated, as often as a shape says that is computed when the model runs."""
    graph = Graph(model)
    of_batch = lambda node: node.op_type == "Range" or node.op_type == "Expand" and graph.constant(node.input[0]) is not None
    return any(of_batch(node) for node in model.graph.node)


def drop_guards(model):
    """Drops what changes nothing: numbers put where there is none (of rows of attention that are left out altogether), an And with
    flags that are all set, and a Gather or GatherND of all elements in their order."""
    graph, same = Graph(model), {}
    for node in model.graph.node:
        x = node.input[0] if node.input else None
        if node.op_type == "Where":
            guard = graph.maker(x, "IsNaN")
            if guard is not None and guard.input[0] == node.input[2]:
                same[id(node)] = [helper.make_node("Identity", [node.input[2]], node.output)]
        elif node.op_type == "And":
            flags = [graph.constant(name) for name in node.input]
            rest = [name for name, of in zip(node.input, flags) if of is None]
            readers = graph.readers.get(node.output[0], [])
            broadcast = all(reader.op_type in ELEMENTWISE | {"And", "Or", "Not", "Where"} for reader in readers)
            if len(rest) == 1 and broadcast and all(of is None or of.all() for of in flags):
                same[id(node)] = [helper.make_node("Identity", rest, node.output)]
        elif node.op_type == "Gather" and not attributes(node).get("axis", 0) and (flat := graph.maker(x, "Flatten")):
            places, axis = graph.constant(node.input[1]), attributes(flat).get("axis", 1)
            if places is not None and whole(graph, flat.input[0], places.shape[-axis:]) and np.array_equal(places.ravel(), np.arange(places.size)):
                shape = graph.add(f"{node.output[0]}_shape", np.array([*places.shape, 1], np.int64))
                same[id(node)] = [helper.make_node("Reshape", [flat.input[0], shape], node.output)]
        elif node.op_type == "GatherND" and not attributes(node).get("batch_dims", 0):
            places = graph.constant(node.input[1])
            sizes = [of.max() + 1 for of in places.reshape(-1, places.shape[-1]).T] if places is not None else []
            if sizes and np.array_equal(places.reshape(-1, len(sizes)), np.indices(sizes).reshape(len(sizes), -1).T) and whole(graph, x, sizes):
                shape = graph.add(f"{node.output[0]}_shape", np.array(places.shape[:-1], np.int64))
                same[id(node)] = [helper.make_node("Reshape", [x, shape], node.output)]
    graph.replace(same)


def join_tables(model):
    """Writes rows of a table that are read by rows of another, of the same numbers for each sample, as those of one table."""
    graph, found = Graph(model), {}
    for node in model.graph.node:
        inner = graph.maker(node.input[1], "GatherElements") if node.op_type == "Gather" else None
        table, numbers = (graph.constant(name) for name in (node.input[0], inner.input[0])) if inner else (None, None)
        if table is None or numbers is None or numbers.ndim != 2 or len(numbers) > 1 or attributes(inner).get("axis", 0) not in (1, -1):
            continue
        rows = table[numbers[0]]
        only = (rows == rows[0]).all() and {reader.op_type for reader in graph.readers[node.output[0]]} <= {"Add"}
        of = graph.add(f"{node.output[0]}_table", rows[:1] if only else rows)
        found[id(node)] = [helper.make_node("Identity" if only else "Gather", [of] if only else [of, inner.input[1]], node.output, node.name)]
    graph.replace(found)


def split_sums(model):
    """Writes a Gemm whose third operand is a tensor, as ONNX Runtime puts a MatMul and an Add together, as those two again."""
    graph, found = Graph(model), {}
    for node in model.graph.node:
        more = attributes(node)
        plain = all(more.get(name, value) == value for name, value in (("alpha", 1), ("beta", 1), ("transA", 0), ("transB", 0)))
        if node.op_type == "Gemm" and plain and len(node.input) > 2 and node.input[2] and graph.constant(node.input[2]) is None:
            product = f"{node.output[0]}_product"
            nodes = [helper.make_node("MatMul", node.input[:2], [product], f"{node.name}_product")]
            found[id(node)] = [*nodes, helper.make_node("Add", [product, node.input[2]], node.output, f"{node.name}_sum")]
    graph.replace(found)


def is_bias(graph, name):
    """Whether a value is a constant of several numbers that is more than a mask: biases of places."""
    array = graph.constant(name)
    return array is not None and array.size > 1 and not np.isin(array[array > -1e3], [0]).all()


def split_masks(graph, name):
    """Biases of places of which some are left out, by a Where or a number as small as nothing: both constants, and the nodes of the mask."""
    chosen, array = graph.maker(name, "Where"), graph.constant(name)
    if array is not None and array.dtype == np.float32 and is_bias(graph, name) and (array <= -1e3).any():
        out = array <= -1e3
        biases = graph.add(f"{name}_biases", np.where(out, np.float32(0), array))
        return biases, graph.add(f"{name}_mask", np.where(out, np.finfo(np.float32).min, np.float32(0))), []
    if chosen is None or not is_bias(graph, chosen.input[1]) or (number(graph, chosen.input[2]) or 0) > -1e3:
        return None
    zero, mask = graph.add(f"{name}_zero", np.float32(0)), f"{name}_mask"
    return chosen.input[1], mask, [helper.make_node("Where", [chosen.input[0], zero, chosen.input[2]], [mask], mask)]


def regroup(model):
    """Adds the biases of places to the scores before the mask: a mask that is a sum with them, or has them where it leaves nothing
    out, is none."""
    graph, found = Graph(model), {}
    made = {}
    for node in model.graph.node:
        for scores, sum in (node.input, node.input[::-1]) if node.op_type == "Add" else ():
            if not graph.maker(scores, "MatMul", "Mul", "Div") or not (made.get(sum) or (parts := split_masks(graph, sum))):
                continue
            biases, mask, nodes = made.get(sum) or parts
            # The mask is made once.
            made[sum] = (biases, mask, [])
            inner = f"{node.output[0]}_biased"
            biased = helper.make_node("Add", [scores, biases], [inner], f"{node.name}_biased")
            found[id(node)] = [*nodes, biased, helper.make_node("Add", [inner, mask], node.output, node.name)]
            break
    graph.replace(found)
    graph, found = Graph(model), {}
    for node in model.graph.node:
        for scores, sum in (node.input, node.input[::-1]) if node.op_type == "Add" else ():
            of = graph.maker(sum, "Add")
            biases = [name for name in of.input if is_bias(graph, name)] if of and graph.constant(scores) is None else []
            if len(biases) == 1 and graph.maker(scores, "MatMul", "Mul", "Div"):
                inner, (mask,) = f"{node.output[0]}_biased", others(of, *biases)
                nodes = [helper.make_node("Add", [scores, biases[0]], [inner], f"{node.name}_biased")]
                found[id(node)] = [*nodes, helper.make_node("Add", [inner, mask], node.output, node.name)]
                break
    graph.replace(found)


def whole(graph, name, sizes):
    """Whether a value has these sizes: the input that it is, behind Casts."""
    while caster := graph.maker(name, "Cast"):
        name = caster.input[0]
    of_input = [value for value in graph.graph.input if value.name == name]
    return bool(of_input) and [dim.dim_value for dim in of_input[0].type.tensor_type.shape.dim] == list(sizes)


def functions(graph):
    """Nodes of functions of one tensor, of two nodes and more: those whose floats no other operator reads unrounded."""
    is_input = {value.name for value in graph.graph.input}
    root, region = {}, {}
    for node in graph.graph.node:
        names = [name for name in node.input if name and number(graph, name) is None]
        of = {root.get(name, name) for name in names if graph.constant(name) is None}
        only = of.pop() if len(of) == 1 else None
        fixed = all(graph.constant(name) is None for name in names) or only in is_input
        if node.op_type in ELEMENTWISE and only is not None and fixed:
            root[node.output[0]] = only
            region.setdefault(only, []).append(node)
    left = set()
    for of, nodes in region.items():
        inside = {id(node) for node in nodes}
        for node in nodes if len(nodes) > 1 else []:
            readers = graph.readers.get(node.output[0], [])
            alone = all(id(reader) in inside or reader.op_type in QUANTIZED for reader in readers)
            if readers and alone and node.output[0] not in graph.outputs:
                left.add(node.name)
    return left


def attention(graph):
    """Nodes between scores and weights of attention, with those of the mask: where two tensors meet before a Softmax."""
    left = set()
    for softmax in graph.graph.node:
        if softmax.op_type != "Softmax":
            continue
        between, names, meets = [softmax], [softmax.input[0]], False
        while names:
            node = graph.makers.get(names.pop())
            if node is None or node.op_type not in ELEMENTWISE | OF_MASKS or node in between:
                continue
            if any(is_bias(graph, name) for name in node.input):
                continue
            computed = [name for name in node.input if name and number(graph, name) is None]
            meets |= len(computed) > 1
            between.append(node)
            names.extend(computed)
        if meets:
            left.update(node.name for node in between)
    return left


def normalized(model):
    """The tensors that are normalized, but for the model's inputs."""
    makers = {name for node in model.graph.node for name in node.output}
    of = {node.input[0] for node in model.graph.node if node.op_type.endswith(("LayerNormalization", "RMSNormalization"))}
    return sorted(of & makers)


def left_alone(model):
    """The names of nodes that are not to be quantized, which all have one then."""
    for index, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{index}"
    graph = Graph(model)
    is_rounded = lambda name: name not in graph.outputs and all(reader.op_type in QUANTIZED for reader in graph.readers.get(name, []))
    norms = {node.name for node in model.graph.node if node.op_type.endswith("LayerNormalization") and is_rounded(node.output[0])}
    return sorted(norms | functions(graph) | attention(graph))
