"""Trains the convolutional network that this folder ships and writes it as a quantized ONNX file, cnn.onnx.

    python train.py

A small residual network on scikit-learn's digits (8x8 pixels, 0 to 16): two 3x3 convolutions, the second added
to the first, maxima of 2x2, a depthwise 3x3 and a pointwise convolution, averages of 2x2 and a linear layer,
with Relu between.  It is trained on the same 1297 images as ../digits, with the weights already quantized in the
forward pass; the other 500 are held out and are what the accuracy is about.  Needs numpy, onnx, onnxruntime
and scikit-learn.
"""

import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

HERE = pathlib.Path(__file__).parent
SEED, HELD_OUT, EPOCHS, BATCH = 7, 500, 160, 48
NARROW, WIDE = 16, 32
SHAPES = {
    "first": (NARROW, 1, 3, 3),
    "second": (NARROW, NARROW, 3, 3),
    "depthwise": (NARROW, 1, 3, 3),
    "pointwise": (WIDE, NARROW, 1, 1),
    "classes": (10, 4 * WIDE),
}


def int8_weights(w):
    """Integer weights and their scales: 255 levels, symmetric, one scale for each output channel."""
    scale = np.abs(w).reshape(len(w), -1).max(1).reshape(-1, *[1] * (w.ndim - 1)) / 127
    return np.rint(w / scale), scale


def windows(x):
    """The 3x3 windows of padded images: (n, c, h, w) to (n, c, 9, h, w)."""
    h, w = x.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return np.stack([padded[:, :, i : i + h, j : j + w] for i in range(3) for j in range(3)], 2)


def scattered(g):
    """What windows' gradients (n, c, 9, h, w) are to the images."""
    n, c, _, h, w = g.shape
    padded = np.zeros((n, c, h + 2, w + 2))
    for tap in range(9):
        padded[:, :, tap // 3 : tap // 3 + h, tap % 3 : tap % 3 + w] += g[:, :, tap]
    return padded[:, :, 1:-1, 1:-1]


def blocks(x):
    """The 2x2 blocks of images: (n, c, h, w) to (n, c, h / 2, w / 2, 4)."""
    n, c, h, w = x.shape
    apart = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    return apart.reshape(n, c, h // 2, w // 2, 4)


def joined(g):
    """The images that have these blocks."""
    n, c, h, w, _ = g.shape
    return g.reshape(n, c, h, w, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, 2 * h, 2 * w)


def forward(x, weights, biases):
    """All activations, for images (n, 1, 8, 8)."""
    bias = {name: b.reshape(-1, 1, 1) for name, b in biases.items()}
    a = {"x": x, "x_windows": windows(x)}
    flat = {name: w.reshape(len(w), -1) for name, w in weights.items()}

    def convolve(seen, name):
        n, c, taps, h, w = seen.shape
        y = np.einsum("ok,nkp->nop", flat[name], seen.reshape(n, c * taps, h * w), optimize=True)
        return y.reshape(n, -1, h, w) + bias[name]

    a["first"] = np.maximum(convolve(a["x_windows"], "first"), 0)
    a["first_windows"] = windows(a["first"])
    a["second"] = convolve(a["first_windows"], "second")
    a["sum"] = np.maximum(a["first"] + a["second"], 0)
    a["blocks"] = blocks(a["sum"])
    a["pool"] = a["blocks"].max(-1)
    a["pool_windows"] = windows(a["pool"])
    n = len(x)
    depthwise = np.einsum("ct,ncthw->nchw", flat["depthwise"], a["pool_windows"], optimize=True)
    a["depthwise"] = np.maximum(depthwise + bias["depthwise"], 0)
    pointwise = np.einsum("oc,nchw->nohw", flat["pointwise"], a["depthwise"], optimize=True)
    a["pointwise"] = np.maximum(pointwise + bias["pointwise"], 0)
    a["average"] = blocks(a["pointwise"]).mean(-1).reshape(n, -1)
    a["logits"] = a["average"] @ weights["classes"].T + biases["classes"]
    return a


def backward(a, weights, error):
    """Gradients of all weights and biases, of the logits' gradient."""
    flat = {name: w.reshape(len(w), -1) for name, w in weights.items()}
    gw, gb = {}, {}
    gw["classes"], gb["classes"] = error.T @ a["average"], error.sum(0)
    g = (error @ weights["classes"]).reshape(len(error), -1, 2, 2, 1) / 4
    g = joined(np.repeat(g, 4, -1)) * (a["pointwise"] > 0)
    gw["pointwise"] = np.einsum("nohw,nchw->oc", g, a["depthwise"], optimize=True)
    gb["pointwise"] = g.sum((0, 2, 3))
    g = np.einsum("oc,nohw->nchw", flat["pointwise"], g, optimize=True) * (a["depthwise"] > 0)
    gw["depthwise"] = np.einsum("nchw,ncthw->ct", g, a["pool_windows"], optimize=True)
    gb["depthwise"] = g.sum((0, 2, 3))
    g = scattered(flat["depthwise"][None, :, :, None, None] * g[:, :, None])
    largest = a["blocks"].argmax(-1)[..., None] == np.arange(4)
    g = joined(g[..., None] * largest) * (a["sum"] > 0)

    def through(g, seen, name):
        n, c, taps, h, w = seen.shape
        columns, g = seen.reshape(n, c * taps, h * w), g.reshape(n, -1, h * w)
        gw[name] = np.einsum("nop,nkp->ok", g, columns, optimize=True)
        gb[name] = g.sum((0, 2))
        back = np.einsum("ok,nop->nkp", flat[name], g, optimize=True)
        return scattered(back.reshape(seen.shape))

    g = (g + through(g, a["first_windows"], "second")) * (a["first"] > 0)
    through(g, a["x_windows"], "first")
    return {name: g.reshape(SHAPES[name]) for name, g in gw.items()}, gb


def shifted(images, rng):
    """Each image moved by up to one pixel in either direction."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    dy, dx = rng.integers(0, 3, (2, len(images)))
    rows = dy[:, None, None] + np.arange(8)[None, :, None]
    columns = dx[:, None, None] + np.arange(8)[None, None, :]
    return padded[np.arange(len(images))[:, None, None], 0, rows, columns][:, None]


def train(x, labels, rng):
    """Weights and biases, by Adam; gradients pass the quantization unchanged."""
    fan_in = {name: np.prod(shape[1:]) for name, shape in SHAPES.items()}
    weights = {k: rng.normal(0, np.sqrt(2 / fan_in[k]), shape) for k, shape in SHAPES.items()}
    biases = {name: np.zeros(shape[0]) for name, shape in SHAPES.items()}
    parameters = [*weights.values(), *biases.values()]
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    step, steps = 0, EPOCHS * (len(x) // BATCH)
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - BATCH + 1, BATCH):
            batch = order[start : start + BATCH]
            image = x[batch]
            moved = rng.random(BATCH) < 0.5
            image[moved] = shifted(image[moved], rng)
            quantized = {name: np.multiply(*int8_weights(w)) for name, w in weights.items()}
            a = forward(image, quantized, biases)
            error = np.exp(a["logits"] - a["logits"].max(1, keepdims=True))
            error /= error.sum(1, keepdims=True)
            error[np.arange(BATCH), labels[batch]] -= 1
            gw, gb = backward(a, quantized, error / BATCH)
            step += 1
            rate = 4e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
            gradients = [gw[name] for name in weights] + [gb[name] for name in biases]
            for p, (m, v), g in zip(parameters, moments, gradients):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                p -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return weights, biases


def export(weights, biases, images, name):
    """The network in quantized operators; ranges of activations come from `images`, pixels / 16."""
    quantized = {key: int8_weights(w) for key, w in weights.items()}
    a = forward(images, {key: q * scale for key, (q, scale) in quantized.items()}, biases)
    f32 = np.float32
    scales = {key: f32(a[key].max() / 255) for key in ("first", "sum", "depthwise", "pointwise")}
    # The file takes pixels of 0 to 16; inside they are 0 to 1.
    constants = {"image_scale": f32(16 / 255)}
    scales["x"] = f32(1 / 255)
    scales["pool"] = scales["sum"]
    scales["average"] = f32(a["average"].max() / 255)
    zeros = dict.fromkeys(scales, 0)
    for key in ("second", "logits"):
        low, high = min(a[key].min(), 0), max(a[key].max(), 0)
        scales[key] = f32((high - low) / 255)
        zeros[key] = int(np.rint(-low / scales[key]))
    for key in scales:
        constants[f"{key}_scale"], constants[f"{key}_zero"] = scales[key], np.uint8(zeros[key])
    sources = {"first": "x", "second": "first", "depthwise": "pool", "pointwise": "depthwise"}
    for key, source in [*sources.items(), ("classes", "average")]:
        q, scale = quantized[key]
        scale = scale.reshape(-1).astype(f32)
        constants[f"{key}_w"] = q.astype(np.int8)
        constants[f"{key}_w_scale"] = scale
        constants[f"{key}_w_zero"] = np.zeros(len(scale), np.int8)
        constants[f"{key}_b"] = np.rint(biases[key] / (scales[source] * scale)).astype(np.int32)

    def port(key):
        return [f"{key}_scale", f"{key}_zero"]

    def convolution(key, x, **attributes):
        inputs = [x, *port(sources[key]), *(f"{key}_w{part}" for part in ("", "_scale", "_zero"))]
        inputs += [*port(key), f"{key}_b"]
        return helper.make_node("QLinearConv", inputs, [key], key, **attributes)

    microsoft = {"domain": "com.microsoft"}
    around = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    gemm = ["features", *port("average"), "classes_w", "classes_w_scale", "classes_w_zero"]
    nodes = [
        helper.make_node("QuantizeLinear", ["image", "image_scale", "x_zero"], ["x"], "quantize"),
        convolution("first", "x", **around),
        convolution("second", "first", **around),
        helper.make_node(
            "QLinearAdd", ["first", *port("first"), "second", *port("second"), *port("sum")],
            ["sum"], "residual", **microsoft,
        ),
        helper.make_node(
            "MaxPool", ["sum"], ["pool"], "pool", kernel_shape=[2, 2], strides=[2, 2],
        ),
        convolution("depthwise", "pool", group=NARROW, **around),
        convolution("pointwise", "depthwise", kernel_shape=[1, 1]),
        helper.make_node(
            "QLinearAveragePool", ["pointwise", *port("pointwise"), *port("average")], ["average"],
            "average", kernel_shape=[2, 2], strides=[2, 2], **microsoft,
        ),
        helper.make_node("Flatten", ["average"], ["features"], "flatten"),
        helper.make_node(
            "QGemm", [*gemm, "classes_b", *port("logits")], ["y"], "classes", transB=1, **microsoft,
        ),
        helper.make_node("DequantizeLinear", ["y", *port("logits")], ["logits"], "dequantize"),
    ]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)],
        ir_version=8,
    )
    onnx.checker.check_model(model)
    onnx.save(model, HERE / f"{name}.onnx")


def main():
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(SEED).permutation(len(images))
    held_out, trained = order[:HELD_OUT], order[HELD_OUT:]
    images = images.reshape(-1, 1, 8, 8)
    weights, biases = train(images[trained] / 16, labels[trained], np.random.default_rng(SEED))
    export(weights, biases, images[trained] / 16, "cnn")

    session = onnxruntime.InferenceSession(HERE / "cnn.onnx")
    (logits,) = session.run(None, {"image": images[held_out].astype(np.float32)})
    accuracy = (logits.argmax(1) == labels[held_out]).mean()
    print(f"cnn.onnx: {accuracy:.3f} of {HELD_OUT} held-out digits")


if __name__ == "__main__":
    main()
