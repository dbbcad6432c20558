"""The first event of a journal: what is searched, so that nothing else is continued there."""

import dataclasses
import uuid

from keras_vit.errors import InputError

VERSION = 1


def header_of(plan, threads):
    """Returns the event. `threads`, of each trial's process, stay what they were: sums depend on them."""
    return {
        "event": "search",
        "version": VERSION,
        "id": uuid.uuid4().hex,  # tells it from the same search begun elsewhere
        "threads": threads,
        "search": plan.name,
        "tuner": plan.tuner,
        "objective": plan.objective[0],
        "seed": plan.seed,
        "measure": plan.measure,
        "limits": plan.limits.given,
        "reference": plan.reference and _changes(plan.reference),
        "space": plan.space.described(),
        "recipe": dataclasses.asdict(plan.space.recipe),
    }


def check_same(begun, given, holder):
    """Checks that a search is the one that a journal was begun with.

    Args:
        begun: dict, the journal's first event.
        given: dict, what would be the first event now.
        holder: str or Path, the journal or who has it.

    Raises:
        InputError: names what differs.
    """
    if begun.get("event") != "search" or begun.get("version") != VERSION:
        raise InputError(f"{holder} is not of this version of keras-vit. Choose another --run-dir.")
    try:
        flat_begun, flat_given = _flat(begun), _flat(given)
        valid = isinstance(begun["threads"], int)
    except (KeyError, TypeError, AttributeError):
        valid = False
    if not valid:
        raise InputError(f"{holder} is damaged: it does not tell of a search. Choose another --run-dir.")
    names = dict.fromkeys([*flat_begun, *flat_given])
    changed = [
        f"{name} was {flat_begun.get(name, 'left out')}, is {flat_given.get(name, 'left out')}"
        for name in names
        if flat_begun.get(name) != flat_given.get(name)
    ]
    if changed:
        raise InputError(
            f"{holder} was begun with another search: {'; '.join(changed)}. Give what it was begun "
            "with, or another --run-dir."
        )


def _changes(recipe):
    """Returns what of a recipe is not the default, as one types it."""
    fields = dataclasses.fields(recipe)
    values = {field.name: getattr(recipe, field.name) for field in fields}
    return " ".join(
        f"{field.name}={values[field.name]}" for field in fields if values[field.name] != field.default
    )


def _flat(header):
    """What is compared, one level deep. Of the recipe only what does not vary; its defaults may be newer."""
    flat = {name: header[name] for name in ("search", "tuner", "objective")}
    flat["--seed"] = header["seed"]  # not the recipe's field of that name
    if header.get("reference"):
        flat["--relative-to"] = header["reference"]
    flat |= header["limits"] | {f: v for f, v in header["recipe"].items() if f not in header["space"]}
    return flat | header["space"]
