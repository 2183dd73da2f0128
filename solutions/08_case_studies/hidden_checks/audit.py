"""Exercise 4: what is missing in a scaling report, what contradicts itself, what is not shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import Item, Marking, Verdict, nothing, trouble
from amdahl_lab.grading.session import NoAnswerError

Report = dict[str, Any]
TEXTS = ("question", "workload", "machine", "law", "left_over", "limits")
NAMES = (
    *("question", "workload", "machine", "cores", "baseline_threads", "threads"),
    *("equal_to_serial", "rounds", "scaling", "workers", "batch", "speedup", "low", "high"),
    *("efficiency", "oversubscribed", "law", "fitted", "held_out", "held_out_error"),
    *("samples_to_target", "left_over", "limits"),
)
OPTIONAL = {"oversubscribed", "samples_to_target", "held_out_error"}


@dataclass(frozen=True)
class NamesCheck:
    """Gives hidden reports to a student's function and compares the sets of names it returns.

    Parameters
    ----------
    item : Item
    subject : str
        Name of the function.
    reports : callable
        Draws pairs of a report and the names that are right, from a generator.
    overlooked, invented : mapping of str to str
        What to say where a name lacks and where one is too much, by name; ``""`` is for all others.
        The first that applies is given.
    """

    item: Item
    subject: str
    reports: Callable[[np.random.Generator], list[tuple[Report, set[str]]]]
    overlooked: Mapping[str, str]
    invented: Mapping[str, str]
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The one item."""
        return (self.item,)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Ask for all reports and compare."""
        drawn = self.reports(marking.rng(self.item.id))
        question = {"function": self.subject, "cases": [[wire.packed(one)] for one, _ in drawn]}
        answers = marking.session.ask("call", question, seconds=10.0)
        if not isinstance(answers, list) or len(answers) != len(drawn):
            raise NoAnswerError("it gave no answer")
        hint = trouble(answers, self.subject)
        if hint is not None:
            return nothing(self.items, hint)
        for answer, (_, right) in zip(answers, drawn, strict=True):
            found = _names(answer.get("value"))
            if found is None:
                return nothing(self.items, f"{self.subject} must return a set")
            hint = _difference(found, right, self.overlooked, self.invented)
            if hint is not None:
                return nothing(self.items, hint)
        return [Verdict(self.item, self.item.points)]


def _names(value: Any) -> set[str] | None:
    if not isinstance(value, list) or any(isinstance(one, list | dict) for one in value):
        return None
    return {_name(one) for one in value}


def _name(value: Any) -> str:
    """A whole number is the same name whether it is written 4 or 4.0."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return str(int(number)) if number.is_integer() else str(value)


def _difference(
    found: set[str], right: set[str], overlooked: Mapping[str, str], invented: Mapping[str, str]
) -> str | None:
    for names, hints in ((found - right, invented), (right - found, overlooked)):
        if names:
            told = [hints[name] for name in hints if name in names]
            return told[0] if told else hints[""]
    return None


def complete(rng: np.random.Generator, scaling: str = "strong") -> Report:
    """A report in which nothing is wrong, with workers in any order."""
    count = int(rng.integers(4, 6))
    workers = np.array([2**k for k in range(count)])[rng.permutation(count)]
    if workers[-1] > workers[-2]:  # the last two of the list are not the largest two in order
        workers = np.append(workers[:-2], workers[-2:][::-1])
    s = float(rng.uniform(0.02, 0.08))
    speedup = np.round(1 / (s + (1 - s) / workers), 3)
    threads = int(rng.integers(1, 4))
    batch = int(rng.integers(2, 9)) * 32
    held = int(workers.max())
    texts = {name: f"{name}: {int(rng.integers(100, 1000))}" for name in TEXTS}
    return texts | {
        "cores": int(workers.max()) * threads,
        "baseline_threads": threads + int(rng.integers(0, 2)),
        "threads": threads,
        "equal_to_serial": True,
        "rounds": int(rng.integers(5, 30)),
        "scaling": scaling,
        "workers": workers.tolist(),
        "batch": [batch * int(N) if scaling == "weak" else batch for N in workers],
        "speedup": speedup.tolist(),
        "low": np.where(workers == 1, 1.0, np.round(0.98 * speedup, 3)).tolist(),
        "high": np.where(workers == 1, 1.0, np.round(1.02 * speedup, 3)).tolist(),
        "efficiency": np.round(speedup / workers, 4).tolist(),
        "oversubscribed": [],
        "fitted": [int(N) for N in workers if held != N],
        "held_out": [held],
        "held_out_error": round(float(rng.uniform(-0.1, 0.1)), 3),
        "samples_to_target": [9000.0 + 10 * k for k in range(count)],
    }


def _incomplete(rng: np.random.Generator) -> list[tuple[Report, set[str]]]:
    cases = [(complete(rng) | {"held_out_error": 0.0, "equal_to_serial": False}, set())]
    for _ in range(6):
        report, wrong = complete(rng), set()
        required = [name for name in NAMES if name not in OPTIONAL]
        for name in rng.choice(required, size=3, replace=False).tolist():
            wrong.add(name)
            emptied = {str: ["", "  \n", None], list: [[], None]}.get(type(report[name]), [None])
            if rng.random() < 0.4:
                del report[name]
            else:
                report[name] = emptied[int(rng.integers(len(emptied)))]
        cases.append((report, wrong))
    blanks, nones, gone = (complete(rng) for _ in range(3))
    del gone["rounds"], gone["samples_to_target"], gone["held_out_error"]
    return [
        *cases,
        (blanks | {"limits": " \t ", "law": ""}, {"limits", "law"}),
        (nones | {"cores": None, "samples_to_target": None}, {"cores"}),
        (gone | {"fitted": [], "oversubscribed": []}, {"rounds", "fitted"}),
    ]


MISSING = NamesCheck(
    Item("audit_missing", 1, "what a report leaves open"),
    "missing",
    _incomplete,
    overlooked={
        "limits": "a text of nothing but blanks answers nothing",
        "cores": "None answers nothing",
        "fitted": "an empty list answers nothing, but for the three names that may be empty",
        "": "a name that is not answered is not found: not there, None, blank or empty",
    },
    invented={
        "equal_to_serial": "False is an answer: somebody compared, and the results differ",
        "held_out_error": "a zero is an answer, and this name may be missing",
        "oversubscribed": "an empty list of these says that there are none",
        "samples_to_target": "where the target is not asked about, there need be no samples to it",
        "": "a name that is answered is called missing",
    },
)


def _contradictory(rng: np.random.Generator) -> list[tuple[Report, set[str]]]:
    cases = [(complete(rng), set()), (complete(rng, "weak"), set())]
    for kind in ("efficiency", "efficiency", "low", "high", "edge", "rounded", "both"):
        report, wrong = complete(rng), set()
        for place in rng.choice(len(report["workers"]), size=2, replace=False).tolist():
            N, speedup = report["workers"][place], report["speedup"][place]
            wrong.add(str(N))
            if kind in ("efficiency", "both"):
                report["efficiency"][place] += float(rng.choice([-1, 1]) * rng.uniform(0.015, 0.2))
            if kind in ("low", "both"):
                report["low"][place] = speedup * 1.01
                report["high"][place] = speedup * 1.03
            if kind == "high":
                report["low"][place], report["high"][place] = speedup * 0.95, speedup * 0.99
            if kind == "edge":  # ends included
                report["low"][place] = speedup
                wrong.discard(str(N))
            if kind == "rounded":
                report["efficiency"][place] = speedup / N + 0.005
                wrong.discard(str(N))
        cases.append((report, wrong))
    return cases


MISCOUNTED = NamesCheck(
    Item("audit_miscounted", 1, "numbers that contradict each other"),
    "miscounted",
    _contradictory,
    overlooked={"": "an N is overlooked: efficiency against speedup / N, and both ends"},
    invented={
        "": "an N is named whose numbers agree: the ends belong to an interval, and 0.01 is allowed"
    },
)


def _biased(rng: np.random.Generator) -> list[tuple[Report, set[str]]]:
    def crowded(report: Report) -> Report:
        return report | {"cores": max(report["workers"]) * report["threads"] // 2}

    def shifting(report: Report) -> Report:
        """Right batches for the other kind of scaling."""
        first = report["batch"][0]
        grown = [first * N for N in report["workers"]]
        return report | {"batch": [first] * len(grown) if report["scaling"] == "weak" else grown}

    cases = [(complete(rng), set()), (complete(rng, "weak"), set())]
    for scaling in ("strong", "weak"):
        cases.append((shifting(complete(rng, scaling)), {"batch"}))
        one = complete(rng, scaling)
        cases.append((one | {"baseline_threads": 1, "threads": 2, "cores": 4096}, {"threads"}))
        cases.append((crowded(complete(rng, scaling)), {"oversubscribed"}))
        marked = crowded(complete(rng, scaling))
        cases.append((marked | {"oversubscribed": [max(marked["workers"])]}, set()))
        half = crowded(complete(rng, scaling))
        half["cores"] //= 2  # two N are too many, and one is marked
        cases.append((half | {"oversubscribed": [max(half["workers"])]}, {"oversubscribed"}))
    odd = complete(rng) | {"threads": 4, "cores": 1024}
    cases.append((odd | {"baseline_threads": 3}, {"threads"}))
    more = complete(rng)
    cases.append((more | {"oversubscribed": [max(more["workers"])]}, set()))
    last = shifting(complete(rng))
    last |= {"baseline_threads": 1, "threads": 2, "cores": max(last["workers"])}
    return [*cases, (last, {"threads", "oversubscribed", "batch"})]


UNFAIR = NamesCheck(
    Item("audit_unfair", 1, "comparisons that are not fair"),
    "unfair",
    _biased,
    overlooked={
        "threads": "one worker with fewer threads is a slow baseline: every speedup looks better",
        "oversubscribed": (
            "workers times threads of each are more than the cores, at an N that is not marked"
        ),
        "batch": "the batch does not do what the kind of scaling says",
        "": "a word is missing",
    },
    invented={
        "threads": "a baseline may have more threads than a worker; fewer is what is unfair",
        "oversubscribed": "the report marks all N with more threads than cores",
        "batch": 'with "weak" scaling the batch for each worker stays, with "strong" that of all',
        "": "only the three words are asked for",
    },
)


def _unproven(rng: np.random.Generator) -> list[tuple[Report, set[str]]]:
    def last_two(report: Report) -> tuple[int, int]:
        before, last = np.argsort(report["workers"])[-2:]
        return int(before), int(last)

    def stalled(report: Report) -> Report:
        """The largest N no faster than the one before, within the intervals."""
        before, last = last_two(report)
        high = [*report["high"]]
        high[before] = report["low"][last] + 0.01
        return report | {"high": high}

    def above(report: Report, reason: str) -> Report:
        place = int(np.argsort(report["workers"])[1])
        N = report["workers"][place]
        for name, factor in (("low", 1.02), ("speedup", 1.06), ("high", 1.1)):
            report[name][place] = N * factor
        return report | {"left_over": reason}

    def growing(report: Report) -> Report:
        return report | {"batch": [64 * N for N in report["workers"]]}

    cases = [(complete(rng), set()), (complete(rng, "weak"), set())]
    tried = complete(rng)
    cases.append((tried | {"held_out": [tried["fitted"][0], *tried["held_out"]]}, {"held out"}))
    cases.append((tried | {"fitted": tried["workers"]}, {"held out"}))
    cases += [(stalled(complete(rng)), {"gain"}) for _ in range(3)]
    touching = complete(rng)
    before, last = last_two(touching)
    touching["high"][before] = touching["low"][last]
    cases.append((touching, {"gain"}))
    cases.append((above(complete(rng), "5% waiting"), {"above ideal"}))
    cases.append((above(complete(rng), "the model fits into a cache at 2"), set()))
    cases.append((above(complete(rng), "time of the allocation of memory"), set()))
    straddling = complete(rng)
    place = int(np.argsort(straddling["workers"])[1])
    straddling["high"][place] = straddling["workers"][place] * 1.03  # the low end is not above N
    cases.append((straddling, set()))
    cases.append((growing(complete(rng)) | {"samples_to_target": []}, {"target"}))
    cases.append((growing(complete(rng)), set()))
    cases.append((complete(rng) | {"samples_to_target": []}, set()))
    gone = growing(complete(rng))
    del gone["samples_to_target"]
    return [
        *cases,
        (gone, {"target"}),
        (stalled(gone | {"fitted": gone["workers"]}), {"target", "gain", "held out"}),
    ]


UNSUPPORTED = NamesCheck(
    Item("audit_unsupported", 1, "sentences that the numbers do not carry"),
    "unsupported",
    _unproven,
    overlooked={
        "held out": "an N among those that the law was fitted to is no test of it",
        "gain": "the intervals of the two largest N overlap or touch, so no gain is shown",
        "above ideal": "more than N times as fast on N workers, and no word of why",
        "target": "the batch changes, and nobody says how many samples it took to the target",
        "": "a word is missing",
    },
    invented={
        "held out": "the law was tried on an N that it had not seen",
        "gain": "the two largest N, not the last two in the list: their intervals are apart",
        "above ideal": "a reason is given there, or the low end of the interval is not above N",
        "target": "samples to the target are given, or the batch stays the same",
        "": "only the four words are asked for",
    },
)
