"""Processes of this machine that run trials, one job each.

`Processes` starts them, `isolation` surrounds their work, `trial` is that work, and `TrialRunner` connects
them with a ledger. What a trial does beyond training is added to `trial.run_trial`; what it needs to know is
a field of `Job`.
"""
