"""Uploads a run with its exported files and a model card to the Hugging Face hub."""

from keras_vit.commands.arguments import path
from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.quiet import quiet_import

EXAMPLE = "keras-vit push runs/photos me/flowers --license apache-2.0 --private"


def add_arguments(parser):
    parser.add_argument("run_dir", type=path, metavar="RUN", help="run folder that was exported")
    parser.add_argument("repository", metavar="REPO", help="owner/name; created if it is not there")
    parser.add_argument("--private", action="store_true", help="only you can see a new repository")
    parser.add_argument(
        "--update", action="store_true", help="replace the card and the files of a repository that holds some"
    )
    parser.add_argument(
        "--token",
        help="with write access (default: that of `hf auth login` or of HF_TOKEN)",
    )
    parser.add_argument("--name", help="the model's name in the card (default: that of the repository)")
    parser.add_argument("--author", default="", help="author of the model, for the card")
    parser.add_argument(
        "--license", default="", help="by the hub's name, such as apache-2.0 (default: none is stated)"
    )
    add_json(parser, "repository and address of the commit")


def run(options):
    with quiet_import():
        from keras_vit.training.hub.push import push
    with json_file(options.json, []) as write:
        address = push(
            options.run_dir,
            options.repository,
            private=options.private,
            update=options.update,
            token=options.token,
            name=options.name,
            author=options.author,
            license=options.license,
        )
        write({"repository": options.repository, "commit": address})
    print(f"{options.repository} holds it, by one commit: {address}")
    print(f"keras-vit predict hf://{options.repository} photo.jpg")
