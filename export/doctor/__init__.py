"""Obstacles in a Keras model on the way to a phone, and their fixes.

`examine(model)` converts the model into a `Case` (`case.py`) and applies the rules (`rules/`) to it.
"""
