"""Obstacles in a Keras model on the way to a phone, and their fixes.

`examine(model)` converts the model (`conversion.py`) and applies the rules (`rules/`) to the result,
a `Case`.
"""
