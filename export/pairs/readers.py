"""Reads sources and writes targets with the exported forms of a model of pairs of texts."""

from pathlib import Path

import numpy as np

from keras_vit.export.text.description import PairDescription
from keras_vit.export.text.readers import SavedModelSignatures, TfliteSignatures, load_reader


def load_pair_reader(path: str | Path) -> "TflitePairReader | SavedModelPairReader":
    """Loads an exported model of pairs, a `.tflite` file or a SavedModel folder.

    Both readers have `begin`, `read`, `max_source` and `max_target` for `keras_vit.text.transduction`, and
    `description`.
    """
    return load_reader(path, TflitePairReader, SavedModelPairReader)


class _OfPairs:
    """What both forms know of the texts."""

    kind = "pairs"
    described_by = PairDescription

    @property
    def max_source(self):
        """Characters of a source at most."""
        return self.description.max_source

    @property
    def max_target(self):
        """Characters of a target at most."""
        return self.description.max_target


class TflitePairReader(_OfPairs, TfliteSignatures):
    """A TFLite file, whose signatures take one text at a time."""

    def begin(self, source):
        """Reads sources, int32 `(batch, max_source)`, and begins their targets."""
        source = np.asarray(source, "int32")
        self.states = [self.runner("encode")(source=row[None]) for row in source]


class SavedModelPairReader(_OfPairs, SavedModelSignatures):
    """A SavedModel, whose signatures take any number of texts."""

    def begin(self, source):
        """Reads sources, int32 `(batch, max_source)`, and begins their targets."""
        self.states = self.call("encode", source=np.asarray(source, "int32"))
