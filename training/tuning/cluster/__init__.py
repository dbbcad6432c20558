"""A search on several machines: one coordinator hands out trials, workers join it.

Both sides speak JSON over gRPC. A new call is a name in `protocol.METHODS`, a method of `Coordinator` and its
caller in `RemoteLedger`, which replaces the ledger on a worker's machine.
"""
