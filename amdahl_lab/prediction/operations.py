"""What one worker does in one step of a job, counted: calls, FLOPs, bytes, numbers, messages.

The counts follow from the job's shape alone. Each is the number of units that a cost of
`amdahl_lab.prediction.model` is paid for.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from amdahl_lab.prediction.jobs import Job

PIXELS, SIDE, CLASSES = 64, 8, 10
SEQUENCE, HEADS, VOCABULARY = 32, 4, 96
WIDTH = 4  # bytes of one number
VECTOR = 16  # numbers in a vector register
CACHE = 2**20  # bytes of the cache that one core has for itself
PHASES = ("load", "forward", "backward", "exchange", "update")

Counts = Mapping[str, float]


@dataclass
class Step:
    """Counts of one worker's step, phase by phase.

    Attributes
    ----------
    phases : dict of str to Counter
        For each of `PHASES` the units by the name of their cost.
    parameters, tensors : float
        Numbers that this worker updates, and the tensors that hold them.
    """

    phases: dict[str, Counter] = field(default_factory=lambda: {p: Counter() for p in PHASES})
    parameters: float = 0.0
    tensors: int = 0

    def product(
        self, rows: float, inputs: float, outputs: float, *, of: int = 1, first: bool = False
    ) -> None:
        """Count a matrix product forward and, backward, one for each of its two gradients."""
        flops = 2 * rows * inputs * outputs * of
        moved = WIDTH * (rows * inputs + inputs * outputs + rows * outputs) * of
        times = 1 if first else 2  # nobody asks for the gradient of the data
        self._count("forward", product_flops=flops, product_moved=moved)
        self._count("backward", product_flops=times * flops, product_moved=times * moved)

    def linear(self, rows: float, inputs: float, outputs: float, first: bool = False) -> None:
        """Count a dense layer with its bias."""
        self.product(rows, inputs, outputs, first=first)
        self._calls(1)
        self._own(inputs * outputs + outputs, 2)

    def convolution(self, samples: float, inputs: float, outputs: float, first: bool) -> None:
        """Count a 3 x 3 convolution of images of `SIDE` pixels a side, in full vectors."""
        full_in, full_out = (inputs if first else _full(inputs)), _full(outputs)
        flops = 2 * 9 * samples * SIDE * SIDE * full_in * full_out
        for phase, times in (("forward", 1), ("backward", 1 if first else 2)):
            self._count(phase, convolution_calls=times, convolution_flops=times * flops)
        self._own(9 * inputs * outputs + outputs, 2)

    def simple(self, numbers: float, calls: int = 1) -> None:
        """Count an operation that takes each number once, such as a sum or a ReLU."""
        self._count("forward", simple_numbers=numbers)
        self._count("backward", simple_numbers=numbers)
        self._calls(calls)

    def function(self, numbers: float, calls: int = 1) -> None:
        """Count an operation with much arithmetic for each number, such as GELU or a norm."""
        self._count("forward", function_numbers=numbers)
        self._count("backward", function_numbers=numbers)
        self._calls(calls)

    def norm(self, rows: float, features: float) -> None:
        """Count a layer norm."""
        self.function(rows * features)
        self._own(2 * features, 2)

    def message(self, numbers: float, job: Job, times: int = 1) -> None:
        """Count all-reduces of so many numbers each, in a ring of the job's workers."""
        N = job.workers
        moved = 2 * (N - 1) / N * numbers * WIDTH
        units = {f"{job.transport}_messages": N - 1, f"{job.transport}_moved": moved}
        self._count("exchange", **{name: times * number for name, number in units.items()})

    def update(self) -> None:
        """Count the optimizer's work, and the zeroing of the gradients before it."""
        self._count(
            "update",
            update_calls=self.tensors,
            update_moved=self.parameters * WIDTH,
        )

    def cold_starts(self) -> None:
        """Count how cold the caches are that the pass over the model leaves to what follows it."""
        forward = self.phases["forward"]
        touched = forward["product_moved"]
        touched += WIDTH * (forward["simple_numbers"] + forward["function_numbers"])
        touched += 3 * WIDTH * self.parameters  # gradient, momentum and the parameter itself
        for phase in ("load", "update"):
            self._count(phase, cold_calls=touched / (touched + CACHE))

    def _own(self, parameters: float, tensors: int) -> None:
        self.parameters += parameters
        self.tensors += tensors

    def _calls(self, calls: int) -> None:
        self._count("forward", forward_calls=calls)
        self._count("backward", backward_calls=calls)

    def _count(self, phase: str, **units: float) -> None:
        self.phases[phase].update(units)


def _full(channels: float) -> float:
    """Channels with those that fill up the last vector register: time is spent on them too."""
    return -(-channels // VECTOR) * VECTOR


def step_of(job: Job) -> Step:
    """Count what the busiest worker of a job does in one step."""
    step = Step()
    shares = job.workers if job.arrangement == "data" else 1
    samples = -(-job.batch // shares)
    cuts = job.workers if job.arrangement == "tensor" else 1
    data = "load_sequences" if job.family == "transformer" else "load_images"
    step._count("load", load_calls=1, **{data: job.batch})
    _MODELS[job.family](step, job, samples, cuts)
    if job.arrangement == "data":
        step.message(step.parameters, job)
    step.update()
    step.cold_starts()
    return step


def _perceptron(step: Step, job: Job, samples: float, cuts: int) -> None:
    sizes = [PIXELS, *[job.width] * job.depth, CLASSES]
    for place in range(job.depth + 1):
        inputs, outputs = sizes[place], sizes[place + 1]
        last, row = place == job.depth, place % 2 == 1
        whole = last and not row  # an odd last layer has no partner and stays whole
        if cuts == 1 or whole:
            step.linear(samples, inputs, outputs, first=place == 0)
        elif row:
            step.linear(samples, inputs / cuts, outputs)
            step.message(samples * outputs, job)
        else:
            step.linear(samples, inputs, outputs / cuts, first=place == 0)
            if place > 0:
                step.message(samples * inputs, job)
        if not last:
            step.simple(samples * outputs / (1 if row else cuts))
    step.function(samples * CLASSES, calls=2)


def _convolution(step: Step, job: Job, samples: float, cuts: int) -> None:
    pixels = samples * SIDE * SIDE
    for place in range(job.depth):
        step.convolution(samples, job.width if place else 1, job.width, first=place == 0)
        step.simple(pixels * job.width)
    step.function(pixels * job.width)  # the pooling
    step.linear(samples, job.width * SIDE * SIDE / 4, CLASSES)
    step.function(samples * CLASSES, calls=2)


def _transformer(step: Step, job: Job, samples: float, cuts: int) -> None:
    rows, w = samples * SEQUENCE, job.width
    scores = samples * HEADS / cuts * SEQUENCE * SEQUENCE
    step.simple(rows * w, calls=3)
    step._own((VOCABULARY + SEQUENCE) * w, 2)
    for _ in range(job.depth):
        step.norm(rows, w)
        for _ in range(3):
            step.linear(rows, w, w / cuts)
        for _ in range(2):
            step.product(SEQUENCE, w / HEADS, SEQUENCE, of=samples * HEADS / cuts)
        step.simple(5 * rows * w / cuts, calls=5)  # scaling, and copies of what was transposed
        step.simple(scores, calls=3)
        step.function(scores)
        step.linear(rows, w / cuts, w)
        step.norm(rows, w)
        step.linear(rows, w, 4 * w / cuts)
        step.function(rows * 4 * w / cuts)
        step.linear(rows, 4 * w / cuts, w)
        step.simple(2 * rows * w, calls=2)
        if cuts > 1:
            step.message(rows * w, job, times=4)
    step.norm(rows, w)
    step.product(rows, w, VOCABULARY)
    step._calls(1)
    step._own(VOCABULARY * w, 1)
    step.function(rows * VOCABULARY, calls=2)


_MODELS = {
    "perceptron": _perceptron,
    "convolution": _convolution,
    "transformer": _transformer,
}
