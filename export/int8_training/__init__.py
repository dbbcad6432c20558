"""Trains the weights of a TFLite file for the rounding of its static int8 variant.

The operators of the float32 file are computed in TensorFlow, with the weights as variables and each tensor
rounded as in the quantized file (`graph.py`, `operators.py`). The weights then learn to give the outputs that
the float32 file gave (`train.py`); labels are not needed. Scales of activations are those of the calibration
and stay, scales of weights follow from the weights, so that the quantized file computes what training saw.
"""
