import signal
import threading
import time

import pytest

from keras_vit.training import ImageRecipe, search
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
