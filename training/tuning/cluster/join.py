"""Runs trials of a search whose chief is elsewhere."""

from keras_vit.errors import InputError
from keras_vit.training.tuning.cluster.remote_ledger import RemoteLedger
from keras_vit.training.tuning.results.display import Display
from keras_vit.training.tuning.search_run import run_trials
from keras_vit.training.tuning.state.header import check_same, header_of
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.workers.jobs import Jobs
from keras_vit.training.tuning.workers.processes import Processes
from keras_vit.training.tuning.workers.resources import check_workers, threads_each


def join(plan, folder, address, *, workers=1, data_dir=None, display=None):
    """Runs trials of the chief at an address until there are no more.

    Args:
        plan: keras_vit.training.tuning.plan.Plan, the chief's.
        folder: SearchFolder of this machine, for the runs of its trials.
        address: str, `HOST:PORT`.
        workers: int, trials at a time.
        data_dir: str or None, where TFDS keeps its data.
        display: keras_vit.training.tuning.results.display.Display.

    Returns:
        list of TrialRecord, those that ran here.

    Raises:
        InputError: no chief answers, it searches something else, or the data are not here.
        ConditionError: the chief is lost, or has ended the search.
    """
    folder.check(joining=True)
    check_workers(workers)
    display = display or Display(plan.objective, workers)
    ledger = RemoteLedger(address, plan.objective)
    check_same(ledger.header, header_of(plan, threads_each(workers)), f"The chief at {address}")
    with folder.locked(folder.joined):
        journal = Journal(folder.joined)
        joined_before = _check_joined(journal.read(), folder, ledger.header)
        processes = Processes(folder.log, plan.measure)
        jobs = Jobs(plan, folder, workers, ledger.header["threads"], data_dir)
        jobs.check_data(processes)
        if plan.reference is not None:
            jobs.measure_reference(processes, folder.reference)
        if not joined_before:
            journal.append(ledger.header)
        _run(ledger, jobs, processes, display)
    return list(ledger.records.values())


def _run(ledger, jobs, processes, display):
    def stop():
        ledger.close()
        processes.stop()

    ledger.failed = stop
    with ledger.joined(), display:
        display.say(f"joined the search of the chief at {ledger.address} as worker {ledger.worker}")
        display.begun(ledger)
        run_trials(ledger, jobs, processes, display, stop)
    if ledger.failure is not None:
        raise ledger.failure


def _check_joined(events, folder, header):
    """What lies in the folder must be of this search: its trials go on where they stand.

    Returns:
        bool, whether this worker was here before.
    """
    if events and events[0]["id"] != header["id"]:
        raise InputError(f"{folder.path} holds trials of another search's chief. Choose another --run-dir.")
    return bool(events)
