"""Pretrained weights of timm, Hugging Face and Google in models of ours, and back, without torch."""

from keras_vit.pretrained.features import features
from keras_vit.pretrained.load import load

__all__ = ["features", "load"]
