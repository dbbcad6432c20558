import keras
import numpy as np
import pytest

from keras_vit.export.footprint import footprint
from keras_vit.training.tuning.state.records import ImpossibleSearch
from keras_vit.training.tuning.workers.trial import Job, measure_model


def test_a_model_that_keeps_a_state_is_measured_by_its_parameters_alone(tmp_path):
    model = keras.Sequential(
        [keras.Input((4, 1), batch_size=5), keras.layers.LSTM(2, stateful=True, name="x")]
    )
    example = np.zeros((4, 1), "float32")
    with pytest.raises(ImpossibleSearch, match="x keeps a state from call to call .*stateful=False"):
        measure_model(Job(None, str(tmp_path), measure=footprint), model, example)
    assert measure_model(Job(None, str(tmp_path)), model, example) == {"parameters": 32}
