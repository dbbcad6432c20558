"""Every way of fine-tuning trains what it should, leaves the rest, and resumes exactly after a kill."""

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_vit import InputError, pretrained
from keras_vit.io.model_archive import load_model
from keras_vit.training.checkpoint.state_file import read_state
from keras_vit.training.data.dataset import ImageData, Split
from keras_vit.training.fit import fit
from keras_vit.training.recipe import ImageRecipe
from keras_vit.training.run import evaluate, train
from keras_vit.training.tasks import LinearProbe, task_of

SOURCE = Path(__file__).parents[2] / "pretrained" / "fixtures" / "timm_vit"
RECIPE = ImageRecipe(
    data="npz:unused",
    image_size=16,
    image_width=24,
    pretrained=str(SOURCE),
    epochs=3,
    batch_size=8,
    learning_rate=1e-2,
    steps_per_execution=2,
)
WAYS = {
    "full": {"layer_decay": 0.5, "drop_path_rate": 0.2, "mixup_alpha": 0.4, "ema_momentum": 0.9},
    "head": {"tuning": "head", "early_stopping_patience": 3},
    "gradual": {"tuning": "gradual", "layer_decay": 0.7, "optimizer": "muon"},
    "lora": {"tuning": "lora", "lora_rank": 2, "dropout_rate": 0.1},
}


def images(count, seed):
    """Bright and dark noise, 16 x 24."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype="int32") % 2
    pixels = rng.integers(0, 128, (count, 16, 24, 3)) + 128 * labels[:, None, None, None]
    return Split(pixels.astype("uint8"), labels)


@pytest.fixture(scope="module")
def data():
    return ImageData("noise", images(32, 0), images(16, 1), images(16, 2), ("dark", "bright"))


@pytest.fixture(scope="module")
def runs(data, tmp_path_factory):
    """A whole run of each way, trained when it is first asked for."""
    made = {}

    def run(name):
        if name not in made:
            made[name] = tmp_path_factory.mktemp(name)
            fit(dataclasses.replace(RECIPE, **WAYS[name]), made[name], data=data)
        return made[name]

    return run


def source_weights():
    model = pretrained.load(SOURCE, 2, (16, 24))
    return {w.path: np.asarray(w) for w in model.weights}


def changed(model):
    old = source_weights()
    return {w.path for w in model.weights if (np.asarray(w) != old[w.path]).any()}


class Killed(BaseException):
    pass


class KillAfter(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) >= (1, 2):
            raise Killed


@pytest.mark.slow
@pytest.mark.parametrize(
    "way", ["head", *(pytest.param(w, marks=pytest.mark.slow) for w in WAYS if w != "head")]
)
def test_a_killed_run_ends_bit_for_bit_as_if_never_stopped(way, tmp_path, data, runs):
    recipe = dataclasses.replace(RECIPE, **WAYS[way])
    with pytest.raises(Killed):
        fit(recipe, tmp_path, data=data, checkpoint_every="2", callbacks=[KillAfter()])
    resumed = fit(recipe, tmp_path, data=data, resume=True)
    (arrays, _), (expected, _) = (
        read_state(sorted((run / "state").glob("*.state"))[-1]) for run in (tmp_path, runs(way))
    )
    for array, value in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(array, value)
    whole = load_model(runs(way) / "model.keras")
    for array, value in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(array, value)


def test_training_all_weights_changes_all_of_them_and_learns(runs, data):
    model = load_model(runs("full") / "model.keras")
    assert changed(model) == set(source_weights())
    correct = np.asarray(model(data.test.images)).argmax(axis=1) == data.test.labels
    assert correct.mean() > 0.8


def test_a_linear_probe_changes_only_the_head_and_is_saved_as_a_whole_model(runs, data):
    model = load_model(runs("head") / "model.keras")
    assert model.input_shape == (None, 16, 24, 3)
    assert changed(model) == {"head/kernel", "head/bias"}
    rows = (runs("head") / "history.csv").read_text().splitlines()[1:]
    best = max(float(row.split(",")[4]) for row in rows)
    correct = np.asarray(model(data.validation.images)).argmax(axis=1) == data.validation.labels
    assert correct.mean() == pytest.approx(best)


def test_low_rank_adaptation_changes_the_kernels_of_the_blocks_and_is_merged(runs, data):
    model = load_model(runs("lora") / "model.keras")
    expected = {
        f"encoder/block_{i}/{layer}/kernel"
        for i in range(2)
        for layer in ("attention/qkv", "attention/projection", "mlp/expansion", "mlp/projection")
    }
    assert changed(model) == expected | {"head/kernel", "head/bias"}
    assert [w.path for w in model.weights] == list(source_weights())
    old = source_weights()
    for path in expected:
        new = next(np.asarray(w) for w in model.weights if w.path == path)
        assert np.linalg.matrix_rank(new - old[path], tol=1e-4) <= 2


def test_the_saved_model_computes_what_was_trained(data):
    task = task_of(dataclasses.replace(RECIPE, **WAYS["lora"]))
    model = task.build_model(data)
    for weight in model.trainable_weights:
        weight.assign(np.random.default_rng(0).normal(size=weight.shape) / 4)
    kept = task.final_model(model)
    batch = data.test.images[:4]
    np.testing.assert_allclose(np.asarray(kept(batch)), np.asarray(model(batch)), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_gradual_unfreezing_starts_with_the_head_and_adds_a_block_an_epoch(data, tmp_path):
    class Moved(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.found, self.before = [], self.weights()

        def on_epoch_end(self, epoch, logs=None):
            after = self.weights()
            self.found.append({p.split("/")[1] for p in after if (after[p] != self.before[p]).any()})
            self.before = after

        def weights(self):
            weights = self.model.weights
            return {("" if "block" in w.path else "/") + w.path: np.array(w) for w in weights}

    moved = Moved()
    recipe = dataclasses.replace(RECIPE, tuning="gradual", warmup_fraction=0.0, epochs=4, layer_decay=0.9)
    fit(recipe, tmp_path, data=data, callbacks=[moved])
    above = {"head", "encoder"}  # the norm after the blocks
    lowest = {"patch_embedding", "class_token", "position_embedding"}
    blocks = [above, above | {"block_1"}, above | {"block_1", "block_0"}]
    assert moved.found == [*blocks, blocks[-1] | lowest]


def test_the_image_size_of_the_weights_is_taken_and_written_down():
    recipe = task_of(dataclasses.replace(RECIPE, image_size=None, image_width=None)).recipe
    assert (recipe.image_size, recipe.image_width) == (16, None)


@pytest.mark.slow
def test_a_whole_run_keeps_how_images_are_prepared_and_compares_with_neighbours(tmp_path, data):
    parts = {"train": data.train, "test": data.test, "validation": data.validation}
    arrays = {f"x_{k}": s.images for k, s in parts.items()} | {f"y_{k}": s.labels for k, s in parts.items()}
    np.savez(tmp_path / "noise.npz", **arrays)
    recipe = dataclasses.replace(RECIPE, data=f"npz:{tmp_path / 'noise.npz'}", tuning="head")
    metrics = train(recipe, tmp_path / "run").metrics
    assert metrics["nearest_neighbours"]["accuracy"] > 0.8
    known = json.loads((tmp_path / "run" / "preprocessing.json").read_text())
    assert known["image_size"] == [16, 24] and known["mean"] == [0.5, 0.5, 0.5]
    assert known["crop_mode"] == "squash"
    assert pretrained.load(tmp_path / "run").preprocessing.image_size == (16, 24)
    assert evaluate(tmp_path / "run") == metrics


def test_the_backbone_computes_each_image_of_a_run_once(tmp_path, data, monkeypatch):
    from keras_vit.training.fine_tuning import probe
    from keras_vit.training.tasks import linear_probe

    sizes = []

    def counted(backbone, split):
        sizes.append(len(split))
        return computed(backbone, split)

    computed = probe.features_of
    monkeypatch.setattr(probe, "features_of", counted)
    monkeypatch.setattr(linear_probe, "features_of", counted)
    monkeypatch.setattr(LinearProbe, "load_data", lambda task, data_dir: data)
    train(dataclasses.replace(RECIPE, epochs=1, tuning="head"), tmp_path / "run")
    assert sizes == [len(data.train), len(data.validation), len(data.test)]


def test_data_of_another_type_are_refused(tmp_path):
    with pytest.raises(InputError, match="Expected the data to have the splits train .*, received x"):
        fit(RECIPE, tmp_path / "run", data={"x": [1]})
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_is_not_resumed_on_other_features(tmp_path, data):
    recipe = dataclasses.replace(RECIPE, **WAYS["head"])
    source = tmp_path / "source.keras"
    model = pretrained.load(SOURCE)
    model.save(source)
    recipe = dataclasses.replace(recipe, pretrained=str(source))
    with pytest.raises(Killed):
        fit(recipe, tmp_path / "run", data=data, callbacks=[KillAfter()])
    model.get_layer("class_token").weights[0].assign_add([[[1.0] * 16]])
    model.save(source)
    with pytest.raises(InputError, match="differ from those that the run started with"):
        fit(recipe, tmp_path / "run", data=data, resume=True)


@pytest.mark.parametrize(
    "name", ["timm_deit_distilled", "timm_dinov2_registers", "hf_siglip", "google_augreg"]
)
def test_heads_of_every_shape_are_trained_on_features(name, tmp_path, data):
    source = SOURCE.parent / name
    source = source / "weights.npz" if name.startswith("google") else source
    size = pretrained.preprocessing(source).image_size
    small = ImageData(
        "noise",
        *(Split(np.resize(s.images, (len(s), *size, 3)), s.labels) for s in (data.train, data.test)),
        Split(np.resize(data.test.images, (16, *size, 3)), data.test.labels),
        data.label_names,
    )
    recipe = dataclasses.replace(
        RECIPE, image_size=None, image_width=None, tuning="head", epochs=1, pretrained=str(source)
    )
    task = task_of(recipe)
    assert isinstance(task, LinearProbe)
    assert fit(task.recipe, tmp_path, data=small).output_shape == (None, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pretrained": None, "tuning": "head"}, "has no tuning: .* or give pretrained"),
        ({"pretrained": None, "layer_decay": 0.5}, "has no layer_decay"),
        ({"model": "cnn", "layer_decay": 0.5}, "go by the blocks of a vit"),
        ({"model": "levit", "tuning": "lora"}, "go by the blocks of a vit"),
        ({"model": "char_rnn"}, "Unknown model 'char_rnn'"),
        ({"hidden_dim": 8}, "weights decide hidden_dim"),
        ({"normalization": "standardize"}, "own normalization"),
        ({"tuning": "head", "flip": True}, "has no flip"),
        ({"tuning": "head", "layer_decay": 0.5}, "has no layer_decay"),
        ({"lora_rank": 4}, "tuning=full has no lora_rank"),
        ({"unfreeze_every": 2}, "tuning=full has no unfreeze_every"),
        ({"pretrained": "no/such/place", "image_size": None, "image_width": None}, "neither a file"),
    ],
)
def test_a_recipe_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        task_of(dataclasses.replace(RECIPE, **changes))


def test_sizes_and_channels_that_do_not_fit_are_refused(data, tmp_path):
    grey = ImageData(
        "grey", *(Split(s.images[..., :1], s.labels) for s in (data.train, data.validation, data.test)), "ab"
    )
    with pytest.raises(InputError, match="images of 3 channels"):
        fit(RECIPE, tmp_path / "run", data=grey)
    odd = Split(data.train.images[:, :15], data.train.labels)
    with pytest.raises(InputError, match="must divide the image"):
        fit(RECIPE, tmp_path / "run", data=ImageData("odd", odd, odd, odd, data.label_names))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("tuning", ["full", "head"])
def test_a_run_of_another_model_is_trained_on(tuning, tmp_path, data):
    first = RECIPE.replace(pretrained=None, model="mlp", hidden_dims=(16,), epochs=1)
    fit(first, tmp_path / "first", data=data)
    recipe = dataclasses.replace(RECIPE, pretrained=str(tmp_path / "first"), tuning=tuning)
    with pytest.raises(InputError, match="are of a model mlp, received model=vit: set model=mlp"):
        fit(recipe, tmp_path / "other", data=data)
    recipe = recipe.replace(model="mlp", image_size=None, image_width=None)
    task = task_of(recipe)
    assert (task.recipe.image_size, task.recipe.image_width) == (16, 24)
    model = fit(task.recipe, tmp_path / "second", data=data)
    before = load_model(tmp_path / "first" / "model.keras")
    moved = {
        old.path
        for old, new in zip(before.trainable_weights, model.trainable_weights, strict=True)
        if not np.array_equal(old, new)
    }
    everything = {weight.path for weight in before.trainable_weights}
    assert moved == ({"head/kernel", "head/bias"} if tuning == "head" else everything)


def test_a_file_of_an_unknown_builder_is_no_source_of_a_recipe(tmp_path, data):
    images = keras.Input((16, 24, 3))
    keras.Model(images, keras.layers.Dense(2)(keras.layers.Flatten()(images)), name="mine").save(
        tmp_path / "mine.keras"
    )
    with pytest.raises(InputError, match="Nothing says what built the model 'mine'.*module:build"):
        fit(RECIPE.replace(pretrained=str(tmp_path / "mine.keras")), tmp_path / "run", data=data)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("way", ["full", pytest.param("lora", marks=pytest.mark.slow)])
def test_a_fine_tuned_model_goes_back_with_a_card_of_its_run(way, runs, data, tmp_path):
    model = load_model(runs(way) / "model.keras")
    pretrained.save(model, tmp_path / "timm", labels=data.label_names, run_dir=runs(way))
    again = pretrained.load(tmp_path / "timm")
    batch = data.test.images[:4]
    np.testing.assert_allclose(np.asarray(again(batch)), np.asarray(model(batch)), rtol=1e-5, atol=1e-6)
    assert again.preprocessing.crop_mode == "squash" and again.preprocessing.image_size == (16, 24)
    card = (tmp_path / "timm" / "README.md").read_text()
    assert f"| recipe pretrained | {SOURCE} |" in card and "dark, bright" in card


@pytest.mark.slow
def test_a_fine_tuned_model_exports_to_every_variant(runs, data, tmp_path):
    from keras_vit.export import export_model
    from keras_vit.export.variants import FILES

    test = data.test
    rows = export_model(
        load_model(runs("lora") / "model.keras"),
        tmp_path,
        inputs=test.images,
        labels=test.labels,
        task="classification",
        label_names=data.label_names,
        variants=tuple(FILES),
        max_drop=100,
        calibration=np.concatenate([data.train.images] * 4),
    )
    assert len(rows) == len(FILES) and all(row["passed"] for row in rows)
