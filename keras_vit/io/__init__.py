"""Files as this package reads and writes them: atomic, checked, and refused in one line."""
