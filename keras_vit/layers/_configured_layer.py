"""What all layers share: arguments become attributes and configuration; inner layers keep their settings."""

import functools
from typing import TYPE_CHECKING, Any

import keras

import keras_vit.keras_internals as keras_internals  # as a module: importing Keras there imports the layers
from keras_vit.constraints import parameters
from keras_vit.errors import InputError
from keras_vit.layers._inputs import check_input
from keras_vit.layers._layer_seeds import reseeded
from keras_vit.layers._options import LAYER_DEFAULTS, DenseOptions, LayerOptions


class ConfiguredLayer(keras.layers.Layer):
    """A layer whose attributes and configuration are the arguments of its constructor.

    Layers inside are created in the constructor. Where their settings differ from those it gave them (frozen,
    quantized, or with low-rank adapters), the configuration has these settings as `inner_layers`, by path.
    Keras's `DTypePolicyMap` would hold quantization alone, and by paths that change with the model's name.

    Args:
        arguments: dict, the `locals()` of the constructor: its own arguments, which become attributes, and
            `options`, those of `**options`. Options of dense layers and blocks get their defaults here.
    """

    axes = ("batch", "length", "hidden_dim")  # of the input; "..." stands for any number of axes

    def __init__(self, arguments: dict[str, Any]) -> None:
        options = arguments["options"]
        super().__init__(**{k: v for k, v in options.items() if k in LayerOptions.__annotations__})
        self.supports_masking = True
        given = {**LAYER_DEFAULTS, **options, **arguments}
        for name in self._argument_names():
            setattr(self, name, given[name])

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "__init__" in cls.__dict__:
            cls.__init__ = _freezing(cls.__init__)

    def __call__(self, *args, **kwargs):
        self._check_input(args[0] if args else next(iter(kwargs.values()), None))
        return super().__call__(*args, **kwargs)

    def compute_output_shape(self, input_shape):
        return input_shape  # other shapes are an override

    def get_config(self) -> dict[str, Any]:
        arguments = {name: _serialized(getattr(self, name)) for name in self._argument_names()}
        config = {**super().get_config(), **arguments}
        inner_layers = dict(_settings(self))
        return {**config, "inner_layers": inner_layers} if inner_layers else config

    @classmethod
    def from_config(cls, config: dict[str, Any]):
        config = dict(config)
        inner_layers = config.pop("inner_layers", {})
        layer = super().from_config(config)
        for path, settings in inner_layers.items():
            _apply(_inner_layer(layer, path.split("/")), settings)
        return layer

    def enable_lora(self, rank: int, lora_alpha: float | None = None) -> None:
        """Freezes the kernels of all dense layers inside and adds low-rank matrices to train in their place.

        Args:
            rank: int, the number of columns of the first matrix. The second starts at zero.
            lora_alpha: float, factor of their product, which is divided by `rank`. Default: `rank`.

        Reference: Hu et al. 2021, https://arxiv.org/abs/2106.09685
        """
        for layer in dense_layers(self):
            layer.enable_lora(rank, lora_alpha=lora_alpha)

    def rematerialized_call(self, layer_call, *args, **kwargs):
        # Keras calls `activation` as a function in this mode; ours can be a name.
        has_name = isinstance(getattr(self, "activation", None), str)
        if has_name and keras_internals.remat_mode(self) == "activations":
            return layer_call
        return super().rematerialized_call(layer_call, *args, **kwargs)

    @classmethod
    def _argument_names(cls):
        return [name for name in parameters(cls.__init__) if name not in LayerOptions.__annotations__]

    def _check_input(self, x):
        check_input(self, x)

    def _inner(self, layer_class, name, **arguments):
        """Returns an inner layer, which gets the arguments that both have in common."""
        common = [n for n in layer_class._argument_names() if n in self._argument_names()]
        shared = {n: self._shared(n, name) for n in common}
        return layer_class(**{**shared, **arguments}, name=name, dtype=self.dtype_policy)

    def _shared(self, option, layer_name):
        value = getattr(self, option)
        return reseeded(value, layer_name) if option.endswith("_initializer") else value

    def _dense(self, name, use_bias=True):
        """Returns a dense layer; `_build_dense` sets its size, which only the input's shape decides."""
        options = {option: self._shared(option, name) for option in DenseOptions.__annotations__}
        return keras.layers.Dense(1, use_bias=use_bias, name=name, dtype=self.dtype_policy, **options)

    def _norm(self, name, wanted=True):
        if not wanted:
            return keras.layers.Identity(name=name, dtype=self.dtype_policy)
        return keras.layers.LayerNormalization(epsilon=self.epsilon, name=name, dtype=self.dtype_policy)

    def _batch_norm(self, name, **options):
        options |= {"momentum": 0.9, "epsilon": 1e-5}
        return keras.layers.BatchNormalization(**options, name=name, dtype=self.dtype_policy)

    def _dropout(self, name, rate, seed):
        return keras.layers.Dropout(rate, seed=seed, name=name, dtype=self.dtype_policy)

    if TYPE_CHECKING:  # the arguments

        def __getattr__(self, name: str) -> Any: ...


def _freezing(constructor):
    """Makes a constructor freeze the layers inside too for `trainable=False`, which Keras does not do.

    `self.trainable = self.trainable` would not: TensorFlow skips attributes that get the value they have.
    """

    @functools.wraps(constructor)
    def construct(self, *args, **kwargs):
        constructor(self, *args, **kwargs)
        if not self.trainable:
            for child in keras_internals.child_layers(self):
                child.trainable = False

    return construct


def build_dense(layer, inputs, units):
    layer.units = units
    layer.build((None, inputs))


def dense_layers(layer):
    """Yields all dense layers inside a layer."""
    for child in keras_internals.child_layers(layer):
        if isinstance(child, keras.layers.Dense):
            yield child
        yield from dense_layers(child)


def _serialized(value):
    if isinstance(value, type) or callable(value):
        return keras.saving.serialize_keras_object(value)
    return value


def _settings(parent, path=""):
    """Yields the path and the settings of each inner layer whose settings differ from its parent's."""
    for child in keras_internals.child_layers(parent):
        settings = {}
        if child.trainable != parent.trainable:
            settings["trainable"] = child.trainable
        if child.dtype_policy != parent.dtype_policy:
            settings["dtype"] = keras.dtype_policies.serialize(child.dtype_policy)
        if getattr(child, "lora_enabled", False):
            settings |= {"lora_rank": child.lora_rank, "lora_alpha": child.lora_alpha}
        if getattr(child, "quantization_config", None) is not None:
            config = keras.saving.serialize_keras_object(child.quantization_config)
            settings["quantization_config"] = config
        if settings:
            yield path + child.name, settings
        yield from _settings(child, f"{path}{child.name}/")


def _inner_layer(layer, names):
    for name in names:
        layer = next((child for child in keras_internals.child_layers(layer) if child.name == name), None)
        if layer is None:
            raise InputError(f"The configuration has settings for {'/'.join(names)!r}, which does not exist.")
    return layer


def _apply(layer, settings):
    for name, value in settings.items():
        if name == "dtype":
            layer.dtype_policy = keras.dtype_policies.deserialize(value)
        elif name == "quantization_config":
            layer.quantization_config = keras.saving.deserialize_keras_object(value)
        else:
            setattr(layer, name, value)
