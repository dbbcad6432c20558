"""Templates of the lines; what stands between two `@` is replaced."""
