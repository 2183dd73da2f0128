"""Speed and accuracy of the cluster model, each figure beside its goal.

    python tests/benchmarks/bench_cluster.py

Speeds are the best of several rounds on one core, because a shared machine only ever slows down.
SimPy is needed for one row only, and its absence is said.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import time  # noqa: E402
from collections.abc import Callable  # noqa: E402

import numpy as np  # noqa: E402
from figure import Figure  # noqa: E402

from amdahl_lab import cluster, schedule  # noqa: E402
from amdahl_lab.recorded.published import published_table  # noqa: E402
from amdahl_lab.schedule.tasks import TaskGraph  # noqa: E402

ROUNDS = 7
FITTED = ("matmul_efficiency", "memory_efficiency", "NVLink", "InfiniBand")


def best(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the seconds of the fastest of several rounds."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def accuracy() -> list[Figure]:
    seen = [cluster.published_step(row) for row in published_table("published_step_times")]
    fitted = np.abs(cluster.calibrate(cluster.a100_cluster(), seen, FITTED).errors) * 100
    held_out = np.abs(cluster.leave_one_out(cluster.a100_cluster(), seen, FITTED)) * 100
    return [
        Figure("step times, mean error", fitted.mean(), 2.5, "%", True),
        Figure("step times, worst error", fitted.max(), 5, "%", True),
        Figure("step times, mean error of a model left out", held_out.mean(), 2.5, "%", True),
        Figure("step times, worst error of a model left out", held_out.max(), 5, "%", True),
    ]


def plans(count: int) -> cluster.Plans:
    rng = np.random.default_rng(0)

    def pick(*values: float) -> np.ndarray:
        return rng.choice(np.array(values, dtype=float), count)

    pipeline = pick(1, 2, 4, 8)
    return cluster.Plans(
        global_batch=np.full(count, 256.0),
        micro_batch=pick(1, 2, 4),
        data=pick(1, 2, 4, 8),
        tensor=pick(1, 2, 4, 8),
        pipeline=pipeline,
        chunks=np.where(pipeline > 1, pick(1, 2, 3), 1.0),
        sharding=pick(0, 1, 2, 3),
        recompute=pick(0, 1, 2),
        sequence_parallel=pick(0, 1) > 0,
        gpipe=np.zeros(count, dtype=bool),
        overlap=pick(0, 0.5, 1),
    )


def closed_form() -> list[Figure]:
    count = 1 << 20
    machine, columns = cluster.a100_cluster(), plans(count)
    gpt3 = cluster.Transformer(96, 12288, 96, 2048, 51200)

    def run() -> None:
        cluster.step_time(gpt3, machine, columns)
        cluster.memory(gpt3, columns)

    rate = count / best(run)
    return [Figure("closed form, step time and memory", rate, 2e6, "plans/s")]


def events() -> list[Figure]:
    pipeline = schedule.one_forward_one_backward(16, 512)
    graph, count = pipeline.graph, len(pipeline.graph)
    rng = np.random.default_rng(1)
    durations = pipeline.durations(1.0, 2.0) * rng.uniform(0.9, 1.1, count)
    ends = graph.run(durations)
    ours = best(lambda: graph.run(durations))
    made = best(lambda: TaskGraph(graph.before, graph.source).run(durations))
    many = np.repeat(durations[:, None], 32, axis=1)
    together = best(lambda: graph.run_many(many), 3)
    figures = [
        Figure("event engine, one run", count / ours, 2e6, "events/s"),
        Figure("event engine, 32 draws together", 32 * count / together, 2e6, "events/s"),
    ]
    print(f"  (sorting the tasks and one run: {count / made:,.0f} events/s)")
    try:
        import simpy
    except ImportError:
        print("  (not measured: SimPy is not installed, pip install simpy)")
        return figures
    times = simpy_ends(simpy, pipeline, durations)
    np.testing.assert_allclose(times, ends, rtol=1e-12)
    theirs = best(lambda: simpy_ends(simpy, pipeline, durations), 3)
    print(f"  (SimPy {simpy.__version__}, the same tasks: {count / theirs:,.0f} events/s)")
    figures += [
        Figure("event engine over SimPy, same tasks", theirs / ours, 2, "times"),
        Figure("event engine with its sorting over SimPy", theirs / made, 2, "times"),
    ]
    return figures


def simpy_ends(simpy: object, pipeline: schedule.Pipeline, durations: np.ndarray) -> np.ndarray:
    """Run the tasks with SimPy: a process for each worker, an event for each awaited result."""
    environment = simpy.Environment()
    sources, ends = pipeline.graph.source.tolist(), [0.0] * len(durations)
    seconds = durations.tolist()
    awaited = set(sources) - {-1}
    done = {task: environment.event() for task in awaited}

    def worker(tasks: list[int]) -> object:
        for task in tasks:
            source = sources[task]
            if source >= 0 and not done[source].processed:
                yield done[source]
            yield environment.timeout(seconds[task])
            ends[task] = environment.now
            if task in awaited:
                done[task].succeed()

    for stage in range(pipeline.stages):
        environment.process(worker(np.flatnonzero(pipeline.stage == stage).tolist()))
    environment.run()
    return np.array(ends)


def stragglers() -> list[Figure]:
    figures = []
    for what, factors in (("equal", 1.0), ("unequal", np.linspace(1, 1.2, 1024))):
        rng = np.random.default_rng(2)
        taken = best(
            lambda rng=rng, factors=factors: schedule.synchronous_steps(
                1024, 20_000, jitter=0.05, rng=rng, slow_factor=factors
            )
        )
        rate = 1024 * 20_000 / taken
        figures.append(Figure(f"stragglers, {what} workers", rate, 5e7, "worker-steps/s"))
    return figures


def failures() -> list[Figure]:
    rng, worst = np.random.default_rng(3), 0.0
    for mean in (15.0, 60.0, 185.6, 1440.0):
        tau = schedule.best_interval(1.0, mean)
        run = schedule.simulate_failures(tau, 1.0, 3.0, rng.exponential(mean, 2_000_000))
        worst = max(worst, abs(run.goodput / schedule.goodput(tau, 1.0, 3.0, mean) - 1) * 100)
    return [Figure("goodput, simulated against the renewal formula", worst, 0.5, "%", True)]


def figures() -> list[Figure]:
    """Return every figure of the cluster model and the schedules."""
    return [
        figure
        for part in (accuracy, closed_form, events, stragglers, failures)
        for figure in part()
    ]


if __name__ == "__main__":
    for figure in figures():
        print(figure)
