"""The calls from workers to their coordinator: JSON over gRPC.

Each call can be repeated without a second effect, as a worker does that got no answer.
"""

import json
from types import SimpleNamespace

import grpc

from keras_vit.training.tuning.state.records import TrialRecord

SERVICE = "keras_vit.Search"
METHODS = ("header", "join", "heartbeat", "next", "discovered", "measured", "report", "end", "leave")
CALLER = "worker"  # the key of the metadata that names the calling worker
SILENCE = 10.0  # seconds without a call, after which a worker counts as lost
FINISHED, WAITING = "finished", "waiting"  # answers to `next` instead of a trial
_SENT = ("id", "values", "seed", "root", "footprint")  # of a trial that is handed out


def add_search_service(server, servicer):
    """Adds the service to a gRPC server; the servicer has a method of each name in `METHODS`."""
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


def trial_message(record: TrialRecord) -> dict:
    """Returns the arguments of a TrialRecord that is handed out."""
    return {name: getattr(record, name) for name in _SENT}


def _to_json(value):
    return json.dumps(value).encode()
