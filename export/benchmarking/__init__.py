"""What a TFLite file costs: time, memory, and what it is spent on."""
