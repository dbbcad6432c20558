"""Quantises one layer at a time: `python sensitivity_worker.py FP32.tflite JOB.json IMAGES.npy OUT.json`."""

import json
import re
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

sys.path.append(str(Path(__file__).parents[2]))  # last: nothing is to stand in for an installed package
from keras_vit.export.app_input import as_input, whole_batch  # noqa: E402
from keras_vit.export.quantize_worker import quantized  # noqa: E402

ENDS = re.compile(r"/(MatMul|BiasAdd|Conv2D|depthwise|separable_conv2d|Reshape|Relu6?)(_?\d+)?$")


def main():
    file, job, images, path = sys.argv[1:]
    job, images = json.loads(Path(job).read_text()), np.load(images)
    ranges = None if job["ranges"] is None else json.loads(Path(job["ranges"]).read_text())
    content = Path(file).read_bytes()
    layers = layers_of(content)
    everything = [name for names in layers.values() for name in names]
    expected = probabilities(content, images)
    rows = []
    for layer, names in layers.items():
        others = [name for name in everything if name not in names]
        alone = quantized(content, job["rules"], ranges, others)
        rows.append(
            {
                "layer": layer,
                "operators": names,
                "divergence": divergence(expected, probabilities(alone, images)),
            }
        )
    rows.sort(key=lambda row: -row["divergence"])
    Path(path).write_text(json.dumps(rows))


def layers_of(content):
    """Returns a dict from a layer's name to the names of its operators' outputs."""
    interpreter = Interpreter(model_content=content)
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
    layers = {}
    for operator in interpreter._get_ops_details():
        if operator["op_name"] != "DELEGATE":
            name = names[operator["outputs"][0]]
            layers.setdefault(layer_of(name), []).append(name)
    return layers


def layer_of(name):
    """The layer in the name of an output: of joined operators, the one that has the weights."""
    parts = [part for part in name.split(";") if part]
    weighted = [part for part in parts if ENDS.search(part) and "/" in part]
    return (weighted or parts)[-1].rpartition("/")[0] or parts[0]


def probabilities(content, images):
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    (inside,) = interpreter.get_input_details()
    outside = min(interpreter.get_output_details(), key=lambda tensor: len(tensor["shape"]))
    answers = []
    for image in images:
        batch = whole_batch(image[None], inside["shape"][0])
        interpreter.set_tensor(inside["index"], as_input(batch, inside))
        interpreter.invoke()
        answers.append(interpreter.get_tensor(outside["index"])[0])
    return np.stack(answers)


def divergence(expected, answers):
    """Mean Kullback-Leibler divergence in nats."""
    expected, answers = (np.clip(p.astype("float64"), 1e-9, 1) for p in (expected, answers))
    return float(np.mean(np.sum(expected * np.log(expected / answers), axis=1)))


if __name__ == "__main__":
    main()
