from .benchmarking.run import benchmark as benchmark
from .doctor.examine import examine as examine
from .footprint import int8_footprint as int8_footprint
from .int8_training.train import Int8Training as Int8Training
from .model.export import export_model as export_model
from .prediction.load import load_predictor as load_predictor
