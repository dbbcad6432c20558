"""What chief and workers say to each other.

Trials, their figures and their ends are told in KerasTuner's own messages through its own service. As its
Hyperband does, a trial's values carry what has no place of its own, under names that begin with `tuner/`.
What that service lacks is a second one on the same port, whose messages are JSON.
"""

import json
from types import SimpleNamespace

import grpc
import keras_tuner
from keras_tuner.src import protos

from keras_vit.training.tuning.state.oracles import RUNNING
from keras_vit.training.tuning.state.records import COMPLETED, FAILED, MISFIT, TrialRecord

SERVICE = "keras_vit.Search"
METHODS = ("header", "join", "beat", "measured", "leave")
SPEAKER = "worker"  # the key under which each call tells who speaks
SILENCE = 10.0  # seconds, after which a worker counts as lost

requests = protos.get_service()
oracle_service = protos.get_service_grpc()

_ENDINGS = {COMPLETED: "COMPLETED", MISFIT: "INVALID", FAILED: "FAILED"}
_OURS = ("tuner/seed", "tuner/root", "tuner/footprint")


def add_search_service(server, servicer):
    """Adds the second service to a gRPC server; the servicer has a method of each name in `METHODS`."""
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            getattr(servicer, name), request_deserializer=json.loads, response_serializer=_to_json
        )
        for name in METHODS
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])


def search_stub(channel):
    """Returns an object with a function of each name in `METHODS`."""
    options = {"request_serializer": _to_json, "response_deserializer": json.loads}
    return SimpleNamespace(**{n: channel.unary_unary(f"/{SERVICE}/{n}", **options) for n in METHODS})


def trial_message(record):
    """Returns the message in which a chief hands out a TrialRecord."""
    ours = (record.seed, record.root, json.dumps(record.footprint))
    return _message(record.id, {**record.values, **dict(zip(_OURS, ours, strict=True))}, RUNNING)


def record_of(message):
    """Returns the TrialRecord in such a message."""
    trial = keras_tuner.engine.trial.Trial.from_proto(message)
    values = dict(sorted(trial.hyperparameters.values.items()))  # in no order on the way
    seed, root, footprint = (values.pop(name) for name in _OURS)
    return TrialRecord(trial.trial_id, values, seed, root, json.loads(footprint))


def status_message(status, trial=""):
    """Returns the message of a trial of which only the status counts: RUNNING, IDLE or STOPPED."""
    return _message(trial, {}, status)


def status_of(message):
    """Returns the status in a message."""
    return keras_tuner.engine.trial.TrialStatus.from_proto(message.status)


def end_message(trial, status, reason, seconds):
    """Returns the message of the end of a trial."""
    values = {"tuner/seconds": seconds} | ({} if reason is None else {"tuner/reason": reason})
    return _message(trial, values, _ENDINGS[status])


def end_of(message):
    """Returns `(trial, seconds, status, reason)` of such a message, as `Ledger.end` takes them."""
    values = keras_tuner.engine.trial.Trial.from_proto(message).hyperparameters.values
    status = next(ours for ours, theirs in _ENDINGS.items() if theirs == status_of(message))
    return message.trial_id, values["tuner/seconds"], status, values.get("tuner/reason")


def _message(trial, values, status):
    hyperparameters = keras_tuner.HyperParameters()
    hyperparameters.values = values
    return keras_tuner.engine.trial.Trial(hyperparameters, trial, status).to_proto()


def _to_json(value):
    return json.dumps(value).encode()
