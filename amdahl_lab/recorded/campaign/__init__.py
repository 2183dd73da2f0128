"""One campaign of predict, then run: what calibrated, what was predicted, what came out.

Written, into an empty folder, by ``python tests/benchmarks/bench_predict.py --folder FOLDER`` on
the machine that the files name: `calibration` and `run` hold the rounds, `predicted` and
`oversubscribed` what was frozen in between, with its time and hash.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
