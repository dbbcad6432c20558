"""Shows samples of a text model during training."""

import sys

import keras

from keras_vit.io.json_files import write_json


class SampleLog(keras.callbacks.Callback):
    """Writes samples at regular steps: to the screen, and to a JSON file, a list of `step` and `samples`.

    With `steps_per_execution` above 1 they are drawn after the first execution that reaches the step.
    `sample` is a function from a model to a list of str, `write` shows one line.
    """

    def __init__(self, path, every: int, sample, write=None):
        super().__init__()
        self.path = path
        self.every = every
        self.sample = sample
        self.write = write or (lambda line: print(line, file=sys.stderr))
        self.rows = []
        self._last = 0

    def on_train_begin(self, logs=None):
        self._last = self._step()

    def on_train_batch_end(self, batch, logs=None):
        step = self._step()
        if step // self.every > self._last // self.every:
            samples = self.sample(self.model)
            self.rows.append({"step": step, "samples": samples})
            write_json(self.path, self.rows)
            self.write(f"step {step:,}: {', '.join(map(repr, samples))}")
        self._last = step

    def state(self):
        return {"rows": self.rows}

    def restore(self, state):
        self.rows = list(state["rows"])

    def _step(self):
        return int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))
