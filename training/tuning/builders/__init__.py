"""Searches over what users build: `build(hp)`, or a `keras_tuner.HyperModel`, on data of their own.

`Sent` carries a user's object to other processes and `GivenData` the data, `explore` finds the first
hyperparameters and checks all before a search starts, `BuilderSpace` is what varies, `BuilderWork` is what a
trial does, and `fit_compiled` trains and resumes it.
"""
