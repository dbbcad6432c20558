"""What is looked for: a rule a file, each a function from a `Case` to an iterable of `Finding`."""

from keras_vit.export.doctor.rules.code import code
from keras_vit.export.doctor.rules.converter import converter
from keras_vit.export.doctor.rules.edge_tpu import edge_tpu
from keras_vit.export.doctor.rules.flex import flex
from keras_vit.export.doctor.rules.gpu import gpu
from keras_vit.export.doctor.rules.loops import loops
from keras_vit.export.doctor.rules.mediapipe import mediapipe
from keras_vit.export.doctor.rules.npu import npu
from keras_vit.export.doctor.rules.precision import precision
from keras_vit.export.doctor.rules.shapes import shapes
from keras_vit.export.doctor.rules.xnnpack import xnnpack

RULES = (shapes, precision, code, converter, flex, loops, xnnpack, gpu, npu, edge_tpu, mediapipe)
