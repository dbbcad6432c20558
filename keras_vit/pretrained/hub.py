"""Downloads weights from the Hugging Face hub."""

import hashlib
import re
from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.pretrained.safetensors_file import INDEX, shards

OTHERS = ("config.json", "preprocessor_config.json")


def download(source, revision=None):
    """Downloads a repository's weights and configuration, or finds them in the cache.

    Args:
        source: str, `owner/name`, also with `hf-hub:` or `hf_hub:` before it and `@revision` after it.
        revision: str, branch, tag or commit; pin a commit to have the same bytes for ever.

    Returns:
        Path of the folder in the cache.

    Raises:
        InputError: no such repository or revision, no network and nothing in the cache, no licence
            accepted, or a file whose checksum is not the hub's.
    """
    repository, _, pinned = re.sub(r"^hf[-_]hub:", "", source).partition("@")
    revision = revision or pinned or None
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise InputError(
            f"{source[:80]!r} is neither a file, nor a folder, nor a hub id: expected 'owner/name', such as "
            "'timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k'."
        )
    from huggingface_hub import constants, errors

    try:
        return _download(repository, revision)
    except errors.GatedRepoError as error:
        raise InputError(
            f"{repository} is behind a licence: accept it at https://huggingface.co/{repository} "
            "and set HF_TOKEN."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise InputError(f"The hub has no repository {repository!r} that is open to you.") from error
    except errors.RevisionNotFoundError as error:
        raise InputError(f"{repository} has no revision {revision!r} on the hub.") from error
    except (
        errors.LocalEntryNotFoundError,
        errors.HfHubHTTPError,
        OSError,
    ) as error:
        raise InputError(
            f"{repository} is not in the cache {constants.HF_HUB_CACHE} and the hub cannot be reached "
            f"({type(error).__name__}). Connect, or give a local folder."
        ) from error


def _download(repository, revision):
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    def fetch(name):
        try:
            path = Path(huggingface_hub.hf_hub_download(repository, name, revision=revision))
        except LocalEntryNotFoundError:
            raise
        except EntryNotFoundError:
            return None
        _check(path)
        return path

    unreachable = None
    for name in ("model.safetensors", INDEX, "pytorch_model.bin"):
        try:
            path = fetch(name)
        except LocalEntryNotFoundError as error:  # offline; what was downloaded may have another name
            unreachable = error
            continue
        if path is None:
            continue
        for shard in shards(path) if name == INDEX else ():
            fetch(shard.name)
        for other in OTHERS:
            _optional(fetch, other)
        return path.parent
    if unreachable:
        raise unreachable
    raise InputError(f"{repository} on the hub holds neither model.safetensors nor pytorch_model.bin.")


def _optional(fetch, name):
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        fetch(name)
    except LocalEntryNotFoundError:  # offline, and not among what was downloaded
        return


def _check(path):
    """The cache keeps large files under their SHA-256, which the hub gave."""
    blob = path.resolve()
    if not re.fullmatch(r"[0-9a-f]{64}", blob.name):
        return
    with blob.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != blob.name:
        raise InputError(f"{blob} is damaged: its SHA-256 is not the hub's. Delete it and load again.")
