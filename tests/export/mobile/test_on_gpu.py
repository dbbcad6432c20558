"""Files of the mobile form run on LiteRT's GPU accelerator, here on the software GPU that Chromium brings."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.hardware_accelerator import HardwareAccelerator
from ai_edge_litert.options import CpuOptions, Options
from every_model import OTHER_MODELS, VIT_OPTIONS, other_model, vit_with

from keras_vit.export.mobile import mobile_form
from keras_vit.export.mobile.normalization import layer_norm, rotated_layer_norm, unit_norm
from keras_vit.export.mobile.pending import materialize
from keras_vit.export.tflite.graph import read_graph

WORKER = Path(__file__).parents[3] / "benchmarks" / "workers" / "software_gpu.py"
LARGEST_ERROR = 1e-4  # of the largest logit: roundings of float32; a wrong operator makes 0.1 and more
FLOAT16 = 4  # TFLITE_XNNPACK_DELEGATE_FLAG_FORCE_FP16


def write(function, specs, path, half=False):
    traced = tf.function(function, input_signature=specs).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced])
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    path.write_bytes(converter.convert())
    return path


def files_of(model, folder):
    specs = [tf.TensorSpec((1, *model.input_shape[1:]))]
    form = mobile_form(model)
    return [write(form, specs, folder / f"{model.name}_{half}.tflite", half) for half in (False, True)]


def check(files):
    """The GPU takes all operators of files and gives the Interpreter's answers."""
    command = [sys.executable, WORKER, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if results and results[0].get("failure") == "no Vulkan":
        pytest.skip("no Chromium is installed, whose software GPU computes")
    assert len(results) == len(files), done.stderr[-2000:]
    for file, result in zip(files, results, strict=True):
        assert result["operators"] == result.get("taken"), (file, result)
        assert result["error"] < LARGEST_ERROR, (file, result)
        graph = read_graph(file.read_bytes()).subgraphs[0]
        assert max(len(tensor.shape) for tensor in graph.tensors if tensor.shape is not None) <= 4, file


def test_a_gpu_takes_all_of_a_vision_transformer_and_computes_it_rightly(tmp_path):
    parts = {"stem": "conv", "position_embedding": "rotary", "qk_norm": True, "activation": "swiglu"}
    check(files_of(vit_with({**parts, "num_registers": 2, "pooling": "map", "num_layers": 1}), tmp_path))


@pytest.mark.slow
def test_a_gpu_takes_all_of_every_model_and_computes_it_rightly(tmp_path):
    models = [*map(vit_with, VIT_OPTIONS), *map(other_model, OTHER_MODELS)]
    folders = [tmp_path / str(number) for number in range(len(models))]
    for folder in folders:
        folder.mkdir()
    check([file for model, folder in zip(models, folders, strict=True) for file in files_of(model, folder)])


def in_float16(path, x):
    """The answer of XNNPACK when it computes all in float16, as it does on phones whose apps allow it."""
    options = Options(
        hardware_accelerators=HardwareAccelerator.CPU,
        cpu_options=CpuOptions(num_threads=1, xnnpack_flags=FLOAT16),
    )
    model = CompiledModel.from_file(str(path), options=options)
    (source,), (target,) = model.create_input_buffers(0), model.create_output_buffers(0)
    source.write(np.ascontiguousarray(x))
    model.run_by_index(0, [source], [target])
    (detail,) = model.get_output_tensor_details(*model.get_signature_list()).values()
    return target.read(int(np.prod(detail["shape"])), np.float32).reshape(detail["shape"])


def tokens(*sizes):
    sizes = np.array(sizes, "float32")
    return sizes[:, None] * np.random.default_rng(0).normal(size=(1, len(sizes), 192)).astype("float32")


def test_large_and_small_tokens_are_normalized_rightly_in_float16(tmp_path):
    layer = keras.layers.LayerNormalization(epsilon=1e-6)
    x = tokens(0, 0.01, 1, 300, 3000)
    specs = [tf.TensorSpec(x.shape)]
    layer.build(x.shape)
    usual = write(lambda x: materialize(layer_norm(layer, x)), specs, tmp_path / "usual.tflite")
    np.testing.assert_allclose(in_float16(usual, x), layer(x), atol=5e-3)
    without_mean = x - x.mean(axis=-1, keepdims=True)  # as the residual stream is kept
    rotated = write(lambda x: rotated_layer_norm(layer, x, np.eye(192)).x, specs, tmp_path / "rotated.tflite")
    np.testing.assert_allclose(in_float16(rotated, without_mean), layer(without_mean), atol=5e-3)


def test_large_vectors_are_divided_by_their_norm_in_float16(tmp_path):
    layer = keras.layers.UnitNormalization()
    x = tokens(0, 1, 200)  # whose sums of squares are above the largest float16
    unit = write(lambda x: unit_norm(layer, x), [tf.TensorSpec(x.shape)], tmp_path / "unit.tflite")
    np.testing.assert_allclose(in_float16(unit, x), layer(x), atol=1e-3)


@pytest.mark.parametrize("size", [0, 1e-3, 1, 3000])
def test_one_vector_of_any_length_is_divided_by_its_norm_in_float16(tmp_path, size):
    layer = keras.layers.UnitNormalization()
    x = tokens(size)[:, 0]
    unit = write(lambda x: unit_norm(layer, x), [tf.TensorSpec(x.shape)], tmp_path / "unit.tflite")
    np.testing.assert_allclose(in_float16(unit, x), layer(x), atol=1e-3)
