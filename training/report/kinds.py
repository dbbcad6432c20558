"""What a report shows of each kind of labels."""

from keras_vit.io.label_kinds import CLASS, NUMBERS, SEVERAL, SOFT
from keras_vit.training.report import of_classes, of_numbers, of_several

KINDS = {CLASS: of_classes, SOFT: of_classes, SEVERAL: of_several, NUMBERS: of_numbers}
