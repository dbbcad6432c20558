"""What makes an app of an exported model: `app.md` next to its files, and whole projects for phones."""

NAME = "app.md"
