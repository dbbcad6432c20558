"""Programs that run in processes of their own, because they may crash or take too much memory.

Each file but `runner` and `bootstrap` is one program: a function `run(**job)` of values that JSON has, which
returns such a value. Larger results go into the file that the job names.
"""
