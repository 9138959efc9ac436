"""What is written in the place of a node: nodes of its parts."""

import numpy as np
from onnx import helper

from weights import attributes


class Expansion:
    """The nodes that are written in the place of one, of whose operands `values` has samples."""

    def __init__(self, graph, node, values):
        self.graph, self.node, self.values = graph, node, values
        self.more, self.nodes = attributes(node), []
        self.name = node.name or node.output[0]
        self.inputs = [*node.input, *[""] * 16]
        self.opset = next(of.version for of in graph.model.opset_import if of.domain in ("", "ai.onnx"))

    def refuse(self, reason):
        raise SystemExit(f"{self.name} ({self.node.op_type}): {reason}")

    def need(self, condition, reason):
        if not condition:
            self.refuse(reason)

    def constant(self, array):
        return self.graph.add(f"{self.name}_constant{len(self.graph.graph.initializer)}", array)

    def put(self, operator, *inputs, **more):
        """A node of one output, whose name it gives, of values and constants."""
        inputs = [i if isinstance(i, str) else self.constant(np.asarray(i)) for i in inputs]
        label = f"{self.name}_part{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [label], label, **more))
        return label

    def shape(self, name):
        """The sizes of a value, those of one sample in the first dimension."""
        return list(self.values[name].shape)

    def unread(self, outputs, reason):
        """Refuses outputs that are read."""
        for name in filter(None, self.node.output[outputs]):
            self.need(not self.graph.readers.get(name) and name not in self.graph.outputs, reason)

    def end(self, x, output=0):
        """The value `x` under the name of an output of the old node."""
        if output < len(self.node.output) and self.node.output[output]:
            for node in self.nodes:
                for at, name in enumerate(node.input):
                    if name == x:
                        node.input[at] = self.node.output[output]
                if node.output[0] == x:
                    node.output[0] = self.node.output[output]

    def added(self, x, bias):
        return self.put("Add", x, bias) if bias else x

    def number(self, name, default):
        value = self.more.get(name, 0.0)
        return value if value else default
