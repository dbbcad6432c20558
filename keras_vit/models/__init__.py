"""Builders of complete models. Each returns a `keras.Model` that outputs logits."""

from keras_vit.models.char_rnn import char_rnn, step_model
from keras_vit.models.char_seq2seq import char_seq2seq, seq2seq_attention, seq2seq_encoder, seq2seq_step
from keras_vit.models.char_transformer import char_transformer
from keras_vit.models.cnn import cnn
from keras_vit.models.image_size import with_image_size
from keras_vit.models.inspection import attention_scores, num_prefix_tokens
from keras_vit.models.levit import levit
from keras_vit.models.linear import linear
from keras_vit.models.mlp import mlp
from keras_vit.models.patch_size import with_patch_size
from keras_vit.models.repvit import repvit
from keras_vit.models.resnet import resnet
from keras_vit.models.rollout import attention_maps, attention_rollout
from keras_vit.models.vit import vit

__all__ = [
    "attention_maps",
    "attention_rollout",
    "attention_scores",
    "char_rnn",
    "char_seq2seq",
    "char_transformer",
    "cnn",
    "levit",
    "linear",
    "mlp",
    "num_prefix_tokens",
    "repvit",
    "resnet",
    "seq2seq_attention",
    "seq2seq_encoder",
    "seq2seq_step",
    "step_model",
    "vit",
    "with_image_size",
    "with_patch_size",
]
