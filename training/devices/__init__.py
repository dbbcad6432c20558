"""Training on several devices, with TensorFlow or JAX."""

from keras_vit.training.devices.engine import Engine, open_engine

__all__ = ["Engine", "open_engine"]
