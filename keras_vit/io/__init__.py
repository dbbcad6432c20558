"""Reads and writes files: atomically, checked, with one-line errors."""
