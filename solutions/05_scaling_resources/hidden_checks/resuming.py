"""Exercise 4: a training that is killed, between two saves and in the middle of one."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from amdahl_lab.grading import wire
from amdahl_lab.grading.items import NOT_WRITTEN, Item, Marking, Verdict, nothing, verdict
from amdahl_lab.grading.measuring import dictionary
from amdahl_lab.grading.rank_probe import drawn
from amdahl_lab.grading.scenes import Scene, parts_of
from amdahl_lab.grading.session import NoAnswerError

LAYERS, SAMPLES, BATCH = (8, 12, 2), 31, 4
PARAMETERS = sum((a + 1) * b for a, b in pairwise(LAYERS))
HALVED = 2  # step after which the learning rate is halved by hand, and before it is saved
CHANGES = 5  # of the file system in one save, before each of which a life ends
WRITTEN = 700  # bytes of a file after which a life ends; the parameters alone have over 1,000
HAVE_STATE, HAVE_ALL = (
    "counts once parameters and optimiser are right",
    "counts once all of the state is right",
)
SCENE = Scene("resume", ("save", "resume"), "the training stands still")


@dataclass(frozen=True)
class ResumeCheck:
    """Kills a training that a student's ``save`` and ``resume`` keep.

    Parameters
    ----------
    state, order, end, whole : Item
        Parameters and optimiser; order and noise of the batches; the end of a training that was
        killed three times; a kill in the middle of a save.
    """

    state: Item
    order: Item
    end: Item
    whole: Item
    subject: str = "resume"
    measured_in: ClassVar[str] = ""

    @property
    def items(self) -> tuple[Item, ...]:
        """The four items."""
        return (self.state, self.order, self.end, self.whole)

    def mark(self, marking: Marking) -> list[Verdict]:
        """Kills between two saves first; those inside a save if all else is right."""
        rng = marking.rng(self.subject)
        lives = _between_saves(rng)
        hint = lives.play(marking) or lives.unwritten()
        if hint is not None:
            return nothing(self.items, hint)
        state, order = lives.wrong_state(2), lives.wrong_order(2)
        end = lives.wrong_end() if state is None and order is None else HAVE_ALL
        verdicts = [
            verdict(self.state, state),
            verdict(self.order, order),
            verdict(self.end, end),
        ]
        if state or order:
            return [*verdicts, Verdict(self.whole, 0.0, HAVE_ALL)]
        lives = _inside_saves(rng)
        hint = lives.play(marking) or lives.lost()
        return [*verdicts, verdict(self.whole, hint)]


@dataclass
class _Lives:
    """Lives of one training, and what they told; the first tells what nobody disturbed."""

    seed: int
    every: int
    kills: list[list]
    steps: int
    told: list | None = None
    unbroken: list[dict[str, Any]] | None = None

    def play(self, marking: Marking) -> str | None:
        """Let it live; a hint if nothing comes of it."""
        played = SCENE.play(
            marking,
            1,
            15.0,
            probe="resume_probe",
            kills=self.kills,
            every=self.every,
            unbroken=self.steps,
            halved=HALVED,
            training={
                "seed": self.seed,
                "layers": list(LAYERS),
                "samples": SAMPLES,
                "batch": BATCH,
            },
        )
        if played.hint is not None:
            return played.hint
        if not isinstance(played.ranks[0], list) or not played.ranks[0]:
            raise NoAnswerError("it gave no answer")
        self.told = played.ranks[0]
        if not all(isinstance(life, list) and life for life in self.told):
            raise NoAnswerError("it gave no answer")
        states = parts_of(self.of(0, "unbroken"), self.steps + 1)
        self.unbroken = [dictionary(state) for state in states]
        reached = wire.numbers(self.unbroken[-1].get("parameters"))
        wanted = serial_parameters(self.seed, self.steps, HALVED)
        if reached is None or reached.shape != wanted.shape:
            raise NoAnswerError("it gave no parameters")
        if not np.allclose(reached, wanted, rtol=1e-9, atol=1e-11):
            return "a step of the training does not do any more what it did: leave it as it is"
        return None

    def of(self, life: int, what: str) -> Any:
        """Last thing of that name that a life told; None if it told none."""
        if life >= len(self.told):
            return None
        told = [parts_of(one, 2) for one in self.told[life][1:]]
        return next((value for name, value in reversed(told) if name == what), None)

    def stopped(self, life: int) -> str | None:
        """Hint for a life that an error of the student's ended."""
        what = self.of(life, "stopped")
        if what is not None:
            name, error = parts_of(what, 2)
            if name in SCENE.functions and isinstance(error, str) and error.isidentifier():
                return f"{name} stops with {error[:40]}"
            raise NoAnswerError("it gave no answer")
        if life < len(self.told) and self.told[life][0] == "hung":
            return "save or resume does not come back"
        if life < len(self.told) and self.told[life][0] == "failed":
            return "save or resume ends the process"
        return None

    def state_at(self, life: int) -> dict[str, Any]:
        """State after resuming."""
        return dictionary(self.of(life, "resumed"))

    def unwritten(self) -> str | None:
        """Hint for functions that do nothing, or stop; None if there is something to look at."""
        for life in (1, 2):
            if (hint := self.stopped(life)) is not None and self.of(life, "resumed") is None:
                return hint
        if self.of(1, "saved") == 0:
            return NOT_WRITTEN
        for life in (1, 2):
            if (hint := self.stopped(life)) is not None and self.of(life, "saved") is None:
                return hint
        return None

    def parts_unlike(self, life: int, step: int) -> set[str]:
        """Parts of the state after resuming that are not bit for bit those of a step."""
        state, right = self.state_at(life), self.unbroken[step]
        return {name for name in right if state.get(name) != right[name]}

    def wrong_state(self, life: int) -> str | None:
        """None if parameters and optimiser are those of the last save, else a hint."""
        unlike = self.parts_unlike(life, self.every)
        if "parameters" in unlike:
            got = wire.numbers(self.state_at(life).get("parameters"))
            if self.state_at(life).get("parameters") == self.unbroken[0]["parameters"]:
                return (
                    "after a kill the parameters are those of the start: what was saved does not "
                    "come back"
                )
            again = serial_parameters(self.seed, self.every)
            if got is not None and got.shape == again.shape and np.allclose(got, again):
                return (
                    "the steps were done again, without what was changed by hand in between: "
                    "save what is there, not how often"
                )
            right = np.array(self.unbroken[self.every]["parameters"])
            if got is not None and got.shape == right.shape and np.allclose(got, right, rtol=1e-3):
                return (
                    "the parameters come back in their first digits only: save all 64 bits of "
                    "each number"
                )
            return "the parameters are not those of the last save"
        if "momentum" in unlike:
            return (
                "the parameters come back, but not the optimiser's momentum: the next step would "
                "be another one"
            )
        if "rates" in unlike:
            return "the learning rate is not the one of the last save: it falls with every step"
        return None

    def wrong_order(self, life: int) -> str | None:
        """None if steps, order and noise are those of the last save, else a hint."""
        unlike = self.parts_unlike(life, self.every)
        if "rng" in unlike:
            return (
                "the generator is not where it was at the last save: noise and later epochs would "
                "be others"
            )
        if "left" in unlike:
            return (
                "the samples that are left of the epoch do not come back: some would be seen "
                "twice, and others not at all"
            )
        if "steps" in unlike:
            return "the number of steps does not come back"
        return None

    def wrong_end(self) -> str | None:
        """None if the last life ended as if nobody had been killed, else a hint."""
        if self.stopped(0) is not None:
            return (
                "where there is no checkpoint yet, resume leaves the training as it is: here it "
                "stops"
            )
        if self.parts_unlike(0, 0) or self.parts_unlike(1, 0):
            return "where there is no checkpoint yet, resume leaves the training as it is"
        # The second life saved once; the third, twice.
        for life, saves in ((2, 1), (3, 3)):
            if (hint := self.stopped(life)) is not None:
                return hint
            if self.parts_unlike(life, saves * self.every):
                return (
                    "a training that was resumed and has saved since is not resumed where it "
                    "saved last"
                )
        if dictionary(self.of(3, "ended")) != self.unbroken[self.steps]:
            return "in the end the training differs from one that nobody killed"
        return None

    def lost(self) -> str | None:
        """None if each kill inside a save left the checkpoint before it, or a new one."""
        last = 0
        for life in range(1, len(self.kills)):
            hint = self.stopped(life)
            if hint is not None:
                return (
                    f"after a kill in the middle of a save, {hint}: what is half written must not "
                    "take the place of the last whole checkpoint"
                )
            # In each life one save went well, and a second one was cut off.
            step = self.state_at(life).get("steps")
            allowed = (last + self.every, last + 2 * self.every)
            if step not in allowed:
                return (
                    "a kill in the middle of a save loses the last whole checkpoint: until the "
                    "new one is whole, the old one has to stay"
                )
            if self.parts_unlike(life, step):
                return (
                    "after a kill in the middle of a save, parts of two checkpoints are mixed: "
                    "they have to change all at once"
                )
            last = step
        return None


def _between_saves(rng: np.random.Generator) -> _Lives:
    every = int(rng.choice([4, 5, 6]))
    within = [int(rng.integers(1, every)) for _ in range(3)]
    # Before the first save; after one; after two more; to the end.
    kills = [["step", within[0]], ["step", every + within[1]], ["step", 2 * every + within[2]]]
    steps = 5 * every + 1
    return _Lives(int(rng.integers(2**31)), every, [*kills, ["end", steps]], steps)


def _inside_saves(rng: np.random.Generator) -> _Lives:
    every = int(rng.integers(2, 5))
    changes = [["change", int(place)] for place in rng.permutation(CHANGES)]
    kills = [["write", WRITTEN], *changes]
    steps = 2 * every * (len(kills) + 1)
    return _Lives(int(rng.integers(2**31)), every, [*kills, ["end", 0]], steps)


def serial_parameters(seed: int, steps: int, halved: int = 0) -> np.ndarray:
    """Parameters after so many steps of `LongTraining`, in numpy alone."""
    weights, biases, inputs, targets = drawn(seed, list(LAYERS), SAMPLES)
    (w1, w2), (b1, b2) = weights, biases
    rng, left, rate = np.random.default_rng(seed), [], 0.05
    momenta = [np.zeros_like(each) for each in (w1, b1, w2, b2)]
    for step in range(1, steps + 1):
        if len(left) < BATCH:
            left = rng.permutation(SAMPLES).tolist()
        chosen, left = left[:BATCH], left[BATCH:]
        x = inputs[chosen] + rng.normal(scale=0.1, size=(BATCH, LAYERS[0]))
        h = np.tanh(x @ w1.T + b1)
        slope = 2 * (h @ w2.T + b2 - targets[chosen]) / (BATCH * LAYERS[-1])
        back = (slope @ w2) * (1 - h**2)
        gradients = (back.T @ x, back.sum(axis=0), slope.T @ h, slope.sum(axis=0))
        momenta = [0.9 * m + g for m, g in zip(momenta, gradients, strict=True)]
        w1, b1, w2, b2 = (p - rate * m for p, m in zip((w1, b1, w2, b2), momenta, strict=True))
        rate *= 0.98 * (0.5 if step == halved else 1.0)
    return np.concatenate([each.ravel() for each in (w1, b1, w2, b2)])


RESUME = ResumeCheck(
    state=Item("resume_state", 1, "parameters and optimiser come back bit for bit"),
    order=Item("resume_order", 1, "order and noise of the batches come back"),
    end=Item("resume_end", 1, "killed three times, it ends as if nobody had"),
    whole=Item("resume_whole", 1, "a kill in the middle of a save"),
)
