"""A model trained here is a source of weights like any other."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from keras_vit import models, pretrained
from keras_vit.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype("uint8")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    model = models.vit(
        image_size=16, patch_size=4, hidden_dim=16, num_layers=2, num_heads=2, mlp_dim=24, num_classes=3,
        stem="conv", pooling="gap", pixel_mean=(0.4, 0.5, 0.6),
    )  # fmt: skip
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    model.save(folder / "model.keras")
    return folder


@pytest.mark.parametrize("name", ["", "model.keras"])
def test_a_run_and_its_file_load_the_trained_model(run, name):
    model = pretrained.load(run / name)
    trained = keras.saving.load_model(run / "model.keras")
    np.testing.assert_array_equal(np.asarray(model(IMAGES)), np.asarray(trained(IMAGES)))
    assert model.preprocessing.crop_mode == "squash" and model.preprocessing.mean == (0.4, 0.5, 0.6)


def test_another_head_and_image_size_keep_the_rest(run):
    old = {w.path: np.asarray(w) for w in pretrained.load(run).weights}
    model = pretrained.load(run, num_classes=7, image_size=(32, 16), drop_path_rate=0.1)
    assert model.output_shape == (None, 7) and model.input_shape == (None, 32, 16, 3)
    changed = {
        w.path
        for w in model.weights
        if old[w.path].shape != tuple(w.shape) or (np.asarray(w) != old[w.path]).any()
    }
    assert changed == {"head/kernel", "head/bias", "position_embedding/embedding"}
    resized = models.with_image_size(pretrained.load(run), (32, 16))
    bare = pretrained.load(run, image_size=(32, 16))
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 16, 3)).astype("uint8")
    np.testing.assert_allclose(np.asarray(bare(images)), np.asarray(resized(images)), rtol=1e-4, atol=1e-3)


def test_a_new_head_is_initialized_even_for_the_same_number_of_classes(run):
    kept, new = (
        np.asarray(pretrained.load(run, 3, new_head=is_new).get_layer("head").kernel)
        for is_new in (False, True)
    )
    assert (kept != new).all()


def test_saved_preprocessing_is_read_and_an_invalid_one_refused(run, tmp_path):
    (tmp_path / "model.keras").write_bytes((run / "model.keras").read_bytes())
    known = pretrained.Preprocessing(image_size=(16, 16), crop_ratio=0.9, interpolation="bicubic")
    saved = tmp_path / "preprocessing.json"
    saved.write_text(json.dumps(dataclasses.asdict(known)))
    assert pretrained.preprocessing(tmp_path, 32) == known.for_size(32)
    for bad in ("[]", "{}", json.dumps({**dataclasses.asdict(known), "crop_mode": "magic"})):
        saved.write_text(bad)
        with pytest.raises(InputError, match="preprocessing.json|crop mode"):
            pretrained.load(tmp_path)


def test_a_letterbox_on_grey_is_saved_for_no_library_that_has_none(tmp_path):
    tiny = {"image_size": 16, "patch_size": 8, "hidden_dim": 8, "num_layers": 1, "num_heads": 1, "mlp_dim": 8}
    model = models.vit(**tiny, num_classes=3, pixel_mean=(0.4, 0.5, 0.6))
    letterbox = model.preprocessing = pretrained.Preprocessing.of("letterbox", 16)
    for library, reason in (("timm", "pads with the mean"), ("huggingface", "has no letterbox")):
        with pytest.raises(InputError, match=reason):
            pretrained.save(model, tmp_path / library, format=library)
    assert not any(tmp_path.iterdir())
    model.preprocessing = dataclasses.replace(letterbox, fill=None)  # which timm has
    pretrained.save(model, tmp_path / "timm")
    again = pretrained.load(tmp_path / "timm").preprocessing
    assert (again.crop_mode, again.mean) == ("border", (0.4, 0.5, 0.6))


GRAPHS = {
    "levit": {"variant": "Pico", "image_size": 16, "distillation_head": True},
    "repvit": {"variant": "Pico", "image_size": 16},
    "cnn": {"image_size": 16},
    "resnet": {"image_size": 16},
    "mlp": {"image_size": 8},
    "linear": {"image_size": 8},
}


def trained(name, **options):
    """A model whose weights and statistics are not the initial ones, as if trained."""
    model = getattr(models, name)(num_classes=3, channels=3, **GRAPHS[name], **options)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(weight + rng.uniform(0.01, 0.1, weight.shape))
    return model, rng.integers(0, 256, (8, *model.input_shape[1:])).astype("uint8")


@pytest.mark.parametrize("name", GRAPHS)
def test_a_run_of_any_builder_is_a_source_and_keeps_all_but_the_head(name, tmp_path):
    model, images = trained(name)
    model.save(tmp_path / "model.keras")
    expected = np.asarray(model(images))
    np.testing.assert_array_equal(np.asarray(pretrained.load(tmp_path)(images)), expected)
    other = pretrained.load(tmp_path, 5, seed=1)
    assert other.output_shape == (None, 5)
    assert other.preprocessing.image_size == other.input_shape[1:3]
    heads = sum(weight.shape[-1] == 5 for weight in other.weights)
    same = [np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights(), strict=True)]
    assert same.count(False) == heads and heads == (4 if "distillation_head" in GRAPHS[name] else 2)
    again, third = (pretrained.load(tmp_path, 5, seed=seed).get_weights() for seed in (1, 2))
    assert all(map(np.array_equal, again, other.get_weights()))
    assert not all(map(np.array_equal, again, third))


def test_another_precision_is_that_of_all_but_the_head(tmp_path):
    model, images = trained("levit", dropout_rate=0.1, drop_path_rate=0.1)
    model.save(tmp_path / "model.keras")
    rates = {"dropout_rate": 0.3, "drop_path_rate": 0.2}
    loaded = pretrained.load(tmp_path, dtype="mixed_bfloat16", **rates)
    expected = models.levit(**GRAPHS["levit"], num_classes=3, dtype="mixed_bfloat16", **rates)
    for layer, other in zip(loaded.layers, expected.layers, strict=True):
        assert (layer.name, layer.dtype_policy) == (other.name, other.dtype_policy)
        assert getattr(layer, "rate", None) == getattr(other, "rate", None)
    back = pretrained.load(tmp_path, dtype="float32")
    np.testing.assert_array_equal(np.asarray(back(images)), np.asarray(model(images)))


def test_a_nested_model_becomes_one_graph(tmp_path):
    inner = models.resnet(image_size=16, num_classes=3, channels=3)
    images = keras.Input((16, 16, 3))
    scaled = keras.layers.Rescaling(0.5, name="scaling")(images)  # a name that the inner model has too
    scores = keras.layers.Softmax()(inner(scaled))
    model = keras.Model(images, scores)
    model.save(tmp_path / "model.keras")
    loaded = pretrained.load(tmp_path)
    np.testing.assert_allclose(np.asarray(loaded(IMAGES)), np.asarray(model(IMAGES)), rtol=1e-6)
    names = [layer.name for layer in loaded.layers]
    assert {"scaling", "scaling_2", "head"} <= set(names) and len(set(names)) == len(names)
    logits = pretrained.load(tmp_path, new_head=True)
    assert logits.layers[-1].name == "head" and logits.output_shape == (None, 3)
    np.testing.assert_allclose(
        np.asarray(pretrained.load(tmp_path, 0)(IMAGES)),
        np.asarray(keras.Model(inner.inputs, inner.get_layer("pooling").output)(IMAGES * np.float32(0.5))),
        rtol=1e-5,
        atol=1e-6,
    )


def test_a_scale_after_the_head_stays_with_the_head(run, tmp_path):
    vit = keras.saving.load_model(run / "model.keras")
    scale = keras.layers.Rescaling([2.0, 3.0, 4.0], [1.0, 0.0, -1.0], name="scale")
    keras.Model(vit.inputs, scale(vit.outputs[0])).save(tmp_path / "model.keras")
    expected = np.asarray(vit(IMAGES)) * [2, 3, 4] + [1, 0, -1]
    np.testing.assert_allclose(np.asarray(pretrained.load(tmp_path)(IMAGES)), expected, rtol=1e-5)
    assert pretrained.load(tmp_path, new_head=True).layers[-1].name == "head"


def test_images_of_another_size_where_the_weights_fit_them(tmp_path):
    model, _ = trained("resnet")
    model.save(tmp_path / "model.keras")
    larger = pretrained.load(tmp_path, image_size=(24, 40))
    assert larger.input_shape == (None, 24, 40, 3) and larger.preprocessing.image_size == (24, 40)
    for a, b in zip(larger.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("levit", {"image_size": 32}, "are for images of 16 x 16; received 32 x 32"),
        ("cnn", {"image_size": 32}, "'flatten' has inputs of the shape"),
        ("mlp", {"image_size": (4, 16)}, "'flatten' has inputs of the shape"),  # as many pixels
        ("resnet", {"hidden_dim": 8}, "decide hidden_dim"),
        ("resnet", {"drop_path_rate": 0.1}, "no DropPath layer"),
    ],
)
def test_what_the_weights_of_another_model_decide_is_refused(name, options, message, tmp_path):
    model = getattr(models, name)(num_classes=3, channels=3, **GRAPHS[name])
    model.save(tmp_path / "model.keras")
    with pytest.raises(InputError, match=message):
        pretrained.load(tmp_path, **options)


def test_a_model_that_is_no_source_is_refused(tmp_path):
    images = keras.Input((8, 8, 3))
    features = keras.layers.GlobalAveragePooling2D(name="means")(images)
    keras.Model(images, features).save(tmp_path / "model.keras")
    assert pretrained.load(tmp_path).output_shape == (None, 3)
    with pytest.raises(InputError, match="ends in 'means', GlobalAveragePooling2D"):
        pretrained.load(tmp_path, 5)
    keras.Model(images, [features, features]).save(tmp_path / "model.keras")
    with pytest.raises(InputError, match="to one output"):
        pretrained.load(tmp_path)
    with pytest.raises(InputError, match="Expected a .keras model file"):
        pretrained.load(tmp_path / "absent.keras")
