"""Pretrained weights of timm, Hugging Face and Google for our models, and back, without torch."""

from keras_vit.io.preprocessing import Preprocessing
from keras_vit.pretrained.features import features, patch_features
from keras_vit.pretrained.load import load, preprocessing
from keras_vit.pretrained.save import save

__all__ = ["Preprocessing", "features", "load", "patch_features", "preprocessing", "save"]
