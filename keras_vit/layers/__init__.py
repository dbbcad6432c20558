"""Keras layers for Vision Transformers, each usable alone in any Keras model."""

from keras_vit.layers._options import BlockOptions
from keras_vit.layers.attention_pooling import AttentionPooling
from keras_vit.layers.class_token import ClassToken
from keras_vit.layers.drop_path import DropPath
from keras_vit.layers.grid_attention import GridAttention
from keras_vit.layers.grid_pooling import GridPooling
from keras_vit.layers.image_normalization import ImageNormalization
from keras_vit.layers.layer_scale import LayerScale
from keras_vit.layers.mlp import MLP
from keras_vit.layers.patch_embedding import PatchEmbedding
from keras_vit.layers.patch_extraction import PatchExtraction
from keras_vit.layers.patch_merger import PatchMerger
from keras_vit.layers.position_embedding import PositionEmbedding
from keras_vit.layers.register_tokens import RegisterTokens
from keras_vit.layers.reparametrized_depthwise import ReparametrizedDepthwise
from keras_vit.layers.rotary_position_embedding import RotaryPositionEmbedding
from keras_vit.layers.self_attention import SelfAttention
from keras_vit.layers.token_pooling import TokenPooling
from keras_vit.layers.transformer_block import TransformerBlock
from keras_vit.layers.transformer_encoder import TransformerEncoder

__all__ = [
    "AttentionPooling",
    "BlockOptions",
    "ClassToken",
    "DropPath",
    "GridAttention",
    "GridPooling",
    "ImageNormalization",
    "LayerScale",
    "MLP",
    "PatchEmbedding",
    "PatchExtraction",
    "PatchMerger",
    "PositionEmbedding",
    "RegisterTokens",
    "ReparametrizedDepthwise",
    "RotaryPositionEmbedding",
    "SelfAttention",
    "TokenPooling",
    "TransformerBlock",
    "TransformerEncoder",
]
