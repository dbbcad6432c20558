"""The first event of a journal: the settings of the search, so that no other search continues there."""

import uuid
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.training.metrics import LOGGED
from keras_vit.training.recipe_file import recipe_of
from keras_vit.training.tuning.plan import Plan

VERSION = 1


def header_of(plan: Plan, threads: int) -> dict:
    """Returns the event. `threads`, of each trial's process, stay the same: sums depend on them."""
    name, direction = plan.objective
    is_known = LOGGED.get(name.removeprefix("val_")) == direction  # which follows from the name
    return {
        "event": "search",
        "version": VERSION,
        "id": uuid.uuid4().hex,  # differs from that of the same search started elsewhere
        "threads": threads,
        "search": plan.name,
        "tuner": plan.tuner,
        "objective": name if is_known else f"{direction}:{name}",  # as users name it
        "seed": plan.seed,
        "measure": plan.measure_name,
        "limits": plan.limits.given,
        "reference": plan.reference and " ".join(f"{n}={v}" for n, v in plan.reference.changed().items()),
        "space": plan.space.description(),
        **plan.space.settings(),
    }


def check_same(started: dict, given: dict, holder: str | Path):
    """Raises an InputError that names what differs when a search is not the one that a journal has.

    `started` is the journal's first event, `given` what it would be now, `holder` the journal or who has it.
    """
    if started.get("event") != "search" or started.get("version") != VERSION:
        raise InputError(f"{holder} is not of this version of keras-vit. Choose another folder.")
    try:
        old, new = _flat(started, holder), _flat(given, holder)
        valid = isinstance(started["threads"], int)
    except (KeyError, TypeError, AttributeError):
        valid = False
    if not valid:
        raise InputError(f"{holder} is damaged: it does not describe a search. Choose another folder.")
    changed = [
        f"{name} was {old.get(name, 'left out')}, is {new.get(name, 'left out')}"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]
    if changed:
        raise InputError(
            f"{holder} was started with another search: {'; '.join(changed)}. Use the values that it was "
            "started with, or another folder."
        )


def _flat(header, holder):
    """The values to compare, one level deep; of a recipe only fields that do not vary."""
    flat = {name: header[name] for name in ("search", "tuner", "objective")}
    flat["--seed"] = header["seed"]  # not the recipe's field of that name
    if header.get("reference"):
        flat["--relative-to"] = " ".join(sorted(header["reference"].split()))
    flat |= header["limits"]
    if "build" in header:
        flat |= {name: header[name] for name in ("build", "train", "validation", "epochs", "batch_size")}
    else:
        recipe = recipe_of(header["recipe"], holder).as_dict()  # one of an older version has more fields
        flat |= {f: v for f, v in recipe.items() if f not in header["space"]}
    return flat | header["space"]
