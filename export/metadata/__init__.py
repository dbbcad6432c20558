"""TFLite metadata: what an app's library reads in a file before it runs it."""
