"""Measures the cost of saving the state and of checking for NaN in a training.

    python benchmarks/checkpoint_overhead.py vit_digits variant=Ti/2 epochs=1 --every 10s

Both are timed inside of one `fit`, so that a busy machine slows all parts alike. The share is given for the
interval of the run and, from the time of one saving, for one a minute. Time is the clock's, which includes
waiting for the disk, and the process's CPU time.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import keras

from keras_vit.training.callbacks import FiniteCheck
from keras_vit.training.checkpoint import RunState
from keras_vit.training.fit import fit
from keras_vit.training.recipe import override
from keras_vit.training.recipes import find_recipe
from keras_vit.training.tasks import task_of


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipe", metavar="RECIPE")
    parser.add_argument("overrides", nargs="*", metavar="field=value")
    parser.add_argument("--every", default="10s", help="steps or time (default: %(default)s)")
    parser.add_argument("--data-dir")
    options = parser.parse_args()
    recipe = override(find_recipe(options.recipe).RECIPE, options.overrides)
    data = task_of(recipe).load_data(options.data_dir)
    saving, looking, training = timed(RunState, "_save"), timed(FiniteCheck, "check_and_copy"), Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        fit(recipe, f"{folder}/run", data=data, checkpoint_every=options.every, callbacks=[training])
        size = max(file.stat().st_size for file in Path(folder).glob("run/state/*"))
    print(f"state file: {size / 1e6:.1f} MB; saved {len(saving)} times")
    for name, column in (("clock", 0), ("CPU", 1)):
        total, one = training.spent[column], statistics.median(s[column] for s in saving)
        print(
            f"{name}: training {total:.1f} s; one saving {one:.3f} s, all {share(saving, column, total)}; "
            f"one a minute would be {100 * one / 60:.2f} %; checking for NaN {share(looking, column, total)}"
        )


def timed(owner, name):
    """Wraps a method so that the clock and CPU seconds of each call are appended to the returned list."""
    seconds, original = [], getattr(owner, name)

    def call(*arguments, **options):
        started = now()
        try:
            return original(*arguments, **options)
        finally:
            seconds.append(since(started))

    setattr(owner, name, call)
    return seconds


class Stopwatch(keras.callbacks.Callback):
    """Times all training steps of a run except the first, which traces; validation is left out."""

    def __init__(self):
        super().__init__()
        self.spent, self._started = (0.0, 0.0), None

    def on_train_batch_end(self, batch, logs=None):
        self._started = self._started or now()

    def on_test_begin(self, logs=None):
        self.spent = tuple(map(sum, zip(self.spent, since(self._started), strict=True)))
        self._started = None


def now():
    return time.monotonic(), time.process_time()


def since(started):
    return tuple(after - before for before, after in zip(started, now(), strict=True))


def share(calls, column, total):
    return f"{100 * sum(call[column] for call in calls) / total:.2f} %"


if __name__ == "__main__":
    main()
