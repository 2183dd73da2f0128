"""Pipelines as timelines: GPipe, 1F1B and interleaved 1F1B, with stages that may differ."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from amdahl_lab.schedule.tasks import TaskGraph


@dataclass(frozen=True)
class Pipeline:
    """The order of the passes of a pipeline, and what each waits for.

    Made by `gpipe`, `one_forward_one_backward` or `interleaved`.

    Parameters
    ----------
    stages, chunks, micro_batches : int
        Workers S, parts of the model on each, and micro-batches M.
    stage, chunk, micro_batch : array of int, shape (2 S v M,)
        Of each pass: its worker, which of the worker's parts, which micro-batch.
    is_backward : array of bool, shape (2 S v M,)
        Whether it is a backward pass.
    graph : TaskGraph
        What each pass waits for.
    """

    stages: int
    chunks: int
    micro_batches: int
    stage: np.ndarray
    chunk: np.ndarray
    micro_batch: np.ndarray
    is_backward: np.ndarray
    graph: TaskGraph

    @property
    def part(self) -> np.ndarray:
        """Position of each pass's part in the model, from 0 to S v - 1."""
        return self.chunk * self.stages + self.stage

    def durations(self, forward: ArrayLike, backward: ArrayLike) -> np.ndarray:
        """Return the seconds of each pass.

        Parameters
        ----------
        forward, backward : array_like, scalar, shape (S v,) or (S v, M)
            Seconds of a pass of each part, or of each part and micro-batch.

        Raises
        ------
        ValueError
            If the shape is another one.
        """
        times = [self._times("forward", forward), self._times("backward", backward)]
        return np.where(
            self.is_backward,
            times[1][self.part, self.micro_batch],
            times[0][self.part, self.micro_batch],
        )

    def timeline(
        self, forward: ArrayLike, backward: ArrayLike, send: ArrayLike = 0.0
    ) -> "Timeline":
        """Run the pipeline.

        Parameters
        ----------
        forward, backward : array_like, scalar, shape (S v,) or (S v, M)
            Seconds of a pass of each part, or of each part and micro-batch.
        send : float
            Seconds between the end of a pass and the moment the next worker has its result. It
            does not keep the sender busy; a send that does belongs into the passes.

        Returns
        -------
        Timeline
            When each pass starts and ends.
        """
        durations = self.durations(forward, backward)
        lags = np.where(self._crosses(), send, 0.0)
        return Timeline(self, durations, self.graph.run(durations, lags))

    def peak_live(self) -> np.ndarray:
        """Most parts of micro-batches whose backward pass a worker still owes, shape (S,).

        In parts: a micro-batch on a worker that holds v of them counts up to v times.
        """
        change = np.where(self.is_backward, -1, 1)
        # A pass's place in its worker's order; a backward pass frees what it used at its end.
        return np.array(
            [np.cumsum(change[self.stage == worker]).max() for worker in range(self.stages)]
        )

    def _crosses(self) -> np.ndarray:
        source = self.graph.source
        return (source >= 0) & (self.stage[source] != self.stage)

    def _times(self, name: str, value: ArrayLike) -> np.ndarray:
        times = np.asarray(value, dtype=float)
        parts, M = self.stages * self.chunks, self.micro_batches
        if times.shape not in ((), (parts,), (parts, M)):
            raise ValueError(
                f"{name} must have shape (), ({parts},) or ({parts}, {M}), got {times.shape}"
            )
        return np.broadcast_to(times[:, None] if times.ndim == 1 else times, (parts, M))


@dataclass(frozen=True)
class Timeline:
    """When each pass of a pipeline starts and ends.

    Parameters
    ----------
    pipeline : Pipeline
        The passes.
    durations, ends : array, shape (2 S v M,)
        Seconds of each pass, and seconds since the start at which it ends.
    """

    pipeline: Pipeline
    durations: np.ndarray
    ends: np.ndarray

    @property
    def starts(self) -> np.ndarray:
        """Seconds since the start at which each pass starts."""
        return self.ends - self.durations

    @property
    def seconds(self) -> float:
        """Seconds until the last pass ends."""
        return float(self.ends.max())

    @property
    def busy(self) -> np.ndarray:
        """Seconds in which each worker computes, shape (S,)."""
        return np.bincount(self.pipeline.stage, self.durations, self.pipeline.stages)

    @property
    def bubble_share(self) -> float:
        """Share of all workers' time in which they wait."""
        return float(1 - self.busy.sum() / (self.pipeline.stages * self.seconds))


def gpipe(stages: int, micro_batches: int) -> Pipeline:
    """Return GPipe's order: all forward passes, then all backward passes, last first.

    References
    ----------
    Huang et al., arXiv:1811.06965, section 2.3 and figure 2c.

    Examples
    --------
    The bubble is (S - 1) / (M + S - 1) of the time:

    >>> round(gpipe(4, 8).timeline(1.0, 2.0).bubble_share, 6) == round(3 / 11, 6)
    True
    """
    _whole(stages=stages, micro_batches=micro_batches)
    forward = np.arange(micro_batches)
    order = np.concatenate([forward, micro_batches + forward[::-1]])
    return _pipeline([order] * stages, 1, micro_batches)


def one_forward_one_backward(stages: int, micro_batches: int) -> Pipeline:
    """Return 1F1B's order: as soon as a backward pass can run it does, before the next forward.

    References
    ----------
    Narayanan et al., arXiv:2104.04473, section 2.2.1 and figure 4 (top).

    Examples
    --------
    >>> one_forward_one_backward(4, 8).peak_live().tolist()
    [4, 3, 2, 1]
    """
    _whole(stages=stages, micro_batches=micro_batches)
    forward = np.arange(micro_batches)
    orders = [
        _alternate(forward, micro_batches + forward, ahead=stages - 1 - stage)
        for stage in range(stages)
    ]
    return _pipeline(orders, 1, micro_batches)


def interleaved(stages: int, micro_batches: int, chunks: int) -> Pipeline:
    """Return the interleaved 1F1B order: each worker holds several parts of the model.

    Parameters
    ----------
    stages, micro_batches, chunks : int, at least 1
        Workers S, micro-batches M, a multiple of S, and parts of the model on each worker.

    Raises
    ------
    ValueError
        If a number is below 1 or the micro-batches do not fill the pipeline.

    References
    ----------
    Narayanan et al., arXiv:2104.04473, section 2.2.2 and figure 4 (bottom).

    Examples
    --------
    >>> round(interleaved(4, 8, 2).timeline(1.0, 2.0).bubble_share, 6) == round(1.5 / 9.5, 6)
    True
    """
    _whole(stages=stages, micro_batches=micro_batches, chunks=chunks)
    if micro_batches % stages:
        raise ValueError(f"micro_batches must be a multiple of stages, got {micro_batches}")
    if chunks == 1:
        return one_forward_one_backward(stages, micro_batches)
    turn = np.arange(micro_batches * chunks)
    chunk = turn // stages % chunks
    m = turn // (stages * chunks) * stages + turn % stages
    forward = chunk * micro_batches + m
    backward = (2 * chunks - 1 - chunk) * micro_batches + m
    orders = [
        _alternate(forward, backward, ahead=2 * (stages - 1 - stage) + (chunks - 1) * stages)
        for stage in range(stages)
    ]
    return _pipeline(orders, chunks, micro_batches)


# In an order, a pass is one number: (is_backward x chunks + chunk) x micro_batches + micro_batch.


def _alternate(forward: np.ndarray, backward: np.ndarray, ahead: int) -> np.ndarray:
    ahead = min(ahead, len(forward))
    turns = np.stack([forward[ahead:], backward[: len(forward) - ahead]], axis=1)
    return np.concatenate([forward[:ahead], turns.ravel(), backward[len(forward) - ahead :]])


def _pipeline(orders: list[np.ndarray], chunks: int, micro_batches: int) -> Pipeline:
    stages = len(orders)
    stage = np.repeat(np.arange(stages), len(orders[0]))
    kind, m = np.divmod(np.concatenate(orders), micro_batches)
    back, chunk = np.divmod(kind, chunks)
    n, parts = len(stage), stages * chunks
    part = chunk * stages + stage
    index = np.empty((2, parts, micro_batches), dtype=np.int64)
    index[back, part, m] = np.arange(n)
    # Forward waits for the part before; backward for the part behind, and the last part's for its
    # own forward pass.
    forward_source = np.where(part > 0, index[0, part - 1, m], -1)
    last = part == parts - 1
    backward_source = np.where(
        last, index[0, part, m], index[1, np.minimum(part + 1, parts - 1), m]
    )
    source = np.where(back == 1, backward_source, forward_source)
    before = np.where(np.diff(stage, prepend=-1) == 0, np.arange(n) - 1, -1)
    graph = TaskGraph(before, source)
    return Pipeline(stages, chunks, micro_batches, stage, chunk, m, back == 1, graph)


def _whole(**sizes: int) -> None:
    for name, value in sizes.items():
        if value != int(value) or value < 1:
            raise ValueError(f"{name} must be a whole number, at least 1, got {value!r}")
