"""One run of a file in TFLite's own kernels, which keep the size and the value of every tensor."""

import numpy as np

from keras_vit.export.benchmarking.parts import WHOLE_NUMBERS
from keras_vit.export.tflite.interpreter import open_interpreter


class PlainRun:
    """A file that ran once."""

    def __init__(self, content: bytes):
        self.interpreter = open_interpreter(content, plain=True)
        self.interpreter.invoke()

    def fix_sizes(self, model):
        """Gives the tensors of a `ModelT` of the file the sizes that they had."""
        tensors = model.subgraphs[0].tensors
        for detail in self.interpreter.get_tensor_details():
            if detail["index"] < len(tensors):
                tensor = tensors[detail["index"]]
                tensor.shape, tensor.shapeSignature = list(map(int, detail["shape"])), None

    def copy_numbers(self, part):
        """Gives a part of the file the sizes, indices and conditions that it reads in the whole."""
        for detail in part.get_input_details():
            if np.dtype(detail["dtype"]).name.upper() in WHOLE_NUMBERS:
                part.set_tensor(detail["index"], self.interpreter.get_tensor(detail["index"]))
