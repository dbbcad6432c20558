"""Measures TFLite files: time, memory, and which operators take them."""
