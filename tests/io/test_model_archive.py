import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from keras_vit.errors import InputError
from keras_vit.io.model_archive import check_model_archive, load_model


def small_model():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.keras"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="relu")]).save(path)
    return path


@pytest.fixture
def rewrite(whole, tmp_path):
    """Rewrites the archive with another configuration of its layer, or other weights."""

    def write(changes=None, weights=None):
        with zipfile.ZipFile(whole) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(parts["config.json"])
        config["config"]["layers"][1]["config"].update(changes or {})
        parts["config.json"] = json.dumps(config).encode()
        if weights:
            buffer = io.BytesIO(parts["model.weights.h5"])
            with h5py.File(buffer, "a") as file:
                weights(file["layers/dense/vars"])
            parts["model.weights.h5"] = buffer.getvalue()
        with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        return tmp_path / "m.keras"

    return write


def test_the_values_of_the_weights_are_counted(whole):
    assert check_model_archive(whole) >= 3 * 2 + 2


def test_a_bidirectional_layer_which_keras_makes_twice_on_reading_loads(tmp_path):
    layer = keras.layers.Bidirectional(keras.layers.LSTM(9))
    model = keras.Sequential([keras.Input((5, 4)), layer])
    model.save(tmp_path / "both_ways.keras")
    loaded, x = load_model(tmp_path / "both_ways.keras"), np.ones((1, 5, 4), "float32")
    assert (keras.ops.convert_to_numpy(loaded(x)) == keras.ops.convert_to_numpy(model(x))).all()


@pytest.mark.parametrize("units", [10**12, 10**6])
def test_a_layer_larger_than_the_weights_is_refused_before_it_is_made(rewrite, units):
    with pytest.raises(
        InputError, match=f"weights of shape .*{units}.* numbers that the file holds, taken twice"
    ):
        load_model(rewrite({"units": units}))


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("builtin", "eval"), ("keras.utils", "get_file"), (None, "system")],
)
def test_functions_that_are_no_part_of_a_model_are_refused(rewrite, module, name):
    entry = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    with pytest.raises(InputError, match=f"needs '{name}'( of {module})?, which is neither Keras's"):
        load_model(rewrite({"activation": entry}))


def test_weights_that_are_not_finite_are_refused_by_name(rewrite):
    def spoil(group):
        group["0"][0, 0] = np.nan

    with pytest.raises(InputError, match="not finite: /layers/dense/vars/0"):
        load_model(rewrite(weights=spoil))


def test_weights_that_decompress_hugely_or_are_in_other_files_are_refused(rewrite):
    def unfold(group):
        del group["0"]
        group.create_dataset("0", shape=(10**10,), chunks=(1000,), dtype="f4", fillvalue=1)

    def link(group):
        del group["0"]
        group["0"] = h5py.ExternalLink("/etc/passwd", "/")

    for change, message in ((unfold, "not a plain array"), (link, "link to other places")):
        with pytest.raises(InputError, match=message):
            load_model(rewrite(weights=change))


def test_a_good_model_loads(tmp_path):
    small_model().save(tmp_path / "m.keras")
    assert load_model(tmp_path / "m.keras").output_shape == (None, 2)


def damaged(path, how):
    if how == "missing":
        return
    small_model().save(path)
    content = path.read_bytes()
    if how == "empty":
        path.write_bytes(b"")
    elif how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif how == "text":
        path.write_text("no model")
    elif how == "flipped":
        with zipfile.ZipFile(path) as archive:
            offset = archive.getinfo("model.weights.h5").header_offset + 200
        path.write_bytes(content[:offset] + bytes([content[offset] ^ 255]) + content[offset + 1 :])
    elif how == "other zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", "a")


@pytest.mark.parametrize("how", ["missing", "empty", "truncated", "text", "flipped", "other zip"])
def test_a_damaged_model_is_named(tmp_path, how):
    damaged(tmp_path / "m.keras", how)
    with pytest.raises(InputError, match="m.keras"):
        load_model(tmp_path / "m.keras")


def test_a_lambda_layer_is_refused_and_not_run(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x + 1)])
    model.save(tmp_path / "m.keras")
    with pytest.raises(InputError, match="Lambda"):
        load_model(tmp_path / "m.keras")


def test_an_unknown_class_is_named(tmp_path):
    small_model().save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    config["config"]["layers"][1].update(class_name="Nowhere", module="nowhere", registered_name="x>Nowhere")
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(InputError, match="Nowhere|nowhere"):
        load_model(tmp_path / "m.keras")
