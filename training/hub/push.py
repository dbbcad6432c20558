"""Uploads a run to the Hugging Face hub."""

import os
from pathlib import Path

from keras_vit.errors import InputError, first_line
from keras_vit.io.model_archive import check_model_archive
from keras_vit.io.progress import say
from keras_vit.io.published import published
from keras_vit.pretrained.hub import OF_RUN, network_errors
from keras_vit.training.hub.card import model_card
from keras_vit.training.hub.exported import RECORD, exported_files
from keras_vit.training.run_folder import RunFolder

CARD = "README.md"
EXPORT = "export/"
APP_NOTES = "app.md"
OF_NEW = {".gitattributes"}  # what a new repository holds


def push(
    run_dir: str | Path,
    repository: str,
    *,
    private: bool = False,
    update: bool = False,
    token: str | None = None,
    name: str | None = None,
    author: str = "",
    license: str = "",
) -> str:
    """Uploads a run and its exported files to the Hugging Face hub, with a model card, in one commit.

    The repository is a run folder without the state of its training: `keras-vit predict hf://owner/name`
    and `keras_vit.pretrained.load("hf://owner/name")` take it. A commit is there as a whole or not at all;
    where the first upload breaks, the same call continues with the repository, which is empty. Of absolute
    paths, such as that of a folder with photographs, card and files keep the last part.

    Args:
        run_dir: str or Path of the run folder, trained, evaluated and exported.
        repository: str, `"owner/name"`.
        private: bool, of a new repository. Default: False.
        update: bool, whether a repository that holds files may get them: its card and the files of an
            earlier push are replaced. Default: False.
        token: str, with write access. Default: that of `hf auth login`, or of the variable HF_TOKEN.
        name: str, the model's name in the card. Default: that of the repository.
        author: str, for the card. Default: none.
        license: str, by the hub's name for it, such as `"apache-2.0"`. Default: none.

    Returns:
        str, the address of the commit.

    Raises:
        InputError: the run is unfinished or not exported, there is no token, the repository holds files and
            `update` is False, or the hub refuses or cannot be reached. Nothing is uploaded then.

    Example:
        >>> import tempfile
        >>> from keras_vit.training import ImageRecipe, push, train
        >>> recipe = ImageRecipe(data="digits", model="linear", epochs=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = train(recipe, folder)
        ...     push(folder, "me/digits")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        keras_vit.errors.InputError: ... was not exported: there is no file for phones. Run: ...
    """
    folder = RunFolder(run_dir)
    files = files_to_push(folder)
    rows, model = exported_files(folder)
    files |= {f"{EXPORT}{row['file']}": folder.export / row["file"] for row in rows}
    files |= {f"{EXPORT}{n}": folder.export / n for n in (RECORD, APP_NOTES) if (folder.export / n).is_file()}
    _check_name(repository)
    text = model_card(
        folder, repository, rows, model,
        name=name or repository.partition("/")[2], author=author, license=license.lower(),
    )  # fmt: skip
    return _upload(repository, files, text, private, update, _token(token))


def files_to_push(folder: RunFolder) -> dict[str, Path]:
    """Returns the files of an evaluated run by their names in the repository; InputError of another run."""
    folder.check_trained()
    if not folder.metrics.is_file():
        raise InputError(
            f"{folder.path} was not evaluated: its training has not ended. Continue it with --resume, or run "
            f"keras-vit evaluate {folder.path}"
        )
    check_model_archive(folder.model)
    found = {name: folder.path / name for name in OF_RUN if (folder.path / name).is_file()}
    return {folder.model.name: folder.model, **found}


def _check_name(repository):
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        if repository.count("/") != 1:
            raise HFValidationError(f"it has {'no owner' if '/' not in repository else 'several slashes'}.")
        validate_repo_id(repository)
    except HFValidationError as error:
        raise InputError(
            f"Expected a repository as owner/name, such as me/flowers, received {repository[:80]!r}: "
            f"{first_line(error)}"
        ) from error


def _token(given):
    from huggingface_hub import get_token

    token = given or get_token()
    if not token:
        raise InputError(
            "There is no token for the hub. Make one with write access at https://huggingface.co/settings/"
            "tokens, and run `hf auth login`, set HF_TOKEN or give --token."
        )
    return token


def _upload(repository, files, text, private, update, token):
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, errors

    hub = HfApi(token=token)
    say(f"uploading {len(files) + 1} files, {sum(map(os.path.getsize, files.values())) / 1e6:.1f} MB")
    try:
        info = _created(hub, repository, private)
        there = {file.rfilename for file in info.siblings or ()}
        if there - OF_NEW and not update:
            raise InputError(
                f"{repository} on the hub already holds files. Choose another name, or replace its card and "
                "files with --update (update=True)."
            )
        added = [CommitOperationAdd(name, _content(path)) for name, path in files.items()]
        added.append(CommitOperationAdd(CARD, text.encode()))
        stale = [name for name in there if name.startswith(EXPORT) and name not in files]
        gone = [CommitOperationDelete(name) for name in sorted(stale)]
        commit = hub.create_commit(
            repository, [*added, *gone], commit_message="Run and exported files", parent_commit=info.sha
        )
        return commit.commit_url
    except errors.HfHubHTTPError as error:
        raise InputError(_refused(repository, error)) from error
    except InputError:
        raise
    except (*network_errors(), RuntimeError, ValueError) as error:
        if str(error).startswith("Invalid metadata"):
            raise InputError(
                f"The hub does not accept the card of {repository}, and nothing of it is there: "
                f"{' '.join(str(error).split())} Check --license."
            ) from error
        raise InputError(
            f"The upload to {repository} broke off ({_cause(error)}), and nothing of it is there. Try again."
        ) from error


def _content(path):
    return published(path) if path.suffix == ".json" else str(path)


def _created(hub, repository, private):
    """Creates a repository, or takes the one that exists; returns what the hub says of it."""
    hub.create_repo(repository, private=private, exist_ok=True)
    return hub.model_info(repository)


def _refused(repository, error):
    status = error.response.status_code if error.response is not None else 0
    if status == 401:
        return "The hub does not accept the token. Make one with write access, and run `hf auth login`."
    if status == 403:
        return (
            f"The token may not write to {repository}. Give the owner's, with write access, or choose "
            "another repository."
        )
    if status in (409, 412):
        return f"{repository} was changed by someone else meanwhile. Try again."
    return f"The hub refused the upload to {repository}, and nothing of it is there: {_cause(error)}"


def _cause(error):
    while error.__cause__ is not None:  # of a part that failed in a thread
        error = error.__cause__
    return f"{type(error).__name__}: {first_line(error)}".removesuffix(".")
