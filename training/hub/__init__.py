"""A run on the Hugging Face hub: its model card, and the upload in one commit."""
