"""Export: from a trained model to verified files for the phone, the server and the browser."""

import importlib
from typing import TYPE_CHECKING

__all__ = ["benchmark", "examine", "export_model", "load_predictor"]
_MODULES = {
    "benchmark": "keras_vit.export.benchmarking.run",
    "examine": "keras_vit.export.doctor.examine",
    "export_model": "keras_vit.export.images.export",
    "load_predictor": "keras_vit.export.prediction.load",
}

if TYPE_CHECKING:
    from keras_vit.export.benchmarking.run import benchmark
    from keras_vit.export.doctor.examine import examine
    from keras_vit.export.images.export import export_model
    from keras_vit.export.prediction.load import load_predictor
else:  # a type checker would accept every attribute

    def __getattr__(name):
        """Imports a function, and Keras with it, when it is first used."""
        if name in _MODULES:
            return getattr(importlib.import_module(_MODULES[name]), name)
        raise AttributeError(f"module 'keras_vit.export' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
