"""Builds a recipe's optimizer and learning-rate schedule."""

import keras

NOT_DECAYED = ("bias", "gamma", "beta", "token", "tokens", "embedding", "embeddings", "probe")


def build_optimizer(recipe, model, num_steps):
    """Builds the optimizer of a recipe, with weight decay off where it does not belong.

    Args:
        recipe: Recipe.
        model: keras.Model whose weights will be trained.
        num_steps: int, all training steps of the run.

    Returns:
        A `keras.optimizers.Optimizer`, AdamW (https://arxiv.org/abs/1711.05101), Muon
        (https://kellerjordan.github.io/posts/muon, scaled as in https://arxiv.org/abs/2502.16982) or
        plain gradient descent.
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
        optimizer = keras.optimizers.Muon(
            **options, adam_weight_decay=recipe.weight_decay, exclude_layers=["head"]
        )
    elif recipe.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(**options)
    else:
        optimizer = keras.optimizers.AdamW(**options)
    optimizer.exclude_from_weight_decay(var_list=not_decayed(model))
    return optimizer


def learning_rate_schedule(recipe, num_steps):
    """Linear warm-up from zero to the peak, then a cosine to the final rate at the last step."""
    warmup = round(recipe.warmup_fraction * num_steps)
    peak, final = recipe.learning_rate, recipe.final_learning_rate
    cosine = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else peak,
        decay_steps=max(num_steps - warmup, 1),
        alpha=final / peak,
        warmup_target=peak if warmup else None,
        warmup_steps=warmup,
    )
    return cosine


def not_decayed(model):
    """Returns the trainable weights that weight decay would only harm: all that is not a kernel."""
    return [w for w in model.trainable_variables if w.path.split("/")[-1] in NOT_DECAYED]
