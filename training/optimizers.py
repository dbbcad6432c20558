"""Builds a recipe's optimizer and learning-rate schedule."""

import inspect
from collections.abc import Callable
from typing import NamedTuple

import keras

from keras_vit.errors import InputError
from keras_vit.importing import user_code
from keras_vit.training.muon import ConvolutionMuon
from keras_vit.training.own_parts import accepted, is_part, own_part


class Optimizer(NamedTuple):
    """A row of `OPTIMIZERS`, which names the choices of a recipe."""

    optimizer_class: type[keras.optimizers.Optimizer]
    fields: tuple[str, ...] = ()  # of a recipe, which only some optimizers accept under the same name
    options: Callable = lambda recipe: {}  # further arguments


# And embeddings; learned queries and biases of positions are no maps of features
NOT_BY_MUON = ["head", "queries$", "probe$", "attention_bias$"]


def _options_of_muon(recipe):
    return {"adam_weight_decay": recipe.weight_decay, "exclude_layers": NOT_BY_MUON}


OPTIMIZERS = {
    "adamw": Optimizer(keras.optimizers.AdamW),
    "muon": Optimizer(keras.optimizers.Muon, options=_options_of_muon),
    "convolution_muon": Optimizer(ConvolutionMuon, options=_options_of_muon),
    "sgd": Optimizer(keras.optimizers.SGD, fields=("momentum",)),
    "adam": Optimizer(keras.optimizers.Adam),
    "rmsprop": Optimizer(keras.optimizers.RMSprop),
    "adagrad": Optimizer(keras.optimizers.Adagrad),
    "adadelta": Optimizer(keras.optimizers.Adadelta),
}


def optimizers_with(field):
    """Returns the names of the optimizers that accept a field of a recipe."""
    return [name for name, row in OPTIMIZERS.items() if field in row.fields]


_FIELDS = {  # argument of an optimizer: field of a recipe
    "learning_rate": "learning_rate", "weight_decay": "weight_decay", "global_clipnorm": "clip_norm",
    "clipvalue": "clip_value", "use_ema": "ema_momentum", "ema_momentum": "ema_momentum",
}  # fmt: skip


def own_optimizer(recipe, options, derived):
    """Makes an optimizer of the user's own: of a class or a function, with the options that it accepts."""
    what, name = "the optimizer", recipe.optimizer
    found = own_part(name, what, object if "{" in name else ())
    if isinstance(found, keras.optimizers.Optimizer):
        if derived(type(found)) is not type(found):
            raise InputError(
                "Learning rates by depth and several devices need the class of an optimizer: give "
                f"optimizer={name.partition('{')[0]} without its configuration."
            )
        return found
    is_class = isinstance(found, type) and issubclass(found, keras.optimizers.Optimizer)
    given = options if is_class and _has_keywords(found) else accepted(found, options)
    changed = {name for name, value in recipe.changed().items() if value}
    if unused := sorted({_FIELDS[n] for n in options.keys() - given.keys()} & changed):
        unset = " ".join(f"{field}={_default(recipe, field)}" for field in unused)
        raise InputError(
            f"{name} accepts no {', '.join(unused)}, which this recipe sets: let it accept that, or set "
            f"{unset}."
        )
    with user_code(f"The optimizer {name} cannot be made: ", what=f"{name}()"):
        optimizer = (derived(found) if is_class else found)(**given)
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise InputError(f"Expected {name} to return a keras optimizer, received {type(optimizer).__name__}.")
    return optimizer


def _has_keywords(optimizer_class):
    """Returns whether a class passes keyword arguments on, to those of keras.optimizers.Optimizer."""
    parameters = inspect.signature(optimizer_class).parameters.values()
    return any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


def _default(recipe, field):
    default = getattr(type(recipe), field)
    return "none" if default is None else default


schedules = keras.optimizers.schedules
SCHEDULES = {  # name: function from the peak rate, the final rate and the number of steps to a schedule
    "cosine": lambda peak, final, steps: schedules.CosineDecay(peak, steps, alpha=final / peak),
    "linear": lambda peak, final, steps: schedules.PolynomialDecay(peak, steps, final, power=1.0),
    "polynomial": lambda peak, final, steps: schedules.PolynomialDecay(peak, steps, final, power=2.0),
    "exponential": lambda peak, final, steps: schedules.ExponentialDecay(peak, steps, final / peak),
    "step": lambda peak, _, steps: schedules.PiecewiseConstantDecay(
        [max(steps // 2, 1), max(3 * steps // 4, 2)], [peak, peak / 10, peak / 100]
    ),
    "constant": lambda peak, _, steps: schedules.PiecewiseConstantDecay([steps], [peak, peak]),
}
WITH_FINAL_RATE = ("cosine", "linear", "polynomial", "exponential")

NOT_DECAYED = (
    "attention_bias",
    "bias",
    "gamma",
    "beta",
    "token",
    "tokens",
    "embedding",
    "embeddings",
    "probe",
)


def build_optimizer(recipe, model, num_steps, derived=lambda optimizer_class: optimizer_class):
    """Builds the optimizer of a recipe for a run of `num_steps`, with weight decay of kernels alone.

    Weight decay is decoupled from the gradient in each. `derived` makes of a class of `keras.optimizers` the
    one that the run needs.

    Reference: AdamW, https://arxiv.org/abs/1711.05101; Muon, https://kellerjordan.github.io/posts/muon,
        scaled as in https://arxiv.org/abs/2502.16982
    """
    options = {
        "learning_rate": learning_rate_schedule(recipe, num_steps),
        "weight_decay": recipe.weight_decay,
        "global_clipnorm": recipe.clip_norm,
        "clipvalue": recipe.clip_value,
        "use_ema": recipe.ema_momentum is not None,
        "ema_momentum": recipe.ema_momentum or 0.99,
    }
    if is_part(recipe.optimizer):
        optimizer = own_optimizer(recipe, options, derived)
    else:
        row = OPTIMIZERS[recipe.optimizer]
        options |= {field: getattr(recipe, field) for field in row.fields} | row.options(recipe)
        optimizer = derived(row.optimizer_class)(**options)
    optimizer.exclude_from_weight_decay(var_list=not_decayed(model))
    return optimizer


def learning_rate_schedule(recipe, num_steps: int) -> schedules.LearningRateSchedule:
    """Builds the schedule of a recipe: linear warm-up from zero, then from the peak to the final rate.

    `"cosine"`, `"linear"`, `"polynomial"` (of degree 2) and `"exponential"` reach the final rate at the last
    step; `"step"` divides the rate by 10 after half and again after three quarters of the steps;
    `"constant"` stays at the peak.
    """
    warmup = round(recipe.warmup_fraction * num_steps)
    schedule = SCHEDULES[recipe.schedule]
    after = schedule(recipe.learning_rate, recipe.final_learning_rate, max(num_steps - warmup, 1))
    return LinearWarmup(after, warmup, recipe.learning_rate) if warmup else after


class LinearWarmup(keras.optimizers.schedules.LearningRateSchedule):
    """Rises from zero to a peak in at least one step, and then follows another schedule from its start."""

    def __init__(self, after, warmup_steps, peak):
        super().__init__()
        self.after = after
        self.warmup_steps = warmup_steps
        self.peak = peak

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        rising = self.peak * step / self.warmup_steps
        later = self.after(keras.ops.maximum(step - self.warmup_steps, 0.0))
        return keras.ops.where(step < self.warmup_steps, rising, later)

    def get_config(self):
        after = keras.optimizers.schedules.serialize(self.after)
        return {"after": after, "warmup_steps": self.warmup_steps, "peak": self.peak}


def not_decayed(model):
    """Returns the trainable weights that are not kernels: weight decay would harm them."""
    return [w for w in model.trainable_variables if w.path.split("/")[-1] in NOT_DECAYED]
