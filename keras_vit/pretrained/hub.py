"""Downloads weights and runs from the Hugging Face hub."""

import contextlib
import hashlib
import logging
import re
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.io.progress import say
from keras_vit.pretrained.safetensors_file import INDEX, shards

WEIGHTS = ("model.safetensors", INDEX, "pytorch_model.bin")
RUN_MODEL = "model.keras"  # in a repository that `keras-vit push` wrote
OF_WEIGHTS = ("config.json", "preprocessor_config.json")
OF_RUN = (
    "recipe.json", "labels.txt", "preprocessing.json", "outputs.json", "metrics.json", "vocabulary.json",
)  # fmt: skip
HUB_ID = re.compile(r"(?:hf[-_]hub:|hf://)?([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")


def network_errors() -> tuple[type[BaseException], ...]:
    """Returns what `huggingface_hub` raises when the hub refuses, or cannot be reached; OSError is one.

    The client below it, and with it the base of its errors, changes with its version.
    """
    from huggingface_hub.errors import HfHubHTTPError

    return (OSError, *HfHubHTTPError.__bases__)


def download(source: str, revision: str | None = None) -> Path:
    """Downloads the weights or the run of a repository that are not in the cache; returns their folder there.

    `source` is `owner/name`, also with the prefix `hf://`, `hf-hub:` or `hf_hub:` and the suffix `@revision`,
    which is a branch, a tag or a commit; the files of a commit never change. Large files have to have the
    SHA-256 that the hub reports.
    """
    known = HUB_ID.fullmatch(source)
    if not known:
        raise InputError(
            f"{source[:80]!r} is neither a file, nor a folder, nor a hub id: expected 'owner/name', such as "
            "'timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k'."
        )
    repository, revision = known[1], revision or known[2]
    from huggingface_hub import constants, errors

    logging.getLogger("huggingface_hub.utils._http").setLevel(logging.ERROR)  # of its retries
    try:
        return _download(repository, revision)
    except errors.GatedRepoError as error:
        raise InputError(
            f"{repository} requires a licence: accept it at https://huggingface.co/{repository} "
            "and set HF_TOKEN."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise InputError(f"The hub has no repository {repository!r} that you can access.") from error
    except errors.RevisionNotFoundError as error:
        raise InputError(f"{repository} has no revision {revision!r} on the hub.") from error
    except network_errors() as error:
        raise InputError(
            f"{repository} is not in the cache {constants.HF_HUB_CACHE} and the hub cannot be reached "
            f"({type(error).__name__}). Connect, or give the folder that `hf download {repository} "
            "--local-dir FOLDER` makes where there is a network."
        ) from error


def _download(repository, revision):
    from huggingface_hub import (
        constants,
        get_hf_file_metadata,
        hf_hub_download,
        hf_hub_url,
        try_to_load_from_cache,
    )
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    unreachable = None

    def tell(name):
        """Says what will be downloaded, where it is weights that are not kept; else what follows says why."""
        is_kept = isinstance(try_to_load_from_cache(repository, name, revision=revision), str)
        if is_kept or constants.HF_HUB_OFFLINE or unreachable:
            return
        with contextlib.suppress(*network_errors()):
            size = get_hf_file_metadata(hf_hub_url(repository, name, revision=revision)).size
            words = f", {size / 1e6:,.1f} MB," if size else ""
            say(f"{repository}: downloading {name}{words} once, to {constants.HF_HUB_CACHE}")

    def fetch(name):
        """Returns the path of a file, or None if it does not exist."""
        nonlocal unreachable
        cached_only = unreachable is not None  # each attempt to reach the hub takes half a minute
        if name not in (*OF_WEIGHTS, *OF_RUN):
            tell(name)
        try:
            path = Path(hf_hub_download(repository, name, revision=revision, local_files_only=cached_only))
        except LocalEntryNotFoundError as error:  # offline, and not in the cache
            unreachable = error
            return None
        except EntryNotFoundError:
            return None
        _check_sha256(path)
        return path

    weights = next(filter(None, map(fetch, (*WEIGHTS, RUN_MODEL))), None)
    if weights is None:
        raise unreachable or InputError(
            f"{repository} on the hub has neither model.safetensors, pytorch_model.bin nor {RUN_MODEL}."
        )
    for name in OF_RUN if weights.name == RUN_MODEL else OF_WEIGHTS:
        fetch(name)
    unknown = [n for n in OF_RUN if try_to_load_from_cache(repository, n, revision=revision) is None]
    if unreachable and weights.name == RUN_MODEL and unknown:
        raise unreachable  # what the outputs mean may be in one of them
    unreachable = None
    for shard in shards(weights) if weights.name == INDEX else ():
        fetch(shard.name)
    if unreachable:
        raise unreachable
    return weights.parent


def _check_sha256(path):
    """The cache stores large files under the SHA-256 that the hub reports."""
    blob = path.resolve()
    if not re.fullmatch(r"[0-9a-f]{64}", blob.name):
        return
    with blob.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != blob.name:
        raise InputError(f"{blob} is damaged: its SHA-256 is not that of the hub. Delete it and load again.")
