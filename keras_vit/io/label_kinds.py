"""What labels an image has; these words stand in recipes, in files and at the command line."""

CLASS = "class"  # one of some classes
SEVERAL = "several"  # any number of some labels, none of them too
NUMBERS = "numbers"  # one number, or a few
SOFT = "soft"  # a share of each class, which sum to 1
KINDS = (CLASS, SEVERAL, NUMBERS, SOFT)
