"""Export: from a trained model to files for server and phone, each verified against it."""
