"""Draws the next character inside the graph, from noise that is an input."""

import tensorflow as tf

IMPOSSIBLE = -1e9  # a logit of what must not follow


def sample(logits, noise, temperature, top_k, excluded=None):
    """Draws tokens, int32 `(batch,)`, as `keras_vit.text.sampling` does, in the operators of TFLite.

    Logits and noise are float32 `(batch, vocabulary_size)`, temperature float32 `(1,)` and above 0. Only the
    `top_k` (int32 `(1,)`) likeliest tokens may follow, and not the token `excluded`.
    """
    size = logits.shape[-1]
    if excluded is not None:
        logits += tf.one_hot(excluded, size, on_value=IMPOSSIBLE)
    ordered = tf.math.top_k(logits, size).values
    least = tf.gather(ordered, tf.clip_by_value(top_k, 1, size) - 1, axis=1)
    perturbed = (logits - ordered[:, :1]) / temperature + noise  # the likeliest is above what is impossible
    return tf.argmax(tf.where(logits >= least, perturbed, IMPOSSIBLE), axis=1, output_type=tf.int32)


def generate(form, token, noise, temperature, top_k, states, excluded=None):
    """Draws as many tokens as there is noise `(batch, count, vocabulary_size)` for, without a loop.

    `token` is what was read last but is not yet in the states. Returns int32 `(batch, count)`, and the states
    after reading all of them except the last.
    """
    tokens = []
    for one in tf.unstack(noise, axis=1):
        logits, states = form.step(token, states)
        token = sample(logits, one, temperature, top_k, excluded)
        tokens.append(token)
    return tf.stack(tokens, axis=1), states
