"""Quantizes a float ONNX model to one that `binfer` proves cheaply, and reports what that costs in accuracy.

    pip install numpy onnx onnxruntime
    python quantize.py FLOAT.onnx --calibration X.npy --out QUANTIZED.onnx [--test X.npy] [--labels Y.npy]

X.npy holds samples, the first dimension numbers them; those of --calibration fix the ranges of activations, those of
--test (the same if absent) measure.  Weights become int8 with a scale for each output channel, activations uint8 with
one scale for each tensor, by ONNX Runtime's `quantize_static`; batch normalizations are folded into convolutions first.
Constants and shapes have to be fixed but for the batch.  What is printed compares ONNX Runtime's output of both models:
the cosine of outputs, the share of samples whose largest output is the same one, and, with labels, the share that is
right.  If the cosine is poor, try --method percentile, which clips outliers, or leave out what suffers: --exclude.
"""

import argparse
import pathlib
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

METHODS = {
    "minmax": quantization.CalibrationMethod.MinMax,
    "entropy": quantization.CalibrationMethod.Entropy,
    "percentile": quantization.CalibrationMethod.Percentile,
}


class Samples(quantization.CalibrationDataReader):
    """One sample after the other."""

    def __init__(self, name, x):
        self.samples = iter([{name: sample[None]} for sample in x])

    def get_next(self):
        return next(self.samples, None)


def run(path, x):
    """The first output of every sample, one row each."""
    session = onnxruntime.InferenceSession(str(path))
    name = session.get_inputs()[0].name
    return np.stack([session.run(None, {name: sample[None]})[0].ravel() for sample in x])


def report(floats, quantized, labels):
    size = np.linalg.norm(floats, axis=1) * np.linalg.norm(quantized, axis=1)
    cosine = (floats * quantized).sum(1) / np.maximum(size, 1e-30)
    print(f"outputs: cosine {cosine.mean():.4f} on average, {cosine.min():.4f} at least, of {len(floats)} samples")
    first, second = floats.argmax(1), quantized.argmax(1)
    print(f"largest output: the same one in {(first == second).mean():.2%}")
    if labels is not None:
        print(f"right: {(first == labels).mean():.2%} before, {(second == labels).mean():.2%} after")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--calibration", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--test", type=pathlib.Path, help="samples to measure with")
    parser.add_argument("--labels", type=pathlib.Path, help="the class of each sample")
    parser.add_argument("--method", choices=METHODS, default="minmax", help="how ranges follow from the samples")
    parser.add_argument("--exclude", nargs="*", default=[], help="names of nodes that stay as they are")
    arguments = parser.parse_args()

    calibration = np.load(arguments.calibration)
    test = np.load(arguments.test) if arguments.test else calibration
    labels = np.load(arguments.labels).ravel() if arguments.labels else None
    inputs = onnx.load(arguments.model).graph.input
    if len(inputs) != 1:
        raise SystemExit(f"the model has {len(inputs)} inputs; one can be proved")
    with tempfile.TemporaryDirectory() as folder:
        prepared = pathlib.Path(folder) / "prepared.onnx"
        quant_pre_process(arguments.model, prepared, skip_symbolic_shape=True)
        quantization.quantize_static(
            prepared, arguments.out, Samples(inputs[0].name, calibration),
            quant_format=quantization.QuantFormat.QDQ, per_channel=True, nodes_to_exclude=arguments.exclude,
            activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
            calibrate_method=METHODS[arguments.method],
        )
    report(run(arguments.model, test), run(arguments.out, test), labels)


if __name__ == "__main__":
    main()
