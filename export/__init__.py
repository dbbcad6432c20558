"""Export: from a trained model to verified files for the phone, the server and the browser."""

from typing import TYPE_CHECKING

from keras_vit.lazy import lazy_names

__all__ = ["benchmark", "examine", "export_model", "load_predictor"]

if TYPE_CHECKING:
    from keras_vit.export.benchmarking.run import benchmark
    from keras_vit.export.doctor.examine import examine
    from keras_vit.export.images.export import export_model
    from keras_vit.export.prediction.load import load_predictor
else:  # a type checker would accept every attribute
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "benchmark": "benchmarking.run",
            "examine": "doctor.examine",
            "export_model": "images.export",
            "load_predictor": "prediction.load",
        },
    )
