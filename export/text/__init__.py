"""Character models as SavedModel and TFLite, each with the signatures `score`, `step` and `generate`."""
