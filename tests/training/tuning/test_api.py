import signal
import threading
import time

import numpy as np
import pytest

from keras_vit.errors import InputError
from keras_vit.training import ImageRecipe, search, train
from keras_vit.training.tuning import Search


@pytest.mark.slow
def test_an_interrupted_call_says_that_the_same_one_continues(tmp_path):
    ended = threading.Event()

    def press_ctrl_c():
        while not (tmp_path / "journal.jsonl").exists():
            time.sleep(0.01)
        while not ended.wait(2):  # Python drops it in a callback of the garbage collector
            signal.raise_signal(signal.SIGINT)

    recipe = ImageRecipe(model="linear", data="digits", epochs=1000)
    found = Search(recipe, lambda hp: hp.Float("learning_rate", 1e-3, 1e-2))
    threading.Thread(target=press_ctrl_c, daemon=True).start()
    with pytest.raises(KeyboardInterrupt) as interrupted:
        try:
            search(found, tmp_path, trials=1, seeds=0)
        finally:
            ended.set()
    assert interrupted.value.__notes__ == ["The search was interrupted: the same call continues it."]


@pytest.mark.slow
def test_limits_are_relative_to_a_recipe_or_to_the_trained_model_of_a_run(tmp_path):
    """Also of a run on data that were given in Python, which a search cannot load."""
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (40, 12, 12, 3), "uint8"), np.arange(40) % 2
    base = ImageRecipe(model="mlp", hidden_dims=(8,), epochs=1, batch_size=8)
    run = train(base, tmp_path / "run", data={"train": (images, labels)})
    small = Search(ImageRecipe(model="linear", subset=200), lambda hp: hp.Choice("epochs", [1, 2]))
    options = {"trials": 1, "seeds": 0, "max_params_ratio": 10}
    linear = 8 * 8 * 10 + 10  # of the digits
    for number, reference in enumerate([tmp_path / "run", run.task.recipe]):
        folder = tmp_path / f"search{number}"
        (record,) = search(small, folder, relative_to=reference, **options).records
        expected = run.model.count_params() if number == 0 else 8 * (64 + 1) + 10 * (8 + 1)
        assert record.footprint["parameters_ratio"] == pytest.approx(linear / expected)


def test_a_reference_that_cannot_be_measured_leaves_no_search(tmp_path):
    found = Search(ImageRecipe(model="linear", epochs=1), lambda hp: hp.Choice("epochs", [1, 2]))
    with pytest.raises(InputError, match="of relative_to .--relative-to. cannot be measured: .*nowhere"):
        lost = ImageRecipe(data="npz:nowhere.npz")
        search(found, tmp_path / "search", trials=1, seeds=0, relative_to=lost, max_params_ratio=1)
    assert not (tmp_path / "search" / "journal.jsonl").exists()
