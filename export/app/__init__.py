"""Projects of apps that run an exported model on a phone."""
