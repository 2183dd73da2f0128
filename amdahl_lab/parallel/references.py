"""The book's reference measurements: which experiments, with which arguments, under which names.

``make record`` takes them all and writes them to `amdahl_lab.recorded`. They use more rounds than a
lab has time for.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from amdahl_lab.parallel import case_studies, experiments, strategy_references
from amdahl_lab.parallel.acceleration.references import ACCELERATION
from amdahl_lab.parallel.bottlenecks.references import BOTTLENECKS
from amdahl_lab.parallel.comparisons.references import COMPARISONS
from amdahl_lab.parallel.experiments import Progress
from amdahl_lab.parallel.growing.references import GROWING
from amdahl_lab.parallel.one_worker import loading, operators, serving, shrinking
from amdahl_lab.parallel.workloads import clicks, text
from amdahl_lab.records import ScalingRun

ROUNDS = 20
CALLS = 600  # of each batch size: 368 are the fewest that bound a 99th percentile from above
Runs = Iterator[tuple[str, ScalingRun]]


def _digits(progress: Progress) -> Runs:
    yield "digits_scaling", experiments.digits_scaling((1, 2, 3, 4), ROUNDS, progress=progress)


def _digits_small_batch(progress: Progress) -> Runs:
    run = experiments.digits_scaling((1, 2, 4), ROUNDS, batch=16, progress=progress)
    yield "digits_small_batch", run


def _control(progress: Progress) -> Runs:
    for s in (0.05, 0.10, 0.30):
        run = experiments.control_scaling(s, (1, 2), ROUNDS, progress=progress)
        yield f"control_{100 * s:02.0f}", run
        if run.rounds < run.rounds_planned:  # it was interrupted
            return


def _communication(progress: Progress) -> Runs:
    runs = experiments.communication_share(
        ("small", "medium", "wide"), (16, 64, 256), rounds=ROUNDS // 2, progress=progress
    )
    for (size, batch), run in runs.items():
        yield f"communication_{size}_{batch:03d}", run


def _case_studies(progress: Progress) -> Runs:
    to_target = case_studies.time_to_target((64, 128, 256), rounds=6, progress=progress)
    for batch, run in to_target.items():
        yield f"digits_to_target_{batch:03d}", run
    if any(run.rounds < run.rounds_planned for run in to_target.values()):  # interrupted
        return
    for workload, cuts, steps in (
        (text(), case_studies.text_cuts(text()), 4),
        (clicks(batch=1024), case_studies.click_cuts(), 12),
    ):
        runs = case_studies.cut_scaling(workload, cuts, 8, steps=steps, progress=progress)
        for name, run in runs.items():
            yield f"{workload.name}_{name.replace(' ', '_')}", run
        if any(run.rounds < run.rounds_planned for run in runs.values()):
            return


def _operators(progress: Progress) -> Runs:
    for stem, chosen in (("operators", operators.OPERATORS), ("blocks", operators.BLOCKS)):
        run = operators.operator_times(chosen, ROUNDS, progress=progress)
        yield stem, run
        if run.rounds < run.rounds_planned:
            return


def _input_pipeline(progress: Progress) -> Runs:
    for bend in (True, False):
        run = loading.input_pipeline((0, 1, 2), ROUNDS // 2, bend=bend, progress=progress)
        yield f"input_pipeline_{'bent' if bend else 'plain'}", run
        if run.rounds < run.rounds_planned:
            return


def _answers(progress: Progress) -> Runs:
    yield "answer_times", serving.answer_times(calls=CALLS)


def _shrunk(progress: Progress) -> Runs:
    run = shrinking.shrunk_times(shrinking.trained(), ROUNDS // 2, progress=progress)
    yield "shrunk", run


def _named(take: Callable[[Progress], Runs]) -> Callable[[str | None, Progress], Runs]:
    def taken(machine_name: str | None, progress: Progress = True) -> Runs:
        for stem, run in take(progress):
            machine = replace(run.machine, name=machine_name or run.machine.name)
            yield stem, replace(run, machine=machine)

    return taken


REFERENCES: dict[str, Callable[[str | None, Progress], Runs]] = {
    "digits": _named(_digits),
    "digits_small_batch": _named(_digits_small_batch),
    "control": _named(_control),
    "communication": _named(_communication),
    "operators": _named(_operators),
    "input_pipeline": _named(_input_pipeline),
    "answers": _named(_answers),
    "shrunk": _named(_shrunk),
    **{name: _named(take) for name, take in BOTTLENECKS.items()},
    **{name: _named(take) for name, take in ACCELERATION.items()},
    "strategies": _named(strategy_references.take),
    "case_studies": _named(_case_studies),
    **{name: _named(take) for name, take in GROWING.items()},
    **{name: _named(take) for name, take in COMPARISONS.items()},
}
