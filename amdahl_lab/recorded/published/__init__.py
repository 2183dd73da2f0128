"""Published figures that the models are checked on, as data with their sources.

`landmark_models`: parameters and training compute over the years, from Epoch AI, "Parameter,
Compute and Data Trends in Machine Learning", https://epoch.ai/data/notable-ai-models, used with
attribution (CC BY). A selection of 32 rows, unchanged; `confidence`
is Epoch AI's word for how sure the compute is.
`published_step_times`: step times of Megatron on A100-80GB, arXiv:2205.05198, table 5.
`published_memory`: memory of the same models, arXiv:2205.05198, figure 1.
`accelerators`: peaks, bandwidth and power of chips, each row with its source.
`published_pipeline_speedup`: GPipe's speedups, arXiv:1811.06965, table 2.
`scaling_series`: time to train or throughput at several numbers of accelerators, eleven series.
`convergence_points`: samples or epochs to the target over the batch, MLCommons' reference points.

The last two are derived from public MLPerf® Training result logs where `source` says mlcommons: of
the runs of one entry the fastest and the slowest are dropped and the rest averaged, raw, before
convergence scaling; throughput is samples to the target over time. These derived numbers are no
official results: see `MLPERF_NOTICE`. Series R2 and R3 mix two submitters. P2 and P4 are no MLPerf
results.
"""

import csv
from pathlib import Path

FOLDER = Path(__file__).parent

MLPERF_NOTICE = (
    "Derived from public MLPerf® Training result logs. Result not verified by MLCommons "
    "Association. The MLPerf name and logo are registered and unregistered trademarks of MLCommons "
    "Association in the United States and other countries. All rights reserved. Unauthorized use "
    "strictly prohibited. See www.mlcommons.org for more information."
)


def published_tables() -> tuple[str, ...]:
    """Return the names of all published tables."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.csv")))


def published_table(name: str) -> list[dict[str, str]]:
    """Load a published table.

    Parameters
    ----------
    name : str
        Its name, such as "published_step_times".

    Returns
    -------
    list of dict
        One for each row, text by column; the column `source` says where the row is from.

    Raises
    ------
    ValueError
        If there is no table of that name; the message lists those that there are.
    """
    if name not in published_tables():
        there = ", ".join(published_tables()) or "none"
        raise ValueError(f"name must be a published table ({there}), got {name!r}")
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
