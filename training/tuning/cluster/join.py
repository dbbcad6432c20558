"""Runs trials of a search whose coordinator is on another machine."""

from pathlib import Path

from keras_vit.errors import InputError
from keras_vit.training.tuning.cluster.remote_ledger import RemoteLedger
from keras_vit.training.tuning.plan import Plan
from keras_vit.training.tuning.results.display import Display
from keras_vit.training.tuning.state.folder import SearchFolder
from keras_vit.training.tuning.state.header import check_same, header_of
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.state.records import TrialRecord
from keras_vit.training.tuning.workers.local_workers import LocalWorkers
from keras_vit.training.tuning.workers.resources import check_workers, threads_each
from keras_vit.training.tuning.workers.runner import TrialRunner


def join(
    plan: Plan, folder: SearchFolder, address: str, *, workers: int = 1, data_dir: str | Path | None = None
) -> list[TrialRecord]:
    """Runs trials of the coordinator at an address until there are no more; their runs are in the folder."""
    folder.check(joining=True)
    check_workers(workers)
    ledger = RemoteLedger(address, plan.objective)
    check_same(ledger.header, header_of(plan, threads_each(workers)), f"The coordinator at {address}")
    with folder.locked(folder.joined):
        journal = Journal(folder.joined)
        events = journal.read()
        if events and events[0]["id"] != ledger.header["id"]:
            raise InputError(
                f"{folder.path} holds trials of another search's coordinator. Choose another --run-dir."
            )
        local = LocalWorkers(plan, folder, workers, ledger.header["threads"], data_dir)
        local.check_data()
        if plan.reference is not None:
            local.measure_reference()
        if not events:
            journal.append(ledger.header)
        _run(ledger, local, Display(plan.objective, workers))
    return list(ledger.records.values())


def _run(ledger, local, display):
    runner = TrialRunner(ledger, local, display)
    ledger.on_failure = runner.stop
    with ledger.joined(), display:
        display.show(f"joined the search of the coordinator at {ledger.address} as worker {ledger.worker}")
        display.search_started(ledger)
        runner.run()
    if ledger.failure is not None:
        raise ledger.failure
