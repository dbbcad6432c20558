from .benchmarking.run import benchmark as benchmark
from .doctor.examine import examine as examine
from .model.export import export_model as export_model
from .prediction.load import load_predictor as load_predictor
