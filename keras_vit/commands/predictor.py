"""A predictor of MODEL in any form: exported files, files of Keras, Python objects, public weights."""

import os
from typing import NamedTuple

from keras_vit.export.prediction.load import load_predictor
from keras_vit.export.prediction.predictor import Predictor
from keras_vit.export.variants import is_exported
from keras_vit.io.preprocessing import Preprocessing


class Found(NamedTuple):
    """A predictor and what is known about its model; the other fields are those of a `FoundModel`."""

    predictor: Predictor
    name: str
    label_names: tuple | None
    preprocessing: Preprocessing | None = None

    @property
    def inputs(self):
        """Its inputs, with `name`, `shape` and `dtype`."""
        return self.predictor.description.inputs


def find_predictor(name: str, outputs: str | None = None) -> Found:
    """Returns the predictor of MODEL; `outputs` as in `keras_vit.export.load_predictor`."""
    shown = os.path.basename(os.path.abspath(name))
    if is_exported(name) or os.path.exists(os.path.join(name, "model.keras")) or name.endswith(".keras"):
        predictor = load_predictor(name, outputs=outputs)
        return Found(predictor, shown, predictor.label_names, predictor.preprocessing)
    from keras_vit.commands.found_model import find_model
    from keras_vit.export.prediction.keras_model import keras_predictor, run_predictor
    from keras_vit.io.output_meaning import OutputMeaning

    found = find_model(name)
    known = OutputMeaning(  # its outputs are calibrated
        found.task, found.activation, thresholds=found.thresholds, none_below=found.none_below
    )
    if known.is_declared(outputs) and found.task not in (None, "embedding"):
        predictor = run_predictor(found.model, found.label_names, known, found.preprocessing)
    else:
        predictor = keras_predictor(found.model, found.label_names, outputs, found.preprocessing)
    return Found(predictor, found.name, found.label_names, found.preprocessing)
