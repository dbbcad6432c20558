from types import SimpleNamespace

import pytest

from keras_vit import InputError
from keras_vit.training.tuning.plan import plan
from keras_vit.training.tuning.results.display import Display
from keras_vit.training.tuning.state.folder import SearchFolder
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.state.ledger import Ledger
from keras_vit.training.tuning.state.oracles import build_oracle
from keras_vit.training.tuning.state.records import DISK_FULL
from keras_vit.training.tuning.workers.local_workers import LocalWorkers
from keras_vit.training.tuning.workers.runner import TrialRunner

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated, :DeprecationWarning:keras_tuner")


def started(folder, outcome, planned):
    """A ledger, and a runner whose processes end with an outcome."""
    oracle = build_oracle("random", planned.space, planned.objective, trials=2, seed=0)
    ledger = Ledger(oracle, Journal(folder / "journal"), [], seed=0)
    processes = SimpleNamespace(run=lambda target, job, **_: outcome, stop=lambda: None)
    workers = LocalWorkers(planned, SearchFolder(folder), 1, threads=1, processes=processes)
    return ledger, TrialRunner(ledger, workers, Display(planned.objective, 1))


def test_values_that_do_not_fit_together_fail_one_trial_and_do_not_end_the_search(tmp_path):
    planned = plan("cnn_cifar10", ["label_smoothing=0.1,0.2", "epochs=1,2"], trials=2)
    planned.space.hyperparameters.Fixed("loss", "hinge")  # which accepts no smoothed labels
    ledger, runner = started(tmp_path, ("completed", None), planned)
    runner.run()
    records = list(ledger.records.values())
    assert [record.status for record in records] == ["failed", "failed"]
    assert "loss=hinge does not accept smoothed labels" in records[0].reason


def test_a_full_disk_ends_the_search_and_not_the_trial(tmp_path):
    planned = plan("cnn_cifar10", ["epochs=1,2"], trials=2)
    ledger, runner = started(tmp_path, (DISK_FULL, "No space left."), planned)
    with pytest.raises(InputError, match="Trial 0000 is stopped: No space left. The same command continues"):
        runner.run()
    assert [record.status for record in ledger.records.values()] == [None]
    assert ledger.next().id == "0000"
