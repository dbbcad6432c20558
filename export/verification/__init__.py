"""Writes the variants of a model, compares each with the model, measures it and records the result."""
