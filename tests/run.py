"""Run everything, stage by stage, and close with a table of what ran and what was skipped and why.

    python tests/run.py                 all stages
    python tests/run.py unit browser    these stages

Stages of one row run side by side, since most of their time one core is idle; what a stage says is
printed when it ends. The notebooks measure, so they run by themselves.

With AMDAHL_LAB_REQUIRE_ALL=1 a skipped test is a failure.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=5"]
NBVAL = [*PYTEST, "--nbval-cell-timeout=120"]

# Each stage: what it shows, its commands, and the seconds after which it counts as hanging.
STAGES: dict[str, tuple[str, list[list[str]], int]] = {
    "lint": (
        "style and the floors of the package",
        [
            [str(BIN / "ruff"), "check", "--quiet", "."],
            [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
            [str(BIN / "lint-imports"), "--no-cache"],
        ],
        120,
    ),
    "unit": (
        "laws, fits, records and every docstring's example",
        [[*PYTEST, "tests/unit", "--doctest-modules", "amdahl_lab"]],
        600,
    ),
    "parallel": (
        "real processes that really exchange data",
        [[*PYTEST, "tests/parallel"]],
        1800,
    ),
    "notebooks": (
        "every notebook again, each deterministic output compared",
        [
            [*NBVAL, "--nbval", "book", "chapters", "solutions"],
            [*NBVAL, "--nbval-lax", "exercises"],
        ],
        1800,
    ),
    "site": (
        "the site, warnings as errors, and what may not be in it",
        [["make", "--no-print-directory", "book"], [*PYTEST, "tests/book"]],
        900,
    ),
    "browser": (
        "pages and explorers in headless Chromium",
        [[*PYTEST, "tests/browser"]],
        1800,
    ),
    "grading": (
        "right answers, wrong answers and cheats",
        [[*PYTEST, "tests/grading"]],
        1800,
    ),
}


# Rows of lanes: the lanes of a row run at the same time, the stages of a lane one after another.
ROWS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("lint",),),
    (("unit", "parallel", "site", "browser"), ("grading",)),
    (("notebooks",),),
)


@dataclass
class Outcome:
    """What one stage did."""

    seconds: float = 0.0
    passed: int = 0
    failed: int = 0
    skips: Counter = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)


def run_stage(name: str, environment: dict[str, str], scratch: Path) -> Outcome:
    """Run the commands of one stage, count its tests, and print what they said."""
    print(f"== {name} begins: {STAGES[name][0]}", flush=True)
    said = scratch / f"{name}.txt"
    with said.open("w", encoding="utf-8") as heard:
        outcome = run_commands(name, environment, scratch, heard)
    text = said.read_text(encoding="utf-8", errors="replace")
    print(f"\n== {name}, {outcome.seconds:.0f} s\n{text}", flush=True)
    return outcome


def run_commands(name: str, environment: dict[str, str], scratch: Path, heard: TextIO) -> Outcome:
    """Run the commands of one stage into a file."""
    _, commands, limit = STAGES[name]
    outcome = Outcome()
    start = time.monotonic()
    for number, command in enumerate(commands):
        report = scratch / f"{name}-{number}.xml"
        is_pytest = command[: len(PYTEST)] == PYTEST
        shown = " ".join(Path(part).name if part.startswith("/") else part for part in command)
        print(f"$ {shown}", file=heard, flush=True)
        try:
            code = subprocess.run(
                [*command, f"--junitxml={report}"] if is_pytest else command,
                cwd=ROOT,
                env=environment,
                timeout=max(limit - (time.monotonic() - start), 1),
                stdout=heard,
                stderr=subprocess.STDOUT,
            ).returncode
        except subprocess.TimeoutExpired:
            outcome.trouble.append(f"{command[-1]}: not finished after {limit} s")
            outcome.failed += 1
            break
        if is_pytest and report.exists():
            before = outcome.failed
            count(report, outcome)
            if code != 0 and outcome.failed == before:  # such as an error in collecting
                outcome.failed += 1
                outcome.trouble.append(f"{command[-1]}: pytest ended with {code}")
        else:
            outcome.passed += code == 0
            outcome.failed += code != 0
            if code != 0:
                outcome.trouble.append(f"{shown}: ended with {code}")
    outcome.seconds = time.monotonic() - start
    return outcome


def count(report: Path, outcome: Outcome) -> None:
    """Add the tests of a JUnit report to an outcome."""
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        skipped = case.find("skipped")
        if skipped is not None:
            reason = skipped.get("message") or "no reason given"
            outcome.skips[reason] += 1
        elif case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
            outcome.trouble.append(name)
        else:
            outcome.passed += 1


def main() -> int:
    """Run the stages that were asked for; return 0 if all is well."""
    # A script's background job starts with interrupts ignored, and some tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stages", nargs="*", help=", ".join(STAGES))
    chosen = parser.parse_args().stages or list(STAGES)
    unknown = [name for name in chosen if name not in STAGES]
    if unknown:
        parser.error(f"stages must be of {', '.join(STAGES)}, got {', '.join(unknown)}")
    require_all = os.environ.get("AMDAHL_LAB_REQUIRE_ALL") == "1"

    outcomes: dict[str, Outcome] = {}
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="amdahl_lab_tests_") as scratch:
        environment = os.environ | {
            "AMDAHL_LAB_HOME": str(Path(scratch) / "home"),  # no test writes into a real diary
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

        def run_lane(lane: Sequence[str]) -> None:
            for name in lane:
                if name in chosen:
                    outcomes[name] = run_stage(name, environment, Path(scratch))

        for row in ROWS:
            with ThreadPoolExecutor(len(row)) as lanes:
                list(lanes.map(run_lane, row))
    outcomes = {name: outcomes[name] for name in STAGES if name in outcomes}
    minutes = (time.monotonic() - start) / 60

    print(f"\n{'stage':<10} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for name, outcome in outcomes.items():
        skips = sum(outcome.skips.values())
        print(
            f"{name:<10} {outcome.passed:>7} {outcome.failed:>7} {skips:>8} {outcome.seconds:>8.0f}"
        )
    for name, outcome in outcomes.items():
        for reason, number in outcome.skips.items():
            print(f"skipped in {name}: {number} x {reason}")
        for trouble in outcome.trouble:
            print(f"failed in {name}: {trouble}")
    passed = sum(outcome.passed for outcome in outcomes.values())
    failed = sum(outcome.failed for outcome in outcomes.values())
    skipped = sum(sum(outcome.skips.values()) for outcome in outcomes.values())
    if require_all and skipped:
        print("A skip is a failure here, because AMDAHL_LAB_REQUIRE_ALL=1.")
    print(f"\nAll stages took {minutes:.1f} minutes.")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or (require_all and skipped) else 0


if __name__ == "__main__":
    sys.exit(main())
