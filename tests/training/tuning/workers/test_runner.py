from types import SimpleNamespace

import pytest

from keras_vit.training.tuning.plan import plan
from keras_vit.training.tuning.results.display import Display
from keras_vit.training.tuning.state.folder import SearchFolder
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.state.ledger import Ledger
from keras_vit.training.tuning.state.oracles import build_oracle
from keras_vit.training.tuning.workers.local_workers import LocalWorkers
from keras_vit.training.tuning.workers.runner import TrialRunner

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated, :DeprecationWarning:keras_tuner")


def test_values_that_do_not_fit_together_fail_one_trial_and_do_not_end_the_search(tmp_path):
    planned = plan("cnn_cifar10", ["label_smoothing=0.1,0.2", "epochs=1,2"], trials=2)
    planned.space.hyperparameters.Fixed("loss", "hinge")  # which accepts no smoothed labels
    oracle = build_oracle("random", planned.space, planned.objective, trials=2, seed=0)
    ledger = Ledger(oracle, Journal(tmp_path / "journal"), [], seed=0)
    processes = SimpleNamespace(run=lambda target, job, **_: ("completed", None), stop=None)
    workers = LocalWorkers(planned, SearchFolder(tmp_path), 1, threads=1, processes=processes)
    TrialRunner(ledger, workers, Display(planned.objective, 1)).run()
    records = list(ledger.records.values())
    assert [record.status for record in records] == ["failed", "failed"]
    assert "loss=hinge does not accept smoothed labels" in records[0].reason
