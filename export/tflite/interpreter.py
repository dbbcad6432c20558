"""Opens any TFLite file, to measure it."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def open_interpreter(file, num_threads=1):
    """Returns an interpreter that is ready to run, with values in its inputs.

    Floats are random in [0, 1]; integers are 0, which every table of embeddings has.

    Args:
        file: bytes of a TFLite file, or its Path.
        num_threads: int.
    """
    source = {"model_content": file} if isinstance(file, bytes) else {"model_path": str(file)}
    interpreter = Interpreter(**source, num_threads=num_threads)
    interpreter.allocate_tensors()
    random = np.random.default_rng(0)
    for tensor in interpreter.get_input_details():
        kind, shape = np.dtype(tensor["dtype"]), tensor["shape"]
        numbers = random.random(shape) if kind.kind == "f" else np.zeros(shape)
        interpreter.set_tensor(tensor["index"], numbers.astype(kind))
    return interpreter
