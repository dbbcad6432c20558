"""Loads a model in any of its forms as a function from inputs to outputs."""
