import json

import keras
import numpy as np

from keras_vit.training.callbacks.sample_log import SampleLog


def trained(tmp_path, steps_per_execution, start=0, state=None):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", steps_per_execution=steps_per_execution)
    model.optimizer.iterations.assign(start)
    lines = []
    log = SampleLog(tmp_path / "samples.json", 5, lambda model: ["a", "b\u2028"], lines.append)
    if state:
        log.restore(state)
    x = np.ones((12, 1), "float32")
    model.fit(x, x, batch_size=1, epochs=1, callbacks=[log], verbose=0)
    return log, lines


def test_samples_come_every_so_many_steps_to_the_screen_and_the_file(tmp_path):
    log, lines = trained(tmp_path, 1)
    assert lines == ["step 5: 'a', 'b\\u2028'", "step 10: 'a', 'b\\u2028'"]
    rows = json.loads((tmp_path / "samples.json").read_text())
    assert rows == log.rows == [{"step": step, "samples": ["a", "b\u2028"]} for step in (5, 10)]


def test_steps_that_run_together_are_sampled_once_after_the_mark(tmp_path):
    log, _ = trained(tmp_path, 4)
    assert [row["step"] for row in log.rows] == [8, 12]


def test_a_resumed_run_appends_to_its_earlier_samples(tmp_path):
    log, _ = trained(tmp_path, 1, start=23, state={"rows": [{"step": 20, "samples": ["old"]}]})
    assert [row["step"] for row in log.rows] == [20, 25, 30, 35]
