"""A Keras model as a function from named arrays to named arrays, and its export to verified files."""
