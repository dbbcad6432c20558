"""Writes a SavedModel that TensorFlow serves without Keras and without this package."""

import tensorflow as tf

TOP = 5


def write_saved_model(model, label_names, path):
    """Writes a SavedModel with two signatures.

    `serving_default` takes `images`, uint8 `(batch, height, width, channels)` of the model's size;
    `serve_encoded` takes `encoded`, strings `(batch,)` of JPEG, PNG, BMP or GIF bytes, which it decodes and
    stretches to that size. Both give `class_indices` `(batch, k)` and `labels` `(batch, k)`, best first, with
    k the smaller of 5 and the number of classes, and `probabilities` `(batch, num_classes)`.

    Args:
        model: the model as `inference_model` gives it.
        label_names: sequence of str, one per class.
        path: str or Path of the folder; must not exist.
    """
    height, width, channels = model.input_shape[1:]
    names = tf.constant(list(label_names))
    top = min(TOP, len(label_names))

    def answer(images):
        probabilities = model(tf.cast(images, tf.float32), training=False)
        _, indices = tf.math.top_k(probabilities, k=top)
        return {
            "class_indices": indices,
            "labels": tf.gather(names, indices),
            "probabilities": probabilities,
        }

    def decode(data):
        # TensorFlow decodes BMP and GIF in colour only.
        image = tf.io.decode_image(data, channels=3, expand_animations=False)
        image.set_shape((None, None, 3))
        if channels == 1:
            image = tf.image.rgb_to_grayscale(image)
        image = tf.image.resize(image, (height, width), method="bilinear", antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(image), 0, 255), tf.uint8)

    @tf.function(input_signature=[tf.TensorSpec((None, height, width, channels), tf.uint8, "images")])
    def serve(images):
        return answer(images)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "encoded")])
    def serve_encoded(encoded):
        return answer(tf.map_fn(decode, encoded, fn_output_signature=tf.uint8))

    module = module_of(model)
    module.serve, module.serve_encoded = serve, serve_encoded
    module.label_names = tf.function(lambda: names, input_signature=[])
    signatures = {"serving_default": serve, "serve_encoded": serve_encoded}
    tf.saved_model.save(module, str(path), signatures=signatures)


def module_of(model):
    """Returns a `tf.Module` that owns the model's variables and nothing of Keras."""
    module = tf.Module()
    module.model_variables = [variable.value for variable in model.variables]
    return module
