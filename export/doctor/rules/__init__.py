"""The rules of the doctor, in the order of its report: functions from a `Case` to an iterable of `Finding`.

To add a rule, write it in the file of its kind and list it here: `model.py` (what the Keras model shows),
`converter.py` (what the converter and LiteRT report), `delegates.py` (what accelerators run), `mediapipe.py`.
"""

from keras_vit.export.doctor.rules.converter import converter, flex, loops
from keras_vit.export.doctor.rules.delegates import accelerators, xnnpack
from keras_vit.export.doctor.rules.mediapipe import mediapipe
from keras_vit.export.doctor.rules.model import code, precision, shapes

RULES = (shapes, precision, code, converter, flex, loops, xnnpack, accelerators, mediapipe)
