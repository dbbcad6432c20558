"""Training on several devices, by the engines of TensorFlow and JAX."""

from training.devices.engine import Engine
from training.devices.open_engine import open_engine

__all__ = ["Engine", "open_engine"]
