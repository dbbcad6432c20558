"""The state of a search, as its folder keeps it and as an interrupted search replays it.

Oracles propose values, the ledger hands out trials and receives their metrics, and the journal holds each
event on disk before its effect. A new tuner is an oracle and one row of `oracles.TUNERS`; a new kind of event
is a method of `Ledger` and one row of its `_apply`.
"""
