"""The rules of the doctor, in the order of its report: functions from a `Case` to an iterable of `Finding`.

To add a rule, write it in the file of its kind and list it here: `model.py` (what the Keras model shows),
`converter.py` (what the converter and LiteRT report), `delegates.py` (XNNPACK and the Edge TPU), `gpu.py`,
`npu.py`, `mediapipe.py`.
"""

from keras_vit.export.doctor.rules.converter import converter, flex, loops
from keras_vit.export.doctor.rules.delegates import edge_tpu, xnnpack
from keras_vit.export.doctor.rules.gpu import gpu
from keras_vit.export.doctor.rules.mediapipe import mediapipe
from keras_vit.export.doctor.rules.model import code, precision, shapes
from keras_vit.export.doctor.rules.npu import npu

RULES = (shapes, precision, code, converter, flex, loops, xnnpack, gpu, npu, edge_tpu, mediapipe)
