import contextlib
import csv
import dataclasses
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import types
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.__main__ import main
from keras_vit.errors import DataWarning
from keras_vit.io.model_archive import load_model
from keras_vit.training.checkpoint.state_file import read_state
from keras_vit.training.data.dataset import ImageData, Split
from keras_vit.training.data.order import Share
from keras_vit.training.devices import Engine, open_engine
from keras_vit.training.devices.engine import check_available, check_shared, parse_devices
from keras_vit.training.recipe import ImageRecipe, TextRecipe
from keras_vit.training.tasks import task_of

WORKER = Path(__file__).with_name("worker.py")
AT_RANDOM = ["dropout_rate=0.1", "drop_path_rate=0.2"]
BATCH_NORM = ["model=cnn", "batch_norm=true", "dropout_rate=0", "conv_dropout_rate=0", "epochs=1"]
BATCH_NORM += ["optimizer=sgd", "learning_rate=0.01"]  # Adam makes large steps of gradients that are nearly 0
BATCH_NORM += [f"{field}=none" for field in ("variant", "num_layers", "hidden_dim", "num_heads", "mlp_dim")]

needs_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow")
needs_jax = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")


@pytest.mark.parametrize("text", ["0", "-1", "2x", "x2", "2x0", "two", "ALL", "", "1.5", "2x2x2", "9999999"])
def test_an_invalid_number_of_devices_is_refused(text):
    with pytest.raises(InputError, match="Expected --devices as a number"):
        parse_devices(text)


def test_numbers_of_devices_are_read():
    assert parse_devices("all") == (None, 1)
    assert parse_devices(4) == parse_devices("4") == parse_devices("4x1") == (4, 1)
    assert parse_devices("2x4") == (2, 4)


def test_without_a_number_one_device_trains():
    engine = open_engine(None)
    assert (engine.num_parts, engine.share) == (1, Share(0, 1))
    engine.check(task_of(TextRecipe()))


def test_more_devices_than_available_are_refused_with_the_number_found():
    with pytest.raises(InputError, match="at most 1, the number of GPU devices found, received 2.*make more"):
        check_available(2, 1, "GPU", "make more")


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (TextRecipe(), "image models only, received model=char_rnn"),
        (ImageRecipe(pretrained="somewhere", image_size=32, tuning="head"), "tuning=head"),
        (ImageRecipe(batch_size=30), "batch_size divisible by 4 devices, received 30. Set batch_size=28"),
        (ImageRecipe(batch_size=3), "Set batch_size=4"),
    ],
)
def test_recipes_that_several_devices_cannot_train_are_refused(recipe, message):
    with pytest.raises(InputError, match=message):
        check_shared(task_of(recipe), 4)


@needs_tensorflow
def test_device_layouts_that_tensorflow_does_not_support_are_refused(monkeypatch):
    with pytest.raises(InputError, match="use --devices 2, or set KERAS_BACKEND=jax for 2x4"):
        open_engine("2x4")
    with pytest.raises(InputError, match="received 99.*set_logical_device_configuration"):
        open_engine("99")
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    with pytest.raises(InputError, match="Training on several machines needs KERAS_BACKEND=jax"):
        open_engine("all")


@needs_tensorflow
@pytest.mark.parametrize(
    "fields", [{"optimizer": "muon"}, {"optimizer": "convolution_muon"}, {"ema_momentum": 0.9}]
)
def test_recipes_that_tensorflow_cannot_train_on_several_devices_are_refused(fields):
    from keras_vit.training.devices.mirrored import Mirrored

    with pytest.raises(InputError, match=f"Under TensorFlow .*{next(iter(fields))}"):
        Mirrored(["/cpu:0"]).check(task_of(ImageRecipe(**fields)))


def test_backends_without_an_engine_are_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(InputError, match="--devices needs the TensorFlow or the JAX backend"):
        open_engine("2")


def test_the_command_reports_a_bad_number_in_one_line(tmp_path, capsys):
    run_dir = str(tmp_path / "run")
    assert main(["train", "vit_digits", "--devices", "0", "--run-dir", run_dir]) == 2
    assert capsys.readouterr().err.startswith("keras-vit: Expected --devices as a number")
    assert not (tmp_path / "run").exists()


def test_validation_images_that_do_not_divide_evenly_are_left_out_with_a_warning():
    split = Split(np.zeros((10, 8, 8, 1), "uint8"), np.arange(10, dtype="int32"))
    data = ImageData("ten", split, split, split, tuple("0123456789"))
    engine = Engine()
    assert engine.divisible(data) is data
    engine.num_parts = 4
    with pytest.warns(DataWarning, match="2 of the validation images are left out"):
        even = engine.divisible(data)
    assert (len(even.train), len(even.validation), len(even.test)) == (10, 8, 10)
    few = dataclasses.replace(data, validation=Split(split.images[:3], split.labels[:3]))
    with pytest.raises(InputError, match="at least one validation image for each of 4 devices, received 3"):
        engine.divisible(few)


def test_metrics_counted_on_two_devices_continue_on_one():
    model = types.SimpleNamespace(metrics_variables=[keras.Variable(0.0), keras.Variable([0.0, 0.0])])
    parts = [np.float32(1), np.float32(2), np.array([1, 2], "float32"), np.array([3, 4], "float32")]
    Engine().restore_metrics(model, parts)
    total, both = Engine().metric_arrays(model)
    assert total == 3 and both.tolist() == [4, 6]


@pytest.mark.slow
@needs_tensorflow
def test_two_devices_of_tensorflow_give_the_losses_of_one(tmp_path):
    train("tensorflow", 1, tmp_path / "one")
    train("tensorflow", 2, tmp_path / "two", devices="2")
    assert_same_losses(tmp_path / "two", tmp_path / "one")


@pytest.mark.slow
@needs_tensorflow
def test_batch_normalisation_sees_the_whole_batch_and_is_saved_for_any_device(tmp_path):
    train("tensorflow", 1, tmp_path / "one", overrides=BATCH_NORM)
    train("tensorflow", 2, tmp_path / "two", overrides=BATCH_NORM, devices="2")
    # Initial weights that differ by 1e-6 of their size give one image another class, and change the loss by
    # 1e-5 of it: rounding, which differs between one device and two, decides that image.
    assert_same_losses(tmp_path / "two", tmp_path / "one", undecided=1)
    assert_every_image_is_counted_once(tmp_path / "two")
    one, two = (load_model(tmp_path / name / "model.keras") for name in ("one", "two"))
    assert not any(getattr(layer, "synchronized", False) for layer in two.layers)
    for weight, expected in zip(two.weights, one.weights, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-5, err_msg=weight.path)


@pytest.mark.slow
@needs_tensorflow
def test_devices_of_tensorflow_draw_each_its_own_numbers_from_one_state():
    program = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        from worker import make_devices
        make_devices("tensorflow", 2)
        import keras, tensorflow as tf
        from keras_vit.training.devices import open_engine

        engine = open_engine("2")
        with engine.scope():
            layers = [keras.Input((500,)), keras.layers.Dropout(0.5, seed=3)]
            model = engine.prepare(keras.Sequential(layers))
        first, second = engine.strategy.run(lambda: model(tf.ones((1, 500)), training=True)).values
        assert 150 < int(tf.reduce_sum(tf.cast(first != second, "int32"))) < 350
        one, other = (variable.numpy().tolist() for variable in model.variables[0].value.values)
        assert one == other == [3, 1], (one, other)
    """
    command = [sys.executable, "-c", program, str(WORKER.parent)]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=True)


@pytest.fixture(scope="module")
def one_of_jax(tmp_path_factory):
    return train("jax", 4, tmp_path_factory.mktemp("one") / "run", overrides=AT_RANDOM)


@pytest.mark.slow
@needs_jax
@pytest.mark.parametrize("devices", ["4", "2x2", "1x4"])
def test_devices_of_jax_give_the_losses_of_one_also_where_they_draw_at_random(devices, one_of_jax, tmp_path):
    train("jax", 4, tmp_path / "run", devices=devices, overrides=AT_RANDOM)
    assert_same_losses(tmp_path / "run", one_of_jax)


@pytest.mark.slow
@needs_jax
def test_two_processes_of_jax_give_the_losses_of_one_and_resume_from_the_state_of_the_first(
    one_of_jax, tmp_path
):
    options = {"devices": "all", "overrides": AT_RANDOM}
    train_together(tmp_path / "whole", **options)
    assert_same_losses(tmp_path / "whole", one_of_jax)
    assert (tmp_path / "whole-process1" / "recipe.json").exists()
    train_together(tmp_path / "parts", stop_at=[1, 3], **options)
    shutil.rmtree(tmp_path / "parts-process1" / "state")
    train_together(tmp_path / "parts", resume=True, **options)
    assert_same_end(tmp_path / "parts", tmp_path / "whole")


@pytest.mark.slow
@needs_jax
@pytest.mark.parametrize("asked", [0, 1])
def test_a_signal_to_one_of_two_processes_stops_both_after_the_same_step(asked, tmp_path):
    workers = start_together(tmp_path / "run", devices="all", asked=asked, ask_at=[1, 2])
    outputs = [worker.communicate(timeout=900)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [143, 143], outputs
    assert [re.search("interrupted in epoch 2 after step [34]", output)[0] for output in outputs]
    files = [
        sorted(path.name for path in (tmp_path / run / "state").iterdir()) for run in ("run", "run-process1")
    ]
    assert files[0] == files[1]


@pytest.mark.slow
@needs_jax
def test_a_process_whose_other_one_died_says_so(tmp_path):
    alive, dead = start_together(tmp_path / "run", devices="all", dies=1, stop_at=[1, 1])
    output, _ = alive.communicate(timeout=900)
    assert dead.wait(timeout=900) == 9 and alive.returncode != 0
    assert "ConditionError: Another process of this training has ended" in output, output[-3000:]


@pytest.mark.slow
@needs_jax
def test_two_commands_killed_within_epochs_end_bit_for_bit_as_if_never_stopped(tmp_path):
    for worker in command_together(tmp_path / "whole"):
        assert worker.communicate(timeout=900) and worker.returncode == 0
    resume, steps = (), []
    for dead in ([0], [1], [0, 1]):
        workers = command_together(tmp_path / "killed", *resume)
        steps.append(wait_for_a_step(tmp_path / "killed", workers, after=max(steps, default=(0, 0))))
        for index in dead:
            workers[index].kill()
        killed = time.monotonic()
        for index in {0, 1} - set(dead):
            output, _ = workers[index].communicate(timeout=60)
            assert time.monotonic() - killed < 30 and workers[index].returncode in (1, -signal.SIGABRT)
            lines = [line for line in output.splitlines() if line.startswith("keras-vit:")]
            assert "with the same commands and --resume." in lines[-1], output[-3000:]
            assert "Traceback" not in output
        for index in dead:
            workers[index].communicate()
        resume = ["--resume"]
    for worker in command_together(tmp_path / "killed", *resume):
        output, _ = worker.communicate(timeout=900)
        assert worker.returncode == 0, output[-3000:]
    for suffix in ("", "-process1"):
        assert_same_end(tmp_path / f"killed{suffix}", tmp_path / f"whole{suffix}", epochs=6)


@pytest.mark.slow
@needs_tensorflow
def test_a_training_that_diverges_on_two_devices_reports_the_step_and_the_layer(tmp_path):
    ruin = ["optimizer=sgd", "learning_rate=1e6", "momentum=0.99", "weight_decay=1e5", "clip_norm=none"]
    worker = start("tensorflow", 2, tmp_path, devices="2", overrides=[*ruin, "warmup_fraction=0"])
    output, _ = worker.communicate(timeout=900)
    assert "Training stopped in epoch 1, step 2: the gradient of weight encoder/" in output, output[-3000:]
    assert (tmp_path / "nonfinite_batch.npz").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "backend", [pytest.param("tensorflow", marks=needs_tensorflow), pytest.param("jax", marks=needs_jax)]
)
def test_a_run_on_two_devices_resumes_bit_for_bit(backend, tmp_path):
    options = {"devices": "2", "overrides": AT_RANDOM}
    train(backend, 2, tmp_path / "whole", **options)
    train(backend, 2, tmp_path / "parts", stop_at=[1, 3], **options)
    train(backend, 2, tmp_path / "parts", resume=True, **options)
    assert_same_end(tmp_path / "parts", tmp_path / "whole")


def train(backend, count, run_dir, **options):
    """Runs the worker to its end; returns the folder of its run."""
    assert_ended(start(backend, count, run_dir, **options), options)
    return run_dir


def train_together(run_dir, **options):
    for worker in start_together(run_dir, **options):
        assert_ended(worker, options)


def command_together(run_dir, *arguments):
    """Starts the command `train` twice, for two processes that train together."""
    recipe = ["vit_digits", "num_layers=1", "hidden_dim=16", "mlp_dim=32", "batch_size=32", "epochs=6"]
    command = [sys.executable, "-m", "keras_vit", "train", *recipe, *AT_RANDOM, "--run-dir", run_dir]
    command += ["--devices", "all", "--checkpoint-every", "7", *arguments]
    return [popen(command, environment) for environment in environments()]


def wait_for_a_step(run_dir, workers, after):
    """Waits until both processes have saved a state within an epoch; returns epoch and step."""
    while all(worker.poll() is None for worker in workers):
        found = []
        for run in (run_dir, run_dir.with_name(f"{run_dir.name}-process1")):
            with contextlib.suppress(OSError, InputError, IndexError):  # none yet, or removed meanwhile
                document = read_state(sorted((run / "state").glob("*.state"))[-1])[1]
                found.append((document["epoch"], document["step"]))
        if len(found) == 2 and min(found) > after and all(step for _, step in found):
            return min(found)
        time.sleep(0.01)
    raise AssertionError([worker.communicate()[0][-3000:] for worker in workers])


def start_together(run_dir, **options):
    return [start("jax", 1, run_dir, environment, **options) for environment in environments()]


def environments():
    """What two processes find in their environments that train together."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    shared = {"KERAS_BACKEND": "jax", "KERAS_DISTRIBUTION_JOB_ADDRESSES": address}
    shared["KERAS_DISTRIBUTION_NUM_PROCESSES"] = "2"
    return [{**shared, "KERAS_DISTRIBUTION_PROCESS_ID": str(process)} for process in range(2)]


def start(backend, count, run_dir, environment=None, **options):
    return popen([sys.executable, WORKER, backend, str(count), run_dir, json.dumps(options)], environment)


def popen(command, environment):
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def assert_ended(worker, options):
    try:
        output, _ = worker.communicate(timeout=900)
    finally:
        worker.kill()
    stopped = "stop_at" in options
    assert (worker.returncode != 0) == stopped, output[-3000:]


def assert_same_losses(run, expected, undecided=0):
    """Compares two histories; `undecided` training images, of 320 in an epoch, may have another class."""
    rows, expected = (list(csv.DictReader((folder / "history.csv").open())) for folder in (run, expected))
    assert len(rows) == len(expected) > 0
    for row, other in zip(rows, expected, strict=True):
        for column in ("loss", "val_loss", "accuracy", "val_accuracy"):
            images = undecided * 1.01 if column == "accuracy" else 0
            close = pytest.approx(float(other[column]), rel=1e-4, abs=images / 320)
            assert float(row[column]) == close, column


def assert_every_image_is_counted_once(run):
    """Checks the states within an epoch: sum and number of the losses, then of the correct classes."""
    within_epoch = 0
    for file in (run / "state").glob("*.state"):
        arrays, document = read_state(file)
        if metrics := arrays[document["variables"] :]:
            _, losses, correct, classes = np.reshape(metrics, (4, -1)).sum(axis=1)  # over the devices
            assert losses == classes == 64 * document["step"] and correct == round(correct)
            within_epoch += 1
    assert within_epoch


def assert_same_end(run, expected, epochs=2):
    (arrays, document), (others, other) = (
        read_state(sorted((folder / "state").glob("*.state"))[-1]) for folder in (run, expected)
    )
    assert document["epoch"] == other["epoch"] == epochs
    assert document["callbacks"]["History"] == other["callbacks"]["History"]
    assert len(arrays) == len(others) > 30
    for array, value in zip(arrays, others, strict=True):
        np.testing.assert_array_equal(array, value)
