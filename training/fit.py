"""Runs a recipe: data, model, `model.fit`, and the run folder."""

import dataclasses
import platform

import keras
import numpy as np

import keras_vit
from keras_vit.files import load_model, write_json, write_text
from training.augmentation import Augmentation
from training.build import build_model, load_recipe_data
from training.callbacks import BestCheckpoint, FiniteCheck, HistoryFile, Progress, RunState
from training.data.order import steps_per_epoch
from training.data.streams import evaluation_stream, train_stream
from training.optimizers import build_optimizer
from training.recipe import AUGMENTATION_FIELDS
from training.run_folder import RunFolder


def fit(recipe, run_dir, *, data=None, data_dir=None, resume=False):
    """Trains a recipe's model with `model.fit` and keeps the best of its epochs.

    Args:
        recipe: Recipe.
        run_dir: str or Path. A folder that holds no run yet, or with `resume` an interrupted one.
        data: ImageData or None, to be loaded by the recipe.
        data_dir: str, Path or None, where TFDS keeps its data.
        resume: bool, go on after the last whole epoch.

    Returns:
        The best model on the validation split, loaded from `run_dir/model.keras`.

    Raises:
        InputError: bad recipe or data, or a folder that holds a run already.
        ConditionError: loss or weights are no longer finite.
    """
    folder = RunFolder(run_dir)
    if not resume:
        folder.check_unused()
    keras.utils.set_random_seed(recipe.seed)
    data = data or load_recipe_data(recipe, data_dir)
    model = build_model(recipe, data.image_shape, data.num_classes)
    steps = steps_per_epoch(len(data.train), recipe.batch_size)
    _compile(model, recipe, steps)
    callbacks, progress, run_state = _callbacks(folder, recipe)
    done = run_state.restore(model) if resume else 0
    streams = _streams(recipe, data, done)
    _describe(folder, recipe, data)
    if done < recipe.epochs:
        try:
            model.fit(
                **streams,
                epochs=recipe.epochs,
                initial_epoch=done,
                steps_per_epoch=steps,
                callbacks=callbacks,
                shuffle=False,  # the stream has its own order
                verbose=0,
            )
        finally:
            progress.close()
    return load_model(folder.model)


def _compile(model, recipe, steps):
    model.compile(
        optimizer=build_optimizer(recipe, model, steps * recipe.epochs),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        steps_per_execution=_executed_together(steps, recipe.steps_per_execution),
        jit_compile="auto",
    )


def _executed_together(steps, limit):
    """The most steps, up to the limit, that fill an epoch: Keras would run over its end otherwise."""
    return max(count for count in range(1, limit + 1) if steps % count == 0)


def _describe(folder, recipe, data):
    versions = {
        "keras_vit": keras_vit.__version__,
        "keras": keras.version(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "backend": keras.backend.backend(),
    }
    write_json(folder.recipe, {"recipe": dataclasses.asdict(recipe), "versions": versions})
    write_text(folder.labels, "".join(f"{name}\n" for name in data.label_names))


def _callbacks(folder, recipe):
    best, history = BestCheckpoint(folder.model), HistoryFile(folder.history)
    keepers = {"best": best, "history": history}
    callbacks = [FiniteCheck(), best, history]
    if recipe.ema_momentum is not None:
        # Swapped in at the end of the epoch, before the checkpoint looks at the weights.
        callbacks.insert(0, keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    if recipe.early_stopping_patience is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=recipe.early_stopping_patience)
        )
    if keras.backend.backend() == "tensorflow":
        callbacks.append(keras.callbacks.TensorBoard(folder.tensorboard, write_graph=False))
    run_state = RunState(folder.state, keepers)
    progress = Progress(recipe.epochs, recipe.batch_size)
    return [*callbacks, run_state, progress], progress, run_state


def _streams(recipe, data, done):
    augmentation = Augmentation(**{field: getattr(recipe, field) for field in AUGMENTATION_FIELDS})
    options = {"num_classes": data.num_classes, "batch_size": recipe.batch_size}
    train = train_stream(
        data.train,
        epochs=recipe.epochs,
        seed=recipe.seed,
        augmentation=augmentation,
        start_epoch=done,
        **options,
    )
    return {"x": train, "validation_data": evaluation_stream(data.validation, **options)}
