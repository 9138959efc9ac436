"""Quantizes an ONNX model of floats to one that `binfer` proves cheaply, and reports what that costs in accuracy.

    pip install numpy onnx onnxruntime
    python quantize.py MODEL.onnx --calibration X.npy --out QUANTIZED.onnx [--test X.npy] [--labels Y.npy]

X.npy holds samples, the first dimension numbers them; of a model with several inputs X.npz has an array for each, under its
name.  Those of --calibration fix the ranges of activations, those of --test (the same if absent) measure.  Their shape is
that of the inputs but for the batch, which stays open if the file leaves it open; --single makes it 1, which lets ONNX Runtime
compute shapes beforehand.  Weights become int8 with a scale for each output channel, activations uint8 with one scale
for each tensor, by ONNX Runtime's `quantize_static`; batch normalizations are folded into convolutions first, other normalizations
that are written in their parts become operators.  Those, functions of one tensor of several operators, and what lies between the
scores and the weights of attention are not rounded between (--whole leaves only what --exclude says).

A model that is quantized dynamically, or has weights of integers beside float activations, keeps them: integers, scales and zero
points are those of the file, and activations get scales of samples.  Weights whose scales are those of blocks (MatMulNBits) are
rounded anew, to int8.

What is printed compares ONNX Runtime's first output of both models: the cosine of outputs, the share of samples whose largest
output is the same one, and, with labels, the share that is right.  If the cosine is poor, try --method percentile, which clips
outliers, or leave out what suffers: --exclude.  Transformers gain most from --wide: sums that are normalized have a few features that are
far larger than the others, and get 16 bits.
"""

import argparse
import pathlib
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import version_converter
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

import operators
import parts
import weights

METHODS = {
    "minmax": quantization.CalibrationMethod.MinMax,
    "entropy": quantization.CalibrationMethod.Entropy,
    "percentile": quantization.CalibrationMethod.Percentile,
}

#: The first operator sets with LayerNormalization and with QuantizeLinear to 16 bits, to which older files are brought.
OPSET, WIDE_OPSET = 17, 21


class Samples(quantization.CalibrationDataReader):
    """One sample after the other."""

    def __init__(self, feeds):
        self.feeds = iter(feeds)

    def get_next(self):
        return next(self.feeds, None)


def inputs(model):
    constants = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in constants]


def samples(path, model):
    """What is fed for each sample of a file."""
    names = [value.name for value in inputs(model)]
    arrays = np.load(path)
    arrays = dict(arrays) if path.suffix == ".npz" else {names[0]: arrays}
    if sorted(arrays) != sorted(names):
        raise SystemExit(f"{path} has {', '.join(sorted(arrays))}; the model's inputs are {', '.join(sorted(names))}")
    return [{name: array[at : at + 1] for name, array in arrays.items()} for at in range(len(arrays[names[0]]))]


def fix_shapes(model, feed, single):
    """Gives inputs the shapes of a sample, so that nothing but the batch is open."""
    for value in inputs(model):
        dims = value.type.tensor_type.shape.dim
        for at, (dim, size) in enumerate(zip(dims, feed[value.name].shape, strict=True)):
            if at > 0 or single:
                dim.dim_value = size
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]


def at_opset(model, least):
    """The model in an operator set from `least` on, if it can be brought to one."""
    version = next((of.version for of in model.opset_import if of.domain in ("", "ai.onnx")), 0)
    try:
        return version_converter.convert_version(model, least) if version < least else model
    except RuntimeError as error:
        print(f"note: operator set {version} stays: {error}")
        return model


def optimized(model, folder):
    """The model as ONNX Runtime prepares it for quantization."""
    before, after = folder / "floats.onnx", folder / "prepared.onnx"
    onnx.save(model, before)
    quant_pre_process(before, after, skip_symbolic_shape=True)
    return onnx.load(after)


def prepared(path, feed, single, folder, opset=OPSET):
    """The model as `quantize_static` is to have it, and the integers that its weights are already."""
    model = onnx.load(path)
    kept, blocks = weights.to_floats(model)
    fix_shapes(model, feed, single)
    if operators.are_there(model):
        model = optimized(model, folder)
        operators.in_parts(model, feed)
    model = at_opset(model, opset)
    model = optimized(model, folder)
    # Integers that were behind operators of constants.
    more, more_blocks = weights.to_floats(model)
    if more or more_blocks:
        model = optimized(model, folder)
    kept, blocks = kept + more, blocks + more_blocks
    if not single and parts.depends_on_batch(model):
        print("note: shapes that are computed of the batch are left, as newer exporters' masks are made of: --single makes it 1")
    parts.drop_guards(model)
    parts.join_tables(model)
    parts.split_sums(model)
    parts.regroup(model)
    parts.join_normalizations(model)
    # Shapes are inferred again, but behind operators that are ONNX Runtime's own.
    made = {node.output[0] for node in model.graph.node if node.op_type == "SimplifiedLayerNormalization"}
    known = [value for value in model.graph.value_info if value.name in made]
    del model.graph.value_info[:]
    model.graph.value_info.extend(known)
    return model, kept, blocks


def run(path, feeds):
    """The first output of every sample, one row each."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options)
    return np.stack([session.run(None, feed)[0].ravel() for feed in feeds])


def report(floats, quantized, labels):
    size = np.linalg.norm(floats, axis=1) * np.linalg.norm(quantized, axis=1)
    cosine = (floats * quantized).sum(1) / np.maximum(size, 1e-30)
    print(f"outputs: cosine {cosine.mean():.4f} on average, {cosine.min():.4f} at least, of {len(floats)} samples")
    first, second = floats.argmax(1), quantized.argmax(1)
    print(f"largest output: the same one in {(first == second).mean():.2%}")
    if labels is not None:
        print(f"right: {(first == labels).mean():.2%} before, {(second == labels).mean():.2%} after")


def quantize(path, out, feeds, method="minmax", exclude=(), single=False, whole=False, wide=False):
    """Writes the quantized model of the file `path`, with scales of the samples `feeds`."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model, kept, blocks = prepared(path, feeds[0], single, folder, WIDE_OPSET if wide else OPSET)
        left = [] if whole else parts.left_alone(model)
        options = {"QuantizeBias": False} if kept else {}
        if wide:
            word = {"quant_type": quantization.QuantType.QInt16, "symmetric": True}
            options["TensorQuantOverrides"] = {name: [word] for name in parts.normalized(model)}
        source = folder / "joined.onnx"
        onnx.save(model, source)
        quantization.quantize_static(
            source, out, Samples(feeds),
            quant_format=quantization.QuantFormat.QDQ, per_channel=True, nodes_to_exclude=[*left, *exclude],
            activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
            calibrate_method=METHODS[method], extra_options=options,
        )  # fmt: skip
        if kept:
            quantized = onnx.load(out)
            there = weights.put_back(model, quantized, kept)
            onnx.save(quantized, out)
            print(f"weights: {there} of {len(kept)} tensors of integers kept bit for bit")
        if blocks:
            print(f"weights: {blocks} tensors with scales of blocks rounded to int8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--calibration", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--test", type=pathlib.Path, help="samples to measure with")
    parser.add_argument("--labels", type=pathlib.Path, help="the class of each sample")
    parser.add_argument("--method", choices=METHODS, default="minmax", help="how ranges follow from the samples")
    parser.add_argument("--exclude", nargs="*", default=[], help="names of nodes that stay as they are")
    parser.add_argument("--single", action="store_true", help="fix the batch to 1")
    parser.add_argument("--wide", action="store_true", help="16 bits for the sums that are normalized")
    parser.add_argument("--whole", action="store_true", help="quantize also between the parts of functions and attention")
    arguments = parser.parse_args()

    model = onnx.load(arguments.model, load_external_data=False)
    calibration = samples(arguments.calibration, model)
    test = samples(arguments.test, model) if arguments.test else calibration
    labels = np.load(arguments.labels).ravel() if arguments.labels else None
    quantize(
        arguments.model, arguments.out, calibration, arguments.method, arguments.exclude, arguments.single, arguments.whole, arguments.wide
    )  # fmt: skip
    report(run(arguments.model, test), run(arguments.out, test), labels)


if __name__ == "__main__":
    main()
