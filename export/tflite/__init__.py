"""Writes, quantizes and reads TFLite files."""
