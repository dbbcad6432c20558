"""Times an epoch of our `fit`, with all its callbacks, and of a bare loop over the same batches, alternating.

    python benchmarks/fit_overhead.py vit_digits epochs=12
    python benchmarks/fit_overhead.py vit_cifar10 epochs=4 subset=2560 --data-dir TFDS

The bare loop is a `tf.function` that takes a batch from the same pipeline, computes loss and gradients and
applies the optimizer: no metrics, no callbacks. It trains a twin of the model. After each epoch of `fit`
comes one of the loop; the first of each traces and is left out. Reported are medians of CPU time, which
counts all threads, and of the ratio of the two neighbours; validation and saving after the epoch are not
part of either, and are reported apart.
"""

import argparse
import statistics
import tempfile
import time

import keras
import tensorflow as tf

from keras_vit.training.fit import fit
from keras_vit.training.optimizers import build_optimizer
from keras_vit.training.recipe import override
from keras_vit.training.recipes import find_recipe
from keras_vit.training.tasks import task_of


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipe", metavar="RECIPE")
    parser.add_argument("overrides", nargs="*", metavar="field=value")
    parser.add_argument("--data-dir")
    options = parser.parse_args()
    recipe = override(find_recipe(options.recipe).RECIPE, options.overrides)
    data = task_of(recipe).load_data(options.data_dir)
    turns = InTurn(BareLoop(recipe, data))
    with tempfile.TemporaryDirectory() as folder:
        fit(recipe, f"{folder}/run", data=data, callbacks=[turns])
    turns.report()


class BareLoop:
    """Trains a twin of the recipe's model, an epoch at a time, without callbacks."""

    def __init__(self, recipe, data):
        task = task_of(recipe)
        self.steps = task.steps_per_epoch(data)
        self._model = task.build_model(data)
        self._loss = task.compile_options()["loss"]
        self._optimizer = build_optimizer(recipe, self._model, self.steps * recipe.epochs)
        self._optimizer.build(self._model.trainable_variables)
        self._batches = iter(task.streams(data)["x"])
        self._step = tf.function(self._train)

    def epoch(self):
        for _ in range(self.steps):
            loss = self._step(*next(self._batches))
        return float(loss)  # waits for the last step

    def _train(self, images, labels):
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape:
            loss = self._loss(labels, self._model(images, training=True))
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return loss


class InTurn(keras.callbacks.Callback):
    """Measures an epoch of `fit` up to its validation, and runs one of the loop after it."""

    def __init__(self, loop):
        super().__init__()
        self.loop = loop
        self.fit_seconds, self.loop_seconds, self.after_seconds = [], [], []
        self._training = False

    def on_epoch_begin(self, epoch, logs=None):
        now = time.process_time()
        if epoch:  # all callbacks of the previous epoch have run
            self.after_seconds.append(now - self._validation_started)
            self.loop.epoch()
            self.loop_seconds.append(time.process_time() - now)
        self._started, self._training = time.process_time(), True

    def on_test_begin(self, logs=None):
        if self._training:
            self._validation_started, self._training = time.process_time(), False
            self.fit_seconds.append(self._validation_started - self._started)

    def report(self):
        pairs = list(zip(self.fit_seconds, self.loop_seconds, strict=False))[1:]
        ratios = [fitted / bare for fitted, bare in pairs]
        milliseconds = 1000 * statistics.median(bare for _, bare in pairs) / self.loop.steps
        print(
            f"bare loop: {milliseconds:.1f} ms of CPU a step, {self.loop.steps} steps an epoch\n"
            f"fit against it: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}, "
            f"{len(ratios)} pairs of epochs)\n"
            f"validation and saving after an epoch: {statistics.median(self.after_seconds):.2f} s"
        )


if __name__ == "__main__":
    main()
