"""Builds a recipe's optimizer and learning-rate schedule."""

import keras

from keras_vit.errors import InputError
from keras_vit.training.fine_tuning.rates import with_rates_by_depth

OPTIMIZERS = {
    "adamw": keras.optimizers.AdamW,
    "muon": keras.optimizers.Muon,
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "adagrad": keras.optimizers.Adagrad,
    "adadelta": keras.optimizers.Adadelta,
}

NOT_DECAYED = ("bias", "gamma", "beta", "token", "tokens", "embedding", "embeddings", "probe")


def build_optimizer(recipe, model, num_steps, derived=lambda optimizer_class: optimizer_class):
    """Builds the optimizer of a recipe, with weight decay off where it does not belong.

    Args:
        recipe: Recipe.
        model: keras.Model whose weights will be trained.
        num_steps: int, all training steps of the run.
        derived: function from a class of `keras.optimizers` to the one that the run's devices need.

    Returns:
        A `keras.optimizers.Optimizer`: AdamW (https://arxiv.org/abs/1711.05101), Muon
        (https://kellerjordan.github.io/posts/muon, scaled as in https://arxiv.org/abs/2502.16982), plain
        gradient descent or one of Keras's others. Weight decay is decoupled from the gradient in each.
    """
    options = {
        "learning_rate": learning_rate_schedule(recipe, num_steps),
        "weight_decay": recipe.weight_decay,
        "global_clipnorm": recipe.clip_norm,
        "clipvalue": recipe.clip_value,
        "use_ema": recipe.ema_momentum is not None,
        "ema_momentum": recipe.ema_momentum or 0.99,
    }
    if recipe.optimizer == "muon":
        options |= {"adam_weight_decay": recipe.weight_decay, "exclude_layers": ["head"]}
    if recipe.optimizer == "sgd":
        options["momentum"] = recipe.momentum
    optimizer = derived(_optimizer_class(recipe, model, num_steps))(**options)
    optimizer.exclude_from_weight_decay(var_list=not_decayed(model))
    return optimizer


def _optimizer_class(recipe, model, num_steps):
    optimizer_class, is_gradual = OPTIMIZERS[recipe.optimizer], recipe.tuning == "gradual"
    if recipe.layer_decay == 1 and not is_gradual:
        return optimizer_class
    unfreeze_every = recipe.unfreeze_every * (num_steps // recipe.epochs) if is_gradual else None
    num_layers = model.get_layer("encoder").num_layers
    return with_rates_by_depth(optimizer_class, num_layers, recipe.layer_decay, unfreeze_every)


def learning_rate_schedule(recipe, num_steps):
    """Builds the schedule of a recipe: linear warm-up from zero, then from the peak to the final rate.

    `"cosine"`, `"linear"`, `"polynomial"` (of degree 2) and `"exponential"` reach the final rate at the last
    step; `"step"` takes a tenth of the rate after half and again after three quarters of the steps;
    `"constant"` stays at the peak.

    Returns:
        A `keras.optimizers.schedules.LearningRateSchedule`.

    Raises:
        InputError: an exponential schedule to a final rate of 0, which it would never reach.
    """
    warmup = round(recipe.warmup_fraction * num_steps)
    after = _after_warmup(recipe, max(num_steps - warmup, 1))
    return LinearWarmup(after, warmup, recipe.learning_rate) if warmup else after


def _after_warmup(recipe, steps):
    schedules = keras.optimizers.schedules
    peak, final = recipe.learning_rate, recipe.final_learning_rate
    if recipe.schedule == "cosine":
        return schedules.CosineDecay(peak, steps, alpha=final / peak)
    if recipe.schedule in ("linear", "polynomial"):
        power = 1.0 if recipe.schedule == "linear" else 2.0
        return schedules.PolynomialDecay(peak, steps, end_learning_rate=final, power=power)
    if recipe.schedule == "exponential":
        if not final:
            raise InputError("schedule=exponential never reaches 0: set final_learning_rate above it.")
        return schedules.ExponentialDecay(peak, steps, decay_rate=final / peak)
    if recipe.schedule == "step":
        boundaries = [max(steps // 2, 1), max(3 * steps // 4, 2)]
        return schedules.PiecewiseConstantDecay(boundaries, [peak, peak / 10, peak / 100])
    return schedules.PiecewiseConstantDecay([steps], [peak, peak])


class LinearWarmup(keras.optimizers.schedules.LearningRateSchedule):
    """Rises from zero to a peak, and then follows another schedule.

    Args:
        after: LearningRateSchedule, which starts when the warm-up ends.
        warmup_steps: int, at least 1.
        peak: float, the rate at the end of the warm-up.
    """

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
    """Returns the trainable weights that weight decay would only harm: all that is not a kernel."""
    return [w for w in model.trainable_variables if w.path.split("/")[-1] in NOT_DECAYED]
