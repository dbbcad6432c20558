"""TFLite metadata: what an app's library reads of a file before it runs it."""
