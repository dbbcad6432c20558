"""Training: from a recipe and real data to a run folder with a trained, evaluated model."""
