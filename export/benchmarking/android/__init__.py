"""Measures TFLite files on a phone by adb and LiteRT's own `benchmark_model`."""
