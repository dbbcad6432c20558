"""Saved models: timm and transformers compute our logits, and we load the same weights again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import parity_contract
import pytest

from keras_vit import models, pretrained
from keras_vit.errors import InputError

ROOT = Path(__file__).parent.parent.parent
FIXTURES = Path(__file__).parent / "fixtures"
PEERS = os.environ.get("KERAS_VIT_PEERS_PYTHON")
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype("uint8")


def tiny(**arguments):
    sizes = {"hidden_dim": 16, "num_layers": 2, "num_heads": 2, "mlp_dim": 24, "patch_size": 4}
    model = models.vit(**{**sizes, "image_size": 16, "num_classes": 3, **arguments})
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(("gamma" in weight.path) + 0.2 * rng.normal(size=weight.shape))
    return model


ROTARY = {"position_embedding": "rotary", "key_bias": False, "layer_scale": 0.1, "epsilon": 1e-5}
LEARNED_ROTARY = {"position_embedding": "learned_rotary", "key_bias": False, "activation": "swiglu"}

# Models that nobody publishes: (builder, formats).
OWN = {
    "plain": (lambda: tiny(), ("timm", "huggingface")),
    "gap": (lambda: tiny(pooling="gap", position_embedding="sincos_2d"), ("timm",)),
    "without_positions": (lambda: tiny(pooling="gap", position_embedding="none"), ("timm",)),
    "odd_mlp": (lambda: tiny(mlp_dim=37, activation="gelu_tanh", qk_norm=True), ("timm",)),
    "swiglu": (lambda: tiny(activation="swiglu", mlp_dim=24, layer_scale=0.1), ("timm",)),
    "resized": (lambda: models.with_image_size(tiny(), (16, 24)), ("timm",)),
    "distilled": (lambda: tiny(distillation_token=True), ("timm", "huggingface")),
    "without_biases": (lambda: tiny(head_bias=False, patch_bias=False), ("timm",)),
    "dinov2": (
        lambda: tiny(pooling="token_gap", layer_scale=0.1, num_registers=2, mlp_dim=32),
        ("huggingface",),
    ),
    "rotary": (lambda: tiny(**ROTARY, num_classes=0, num_registers=2), ("timm", "huggingface")),
    "rotary_without_registers": (
        lambda: tiny(**ROTARY, num_classes=0, activation="swiglu", qkv_bias=False, image_size=(8, 20)),
        ("timm", "huggingface"),
    ),
    "rotary_with_key_bias": (
        lambda: tiny(**{**ROTARY, "key_bias": True}, num_classes=0, rotary_base=30.0),
        ("timm", "huggingface"),
    ),
    "rotary_classifier": (
        lambda: models.with_image_size(
            tiny(**{**ROTARY, "layer_scale": None, "epsilon": 1e-6}, pooling="gap", norm_pooled=True),
            (16, 24),
        ),
        ("timm",),
    ),
    "learned_rotary": (
        lambda: models.with_image_size(
            tiny(**LEARNED_ROTARY, inner_norm="both", rotary_base=50.0, rotary_grid_size=(2, 3)), (16, 24)
        ),
        ("timm",),
    ),
    "learned_rotary_gap": (
        lambda: tiny(**LEARNED_ROTARY, qkv_bias=False, pooling="gap", norm_pooled=True, rotary_grid_size=4),
        ("timm",),
    ),
}


READ_ONLY = ("google", "timm_levit", "timm_repvit")


def fixtures():
    for folder in sorted(FIXTURES.iterdir()):
        if not folder.name.startswith(READ_ONLY):
            yield folder.name, "timm" if folder.name.startswith("timm") else "huggingface"


def answers(model, images=IMAGES):
    return np.asarray(model(images, training=False))


def images_for(model):
    height, width, channels = model.input_shape[1:]
    return np.random.default_rng(0).integers(0, 256, (2, height, width, channels)).astype("uint8")


@pytest.mark.parametrize(("name", "format"), list(fixtures()))
def test_a_model_that_is_loaded_and_saved_loads_again_bit_for_bit(name, format, tmp_path):
    model = pretrained.load(FIXTURES / name)
    pretrained.save(model, tmp_path / "saved", format=format)
    again = pretrained.load(tmp_path / "saved")
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    images = images_for(model)
    np.testing.assert_array_equal(answers(model, images), answers(again, images))
    photo = np.random.default_rng(0).integers(0, 256, (33, 47, 3)).astype("uint8")
    np.testing.assert_array_equal(again.preprocessing(photo), model.preprocessing(photo))


@pytest.mark.parametrize("name", ["timm_levit_conv", "timm_repvit"])
def test_a_family_that_is_only_read_is_not_saved(name, tmp_path):
    with pytest.raises(InputError, match="is not a Vision Transformer of keras_vit.models.vit"):
        pretrained.save(pretrained.load(FIXTURES / name), tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


@pytest.mark.parametrize("name", ["plain", "resized", "dinov2", "rotary_classifier", "learned_rotary"])
def test_models_built_here_have_the_same_outputs_after_saving(name, tmp_path):
    make, formats = OWN[name]
    model = make()
    for format in formats:
        pretrained.save(model, tmp_path / format, format=format)
        images = images_for(model)
        again = answers(pretrained.load(tmp_path / format), images)
        np.testing.assert_allclose(again, answers(model, images), rtol=0, atol=1e-5)


def test_the_model_of_a_keras_file_can_be_saved(tmp_path):
    model = tiny()
    model.save(tmp_path / "model.keras")
    pretrained.save(keras.saving.load_model(tmp_path / "model.keras"), tmp_path / "timm")
    np.testing.assert_array_equal(answers(pretrained.load(tmp_path / "timm")), answers(model))


def test_timm_and_transformers_compute_our_logits(tmp_path):
    if not PEERS:
        pytest.skip("KERAS_VIT_PEERS_PYTHON does not name a Python with timm and transformers")
    made = {f"own_{name}": row for name, row in OWN.items()}
    for name, format in fixtures():
        made[name] = (lambda name=name: pretrained.load(FIXTURES / name), (format,))
    expected = {}
    for name, (make, formats) in made.items():
        model = make()
        for format in formats:
            folder = tmp_path / f"{name}_{format}"
            pretrained.save(model, folder, format=format)
            np.save(folder / "images.npy", images_for(model))
            expected[folder] = answers(model, images_for(model))
    program = ROOT / "benchmarks/workers/pretrained_answers.py"
    done = subprocess.run([PEERS, program, *expected], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for folder, ours in expected.items():
        error = parity_contract.relative_error(ours, np.load(folder / "answers.npy"))
        assert error < parity_contract.TOLERANCE, (folder.name, error)


def test_a_graph_that_the_library_lacks_is_refused_with_the_reason(tmp_path):
    with pytest.raises(InputError, match="needs norm_first=True"):
        pretrained.save(tiny(norm_first=False), tmp_path / "timm")
    with pytest.raises(InputError, match="Hugging Face ViT needs pooling='token'"):
        pretrained.save(tiny(pooling="gap"), tmp_path / "hf", format="huggingface")
    with pytest.raises(InputError, match="DINOv2 needs mlp_dim=16 or 32 or"):
        pretrained.save(tiny(layer_scale=0.1), tmp_path / "hf", format="huggingface")
    with pytest.raises(InputError, match="timm DINOv3 needs pooling='token' or 'gap'"):
        pretrained.save(tiny(**ROTARY, pooling="map"), tmp_path / "timm")
    with pytest.raises(InputError, match="Hugging Face DINOv3 needs num_classes=0.*format='timm' has one"):
        pretrained.save(tiny(**ROTARY), tmp_path / "hf", format="huggingface")
    with pytest.raises(InputError, match="Expected 3 labels.*received 1"):
        pretrained.save(tiny(), tmp_path / "timm", labels=["a"])
    with pytest.raises(InputError, match="no recipe.json"):
        pretrained.save(tiny(), tmp_path / "timm", run_dir=tmp_path / "absent")
    with pytest.raises(InputError, match="timm, huggingface"):
        pretrained.save(tiny(), tmp_path / "x", format="onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_option_that_no_family_writes_is_refused(monkeypatch):
    module = sys.modules["keras_vit.pretrained.save"]  # the function of this name hides it as an attribute
    monkeypatch.setitem(module.BLOCK_DEFAULTS, "temperature", 1.0)
    module.check_options({"temperature": 1.0, "qk_norm": True})
    with pytest.raises(InputError, match=r"temperature=1\.0, received 2\.0"):
        module.check_options({"temperature": 2.0})


def test_the_model_card_quotes_the_run(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/recipe.json").write_text(json.dumps({"learning_rate": 1e-3, "dataset": "digits"}))
    (tmp_path / "run/metrics.json").write_text(json.dumps({"test": {"accuracy": 0.975}}))
    (tmp_path / "run/labels.txt").write_text("a\nb\nc\n")
    pretrained.save(tiny(), tmp_path / "out", run_dir=tmp_path / "run")
    card = (tmp_path / "out/README.md").read_text()
    assert "| learning_rate | 0.001 |" in card and "| test accuracy | 0.975 |" in card and "a, b, c" in card


def test_the_model_card_names_the_class_that_returns_these_logits(tmp_path):
    pretrained.save(tiny(), tmp_path / "out", format="huggingface")
    assert "ViTForImageClassification.from_pretrained" in (tmp_path / "out/README.md").read_text()
