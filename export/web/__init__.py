"""Static pages that run an exported model in a browser."""
