"""A user's own measurements: tables of times or rates, read strictly, with line numbers.

The format. A CSV file with a header, columns separated by commas, decimal points, UTF-8; or a JSON
file with a list of objects that have the same names. One row is one measurement:

workers       whole number from 1 (also: n, n_workers, n_gpus, n_accelerators)
a time        a name that ends in its unit: seconds, step_ms, time_to_train_min, ms/step, ...
or a rate     a name that ends in per and a unit of time: samples_per_second, tokens/s, ...; or
              throughput, which is taken per second
round         optional: which round of the measurement; rows of one round are compared pairwise
phase         optional: step (the whole, also where the column is missing), compute, ...
work          optional: work done in one timing, such as the samples of a step

Other columns are left alone. Nothing is guessed: a row that can't be used is an error that names
its line, and so are numbers that contradict each other.
"""

from amdahl_lab.tables.table import Table, read_table

__all__ = ["Table", "read_table"]
