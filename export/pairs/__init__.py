"""Models of pairs of texts as SavedModel and TFLite, each with the signatures `encode` and `step`."""
