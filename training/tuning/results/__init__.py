"""What a search shows and leaves behind: progress, tables, CSV files, pictures and its trained winner.

A new figure of a trial is a column of `files.results_rows`; a new picture is a function of `plots` and one
row of `files.write_results`; a new cost is one row of `keras_vit.training.tuning.costs`.
"""
