from . import export as export
from . import layers as layers
from . import models as models
from . import pretrained as pretrained
from . import training as training
from .errors import ConditionError as ConditionError
from .errors import InputError as InputError

__version__: str
