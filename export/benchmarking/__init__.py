"""Measures TFLite files: time, memory, and which operators need it."""
