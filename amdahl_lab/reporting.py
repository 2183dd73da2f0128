"""A scaling report: what must stand in it, and one started from a run."""

from collections.abc import Mapping

import numpy as np

from amdahl_lab import fitting
from amdahl_lab.records import ScalingRun
from amdahl_lab.statistics import ratio_interval

ITEMS = {
    "question": "What was asked, and what was predicted before it was measured?",
    "workload": "Which model, data and batch; does the batch, or the work, grow with the workers?",
    "machine": "Which cores or accelerators, links and versions; who else used them?",
    "baseline": "What is T(1): the best program for one worker, with as many threads?",
    "equality": "Was the parallel program shown to compute the same as the serial one?",
    "protocol": "What was repeated how often in which order; what was left out?",
    "speedups": "Speedup at each number of workers, with its interval.",
    "law": "Which law with which parameters and intervals; which rivals were tried?",
    "held out": "How far off was the law at a point that it had not seen, and a baseline there?",
    "left over": "What does the law not explain, and which measured part of the time does?",
    "target": "Did samples to the target, or the final quality, change with the workers?",
    "limits": "For which numbers of workers, batches and machines must this not be used?",
}


def from_run(run: ScalingRun, *, rng: np.random.Generator) -> dict[str, str]:
    """Write down what a run itself can tell; the other items are for its author.

    Parameters
    ----------
    run : ScalingRun
        A run with the phase "step" at one worker and others.
    rng : numpy.random.Generator
        Source of the draws behind intervals.

    Returns
    -------
    dict of str to str
        The items of `ITEMS` that the run answers, in their order.

    Raises
    ------
    ValueError
        If one worker was not measured.
    """
    over = [N for N in run.workers if run.oversubscribed(N)]
    within = [N for N in run.workers if N not in over]
    settings = ", ".join(f"{name} {value}" for name, value in sorted(run.parameters.items()))
    grows = "batch_per_worker" in run.parameters
    machine = run.machine
    versions = ", ".join(f"{name} {each}" for name, each in machine.versions.items())
    speedups = "; ".join(
        f"N = {N}: {s:.2f}" + (" (oversubscribed)" if N in over else "")
        for N, s in fitting.speedups(run).items()
    )
    return {
        "workload": f"{run.experiment}: {settings}; the work "
        + ("grows with the workers" if grows else "stays the same"),
        "machine": f"{machine.name}: {machine.processor}, {machine.cores_usable:g} usable cores; "
        f"{versions}; load {run.load_before:.1f} before, {run.load_after:.1f} after",
        "protocol": f"{run.rounds} rounds, each with every N once in random order and in fresh "
        f"processes; {len(run.timings[0].warmups)} rounds to warm up are kept apart",
        "speedups": speedups,
        **_law(run, within, rng),
        **_left_over(run, within),
    }


def missing(report: Mapping[str, str]) -> list[str]:
    """Return the items of `ITEMS` that a report does not answer, in their order.

    Raises
    ------
    ValueError
        If the report has an item that `ITEMS` does not know.
    """
    unknown = [name for name in report if name not in ITEMS]
    if unknown:
        raise ValueError(f"items must be of {', '.join(ITEMS)}, got {', '.join(unknown)}")
    return [name for name in ITEMS if not report.get(name, "").strip()]


def text(report: Mapping[str, str]) -> str:
    """Write a report as Markdown: each item with its answer, or with its question where it lacks.

    Raises
    ------
    ValueError
        As for `missing`.
    """
    lacking = missing(report)
    lines = [
        f"- **{name.capitalize()}.** "
        + (f"*Missing: {question}*" if name in lacking else report[name])
        for name, question in ITEMS.items()
    ]
    return "\n".join(lines)


def _law(run: ScalingRun, within: list[int], rng: np.random.Generator) -> dict[str, str]:
    found = fitting.fit_all(run, rng=rng, workers=within) if len(within) > 1 else {}
    fits = [fit for fit in found.values() if isinstance(fit, fitting.Fit)]
    refused = [law for law, fit in found.items() if not isinstance(fit, fitting.Fit)]
    if not fits:
        return {}
    told = "; ".join(
        f"{fit.law}: "
        + ", ".join(f"{name.replace('_', ' ')} {each:.2g}" for name, each in fit.parameters.items())
        for fit in fits
    )
    report = {"law": told + (f"; not identified: {', '.join(refused)}" if refused else "")}
    if len(within) < 3:
        N = ", ".join(map(str, within))
        report["held out"] = f"nothing could be: N = {N} alone, so the law is assumed, not tested"
        return report
    guesses = fitting.held_out_errors(run, rng=rng, workers=within)
    report["held out"] = f"at N = {within[-1]}: " + "; ".join(
        f"{law} {100 * guess.error:+.1f}%"
        for law, guess in guesses.items()
        if isinstance(guess, fitting.HeldOut)
    )
    return report


def _left_over(run: ScalingRun, within: list[int]) -> dict[str, str]:
    last = within[-1]
    there = [
        phase
        for phase in run.phases
        if phase != "step" and any((t.workers, t.phase) == (last, phase) for t in run.timings)
    ]
    if not there or last == 1:
        return {}
    shares = [
        f"{phase} {ratio_interval(run.seconds(last, phase), run.seconds(last)):.2f}"
        for phase in there
    ]
    return {"left over": f"shares of the step at N = {last}: " + "; ".join(shares)}
