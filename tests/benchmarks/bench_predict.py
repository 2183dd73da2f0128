"""Predict, then run: step times on this machine, predicted, frozen, and only then measured.

    python tests/benchmarks/bench_predict.py --folder NEW            all four parts, in turn
    python tests/benchmarks/bench_predict.py --folder NEW calibrate  12 runs, under five minutes
    python tests/benchmarks/bench_predict.py --folder NEW predict    freeze what is predicted
    python tests/benchmarks/bench_predict.py --folder NEW run        run what was predicted
    python tests/benchmarks/bench_predict.py --folder NEW report     the errors beside their goals

The parts hand on files in the folder (a new temporary one where none is named). What is frozen,
and what was run, is never written again: another campaign takes another folder.
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from bench_cluster import Figure

from amdahl_lab.machine import load_average, this_machine
from amdahl_lab.prediction import Job, freeze, thaw
from amdahl_lab.prediction.campaign import MODEL, Series, outcomes, predict_jobs, scores
from amdahl_lab.prediction.design import calibration_jobs, drawn_jobs, oversubscribed_jobs

SEED = 20261124  # of the draw of jobs and of the orders
JOBS, ROUNDS, CALIBRATION_ROUNDS = 66, 12, 30


def calibrate(folder: Path) -> None:
    series = measured(calibration_jobs(), CALIBRATION_ROUNDS, SEED, phases=True)
    series.save(fresh(folder / "calibration.json"))
    print(f"{len(series.runs)} calibration runs in {series.seconds:.0f} s")


def predict(folder: Path) -> None:
    seen = Series.load(folder / "calibration.json")
    drawn = drawn_jobs(JOBS, np.random.default_rng(SEED))
    for name, jobs in (("predicted", drawn), ("oversubscribed", oversubscribed_jobs())):
        digest = freeze(
            predict_jobs(seen.runs, jobs, ROUNDS, seen.machine.cores_usable),
            folder / f"{name}.json",
        )
        print(f"{len(jobs)} jobs {name}, SHA-256 {digest}")


def run(folder: Path) -> None:
    """Run what was predicted, in random order; the oversubscribed in the same rounds."""
    drawn, crowded = (thaw(folder / f"{name}.json")[0].jobs for name in FROZEN)
    series = measured([*drawn, *crowded], ROUNDS, SEED + 1, phases=False)
    series.save(fresh(folder / "run.json"))
    print(f"{len(series.runs)} jobs run in {series.seconds:.0f} s")


def report(folder: Path) -> list[Figure]:
    calibration, ran = (Series.load(folder / f"{name}.json") for name in ("calibration", "run"))
    frozen = {name: thaw(folder / f"{name}.json") for name in FROZEN}
    for name, (predicted, moment, digest) in frozen.items():
        print(f"  ({name}: {len(predicted.jobs)} jobs, frozen {moment}, SHA-256 {digest[:16]}...)")
    assert frozen["predicted"][1] <= ran.started

    def scored(name: str, usual_speed: bool = True) -> dict:
        predicted = frozen[name][0]
        return scores(predicted, outcomes(predicted, ran.runs, usual_speed=usual_speed))

    found = scored("predicted")
    for what, table in (
        ("at the calibration's usual speed", found),
        ("as the clock showed it", scored("predicted", usual_speed=False)),
        ("more workers than cores", scored("oversubscribed")),
    ):
        print(f"  {what}:")
        for name, each in table.items():
            print(
                f"    {name:20} median {each.median:6.1%}  95th percentile "
                f"{each.worst_of_twenty:6.1%}  coverage {each.coverage:4.0%}  "
                f"intervals +-{each.width:.0%}"
            )
    model, rivals = found[MODEL], [each for name, each in found.items() if name != MODEL]
    return [
        Figure("calibration runs", len(calibration.runs), 12, "runs", True),
        Figure("calibration", calibration.seconds / 60, 5, "minutes", True),
        Figure("jobs predicted and then run", len(frozen["predicted"][0].jobs), 60, "jobs"),
        Figure("step time, median error", 100 * model.median, 5, "%", True),
        Figure("step time, 95th percentile", 100 * model.worst_of_twenty, 15, "%", True),
        Figure("step time, coverage of the 95% interval", 100 * model.coverage, 93, "%"),
        Figure(
            "median error of the best rival over the model's",
            min(each.median for each in rivals) / model.median,
            1,
            "times",
        ),
    ]


FROZEN = ("predicted", "oversubscribed")
PARTS = {"calibrate": calibrate, "predict": predict, "run": run}


def measured(jobs: list[Job], rounds: int, seed: int, *, phases: bool) -> Series:
    from amdahl_lab.parallel.interleaved import measure_jobs

    started, before = datetime.now(UTC).isoformat(timespec="seconds"), load_average()
    clock = time.monotonic()
    runs = measure_jobs(jobs, rounds, np.random.default_rng(seed), phases=phases)
    seconds = time.monotonic() - clock
    return Series(tuple(runs), this_machine(), started, seconds, before, load_average())


def fresh(path: Path) -> Path:
    if path.exists():
        raise SystemExit(f"{path.name} is there already: a campaign is run once; name a new folder")
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join([*PARTS, 'report'])} (all)")
    parser.add_argument("--folder", type=Path, help="where the files are")
    chosen = parser.parse_args()
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="predict_"))
    folder.mkdir(parents=True, exist_ok=True)
    for part in chosen.parts or [*PARTS, "report"]:
        if part == "report":
            for figure in report(folder):
                print(figure)
        elif part in PARTS:
            PARTS[part](folder)
        else:
            raise SystemExit(f"part must be one of {', '.join([*PARTS, 'report'])}, got {part!r}")
