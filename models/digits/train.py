"""Trains the digits networks that this folder ships and writes them as quantized ONNX files.

    python train.py            # digits.onnx: int8 weights; also images.npy and labels.npy
    python train.py --ternary  # digits_ternary.onnx: weights of three values, 1.6 bits each

A 64-64-10 perceptron with Relu on scikit-learn's digits (8x8 pixels, 0 to 16), trained on 1297 of them
with the weights already quantized in the forward pass; the other 500 are held out and are what the
accuracy is about.  Needs numpy, onnx, onnxruntime and scikit-learn.
"""

import argparse
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

HERE = pathlib.Path(__file__).parent
SEED, HELD_OUT, HIDDEN, EPOCHS, BATCH = 7, 500, 64, 240, 48


def int8_weights(w):
    """Integer weights and their scale: 255 levels, symmetric."""
    scale = np.abs(w).max() / 127
    return np.rint(w / scale), scale


def ternary_weights(w):
    """Integer weights -1, 0, 1 and their scale: the closest multiple of a sign pattern."""
    q = np.where(np.abs(w) > 0.7 * np.abs(w).mean(), np.sign(w), 0.0)
    return q, np.abs(w[q != 0]).mean()


def shifted(images, rng):
    """Each image moved by up to one pixel in either direction."""
    grids = np.pad(images.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    dy, dx = rng.integers(0, 3, (2, len(images)))
    rows = dy[:, None, None] + np.arange(8)[None, :, None]
    columns = dx[:, None, None] + np.arange(8)[None, None, :]
    return grids[np.arange(len(images))[:, None, None], rows, columns].reshape(-1, 64)


def train(x, labels, quantize, rng):
    """Weights and biases of both layers, by Adam; gradients pass the quantization unchanged."""
    sizes = [(64, HIDDEN), (HIDDEN, 10)]
    parameters = [p for k, n in sizes for p in (rng.normal(0, np.sqrt(2 / k), (k, n)), np.zeros(n))]
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    step, steps = 0, EPOCHS * (len(x) // BATCH)
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - BATCH + 1, BATCH):
            batch = order[start : start + BATCH]
            w0, b0, w1, b1 = parameters
            q0, q1 = (q * scale for q, scale in map(quantize, (w0, w1)))
            image = x[batch]
            moved = rng.random(BATCH) < 0.5
            image[moved] = shifted(image[moved], rng)
            hidden = np.maximum(image @ q0 + b0, 0)
            kept = rng.random(hidden.shape) < 0.85
            hidden = hidden * kept / 0.85
            logits = hidden @ q1 + b1
            error = np.exp(logits - logits.max(1, keepdims=True))
            error /= error.sum(1, keepdims=True)
            error[np.arange(BATCH), labels[batch]] -= 1
            error /= BATCH
            back = (error @ q1.T) * (hidden > 0) / 0.85
            gradients = [image.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
            step += 1
            rate = 3e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
            for p, (m, v), g in zip(parameters, moments, gradients):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                p -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return parameters


def export(parameters, quantize, images, name):
    """The network as QuantizeLinear, QGemm, QGemm, DequantizeLinear; ranges come from `images`."""
    w0, b0, w1, b1 = parameters
    (q0, s0), (q1, s1) = quantize(w0), quantize(w1)
    b0 = b0 * 16  # the network was trained on pixels / 16, the file takes pixels
    hidden = np.maximum(images @ (q0 * s0) + b0, 0)
    logits = hidden @ (q1 * s1) + b1 * 16
    low, high = min(logits.min(), 0), max(logits.max(), 0)
    f32 = np.float32
    x_scale, h_scale, y_scale = f32(16 / 255), f32(hidden.max() / 255), f32((high - low) / 255)
    y_zero = np.uint8(np.rint(-low / y_scale))
    constants = {
        "x_scale": x_scale,
        "x_zero_point": np.uint8(0),
        "w0": q0.astype(np.int8),
        "w0_scale": f32(s0),
        "w_zero_point": np.int8(0),
        "b0": np.rint(b0 / (x_scale * f32(s0))).astype(np.int32),
        "h_scale": h_scale,
        "h_zero_point": np.uint8(0),
        "w1": q1.astype(np.int8),
        "w1_scale": f32(s1),
        "b1": np.rint(b1 * 16 / (h_scale * f32(s1))).astype(np.int32),
        "y_scale": y_scale,
        "y_zero_point": y_zero,
    }
    x, h, y = ([f"{t}_scale", f"{t}_zero_point"] for t in "xhy")
    nodes = [
        helper.make_node("QuantizeLinear", ["image", *x], ["x"], "quantize"),
        helper.make_node(
            "QGemm", ["x", *x, "w0", "w0_scale", "w_zero_point", "b0", *h], ["h"], "hidden",
            domain="com.microsoft",
        ),
        helper.make_node(
            "QGemm", ["h", *h, "w1", "w1_scale", "w_zero_point", "b1", *y], ["y"], "classes",
            domain="com.microsoft",
        ),
        helper.make_node("DequantizeLinear", ["y", *y], ["logits"], "dequantize"),
    ]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 64])],
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ternary", action="store_true", help="weights of three values")
    ternary = parser.parse_args().ternary
    quantize, name = (ternary_weights, "digits_ternary") if ternary else (int8_weights, "digits")

    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(images))
    held_out, trained = order[:HELD_OUT], order[HELD_OUT:]
    parameters = train(images[trained] / 16, labels[trained], quantize, rng)
    export(parameters, quantize, images[trained], name)

    session = onnxruntime.InferenceSession(HERE / f"{name}.onnx")
    held_out_images = images[held_out].astype(np.float32)
    (logits,) = session.run(None, {"image": held_out_images})
    accuracy = (logits.argmax(1) == labels[held_out]).mean()
    print(f"{name}.onnx: {accuracy:.3f} of {HELD_OUT} held-out digits")
    if not ternary:
        np.save(HERE / "images.npy", held_out_images)
        np.save(HERE / "labels.npy", labels[held_out].astype(np.uint8))


if __name__ == "__main__":
    main()
