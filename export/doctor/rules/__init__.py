"""What is looked for: a rule a file, each a function from a `Case` to an iterable of `Finding`."""

from export.doctor.rules.code import code
from export.doctor.rules.converter import converter
from export.doctor.rules.edge_tpu import edge_tpu
from export.doctor.rules.flex import flex
from export.doctor.rules.gpu import gpu
from export.doctor.rules.loops import loops
from export.doctor.rules.mediapipe import mediapipe
from export.doctor.rules.npu import npu
from export.doctor.rules.precision import precision
from export.doctor.rules.shapes import shapes
from export.doctor.rules.xnnpack import xnnpack

RULES = (shapes, precision, code, converter, flex, loops, xnnpack, gpu, npu, edge_tpu, mediapipe)
