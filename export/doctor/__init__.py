"""What in a Keras model will be in the way on a phone, and the mend.

Each rule has its file in `rules/`: a function from a `Case` to findings, listed in `rules/__init__.py`.
"""
