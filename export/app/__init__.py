"""What makes an app of an exported model: `app.md` beside its files, and whole projects for phones."""

NAME = "app.md"
