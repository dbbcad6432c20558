"""A whole search, or a part of one that runs on this machine, from its start or where it was interrupted."""

from pathlib import Path

from keras_vit.errors import ConditionError, InputError, listed
from keras_vit.training.tuning.cluster.coordinator import Coordinator, check_address, serving
from keras_vit.training.tuning.cluster.remote_ledger import RemoteLedger
from keras_vit.training.tuning.plan import Plan
from keras_vit.training.tuning.results.best import winner
from keras_vit.training.tuning.results.display import Display
from keras_vit.training.tuning.results.files import write_results
from keras_vit.training.tuning.results.winner import train_winner, write_winner
from keras_vit.training.tuning.state.folder import SearchFolder
from keras_vit.training.tuning.state.header import check_same, header_of
from keras_vit.training.tuning.state.journal import Journal
from keras_vit.training.tuning.state.ledger import Ledger, nothing_fits
from keras_vit.training.tuning.state.oracles import build_oracle
from keras_vit.training.tuning.state.records import MISFIT, TrialRecord
from keras_vit.training.tuning.workers.local_workers import LocalWorkers
from keras_vit.training.tuning.workers.resources import check_workers, threads_each
from keras_vit.training.tuning.workers.runner import TrialRunner


def run_search(
    plan: Plan,
    folder: SearchFolder,
    *,
    workers: int = 1,
    data_dir: str | Path | None = None,
    coordinator: str | None = None,
    seeds: int = 3,
) -> tuple[list[TrialRecord], TrialRecord, dict | None]:
    """Runs all trials, writes the winner's recipe, and trains it with several seeds.

    Returns all records, the winner's, and what is in its `summary.json` (None for no seeds). When a search is
    resumed, only `plan.trials` may differ.
    """
    folder.check()
    check_workers(workers)
    if coordinator is not None:
        check_address(coordinator)
    display = Display(plan.objective, workers)
    with folder.locked():
        ledger, header, local = _open(plan, folder, workers, data_dir, coordinator, display)
        try:
            if coordinator is None:
                with display:
                    display.search_started(ledger)
                    TrialRunner(ledger, local, display).run()
            else:
                _serve(Coordinator(ledger, header, display), coordinator, plan, display)
        finally:
            records = list(ledger.records.values())
            best = winner(records, plan.objective)
            if records:
                write_results(folder, plan, records, best)
        if best is None:
            raise _no_winner(records, ledger.failed_before)
        place = folder.winner(best.id)
        write_winner(plan, place, best)
        summary = train_winner(local, place, best, seeds, display.show) if seeds else None
    return records, best, summary


def _open(plan, folder, workers, data_dir, coordinator, display):
    """Replays the journal, or starts one. Returns the ledger, the journal's header and the local workers."""
    journal = Journal(folder.journal, display.show)
    events = journal.read()
    local = LocalWorkers(plan, folder, workers, threads_each(workers), data_dir)
    plan.space.prepare(folder.arrays)
    if not events and coordinator is None:
        _show_start(plan, display)
    if plan.space.is_explored or not events:
        local.check()
    header = header_of(plan, local.threads)
    if events:
        check_same(events[0], header, journal.path)
        header = events[0]
        local.threads = header["threads"]
        if coordinator is None:
            _show_start(plan, display)
    reference = plan.reference is not None and coordinator is None  # workers measure it on their own machines
    measured = _measure_reference_once(local, events) if reference else []
    for event in ([] if events else [header]) + measured:  # not before it is measured, which may fail
        journal.append(event)
    oracle = build_oracle(plan.tuner, plan.space, plan.objective, trials=plan.trials, seed=plan.seed)
    of_trials = [event for event in events[1:] if event["event"] != "reference"]
    ledger = Ledger(oracle, journal, of_trials, plan.seed)
    if ledger.again:
        display.show(f"tried again, as they failed before their training: trials {listed(ledger.again)}")
    return ledger, header, local


def _show_start(plan, display):
    """Shows what is known before the first trial, which may take minutes."""
    for line in plan.found:
        display.show(line)
    if fields := plan.space.description():
        display.show(f"the search varies {listed(fields)}")


def _measure_reference_once(local, events):
    """Returns the events that the journal needs: that of the reference, unless it has one."""
    known = [event["footprint"] for event in events if event["event"] == "reference"]
    if known and local.folder.reference.exists():
        local.reference = known[-1]
        return []
    return [{"event": "reference", "footprint": local.measure_reference()}]


def _serve(coordinator, address, plan, display):
    with serving(coordinator, address), display:
        _show_start(plan, display)
        display.search_started(coordinator.ledger)
        display.show(f"workers join with the same command and --join {address} instead of --coordinator")
        try:
            coordinator.watch()
        finally:
            coordinator.drain_workers()


def _no_winner(records, failed_before):
    if all(record.status == MISFIT for record in records):
        return InputError(nothing_fits(records))
    failed = [record for record in records if record.status != MISFIT]
    reason = failed[-1].reason.rstrip(".")
    is_old = failed[-1].id in failed_before
    hint = " That was before this start: give more --trials, or another folder." if is_old else ""
    return ConditionError(f"No trial was trained to a score; trial {failed[-1].id}: {reason}.{hint}")


def join(
    plan: Plan, folder: SearchFolder, address: str, *, workers: int = 1, data_dir: str | Path | None = None
) -> list[TrialRecord]:
    """Runs trials of the coordinator at an address until there are no more; their runs are in the folder."""
    folder.check(joining=True)
    check_workers(workers)
    display = Display(plan.objective, workers)
    ledger = RemoteLedger(address, plan.objective, show=display.show)
    holder = f"The coordinator at {address}"
    if not plan.space.is_explored:
        check_same(ledger.header, header_of(plan, threads_each(workers)), holder)
    with folder.locked(folder.joined):
        journal = Journal(folder.joined)
        events = journal.read()
        if events and events[0]["id"] != ledger.header["id"]:
            raise InputError(
                f"{folder.path} holds trials of another search's coordinator. Choose another folder."
            )
        local = LocalWorkers(plan, folder, workers, threads_each(workers), data_dir)
        plan.space.prepare(folder.arrays)
        local.check()
        check_same(ledger.header, header_of(plan, local.threads), holder)
        local.threads = ledger.header["threads"]
        _show_start(plan, display)
        if plan.reference is not None:
            local.measure_reference()
        if not events:
            journal.append(ledger.header)
        _run_remote(ledger, local, display)
    return list(ledger.records.values())


def _run_remote(ledger, local, display):
    runner = TrialRunner(ledger, local, display)
    ledger.on_failure = runner.stop
    with ledger.joined(), display:
        display.show(f"joined the search of the coordinator at {ledger.address} as worker {ledger.worker}")
        display.search_started(ledger)
        runner.run()
    if ledger.failure is not None:
        raise ledger.failure
