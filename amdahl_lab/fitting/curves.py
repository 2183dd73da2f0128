"""Least squares on log times for laws that are sums of known terms, many data sets at once.

Every law of this package makes the time proportional to h(N) = base(N) + sum_j theta_j term_j(N)
with theta in a box. The factor in front, the time of the reference, is the intercept of log h.
"""

import numpy as np

ITERATIONS = 60
HALVINGS = 30
CLOSE_ENOUGH = 1e-9
ROUNDING = 1e-20


def working_weights(workers: np.ndarray) -> np.ndarray:
    """Weights of log times: as if their spread grew with the logarithm of N.

    More workers means more ways to be late: trees of log2 N steps, the slowest of N. The weights
    are fixed before a time is seen. Weights estimated from a few rounds would depend on the same
    noise as the estimate and make its interval too short; wrong fixed weights cost some width
    and leave the interval's level alone.

    Parameters
    ----------
    workers : ndarray, shape (K,)
        Numbers of workers.

    Returns
    -------
    ndarray, shape (K,)
        1 / (1 + log2(N / smallest N))^2, scaled to a sum of 1.
    """
    weights = 1 / (1 + np.log2(workers / workers.min())) ** 2
    return weights / weights.sum()


def fit_terms(
    logs: np.ndarray,
    base: np.ndarray,
    terms: np.ndarray,
    weights: np.ndarray,
    upper: tuple[float, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Fit log(base + theta . terms) plus a constant to each row of logs, theta from 0 to `upper`.

    Gauss-Newton steps; in each the box is kept exactly, since with at most two theta the best
    point of a quadratic lies inside or on one of the edges.

    Parameters
    ----------
    logs : ndarray, shape (..., K)
        Logarithms of the times.
    base : ndarray, shape (K,)
        The part of h that is there without any theta, above 0.
    terms : ndarray, shape (p, K), p of 1 or 2
        What each theta multiplies.
    weights : ndarray, shape (K,), sum 1
        Weights of the squared errors.
    upper : tuple of p floats
        Upper ends of the box.

    Returns
    -------
    theta : ndarray, shape (..., p)
    constant : ndarray, shape (...)
        Logarithm of the factor in front of h.
    """
    shape = logs.shape[:-1]
    logs = logs.reshape(-1, logs.shape[-1])
    theta = np.zeros((len(logs), len(terms)))
    theta[:, 0] = _through_the_ends(logs, base, terms[0], upper[0])
    h, rest, squares = _residuals(theta, logs, base, terms, weights)
    for _ in range(ITERATIONS):
        slopes = [term / h for term in terms]
        slopes = [slope - (slope @ weights)[..., None] for slope in slopes]
        before = theta
        theta = _step(before, slopes, rest, weights, upper)
        h, rest, new_squares = _residuals(theta, logs, base, terms, weights)
        for _ in range(HALVINGS):  # a step that went too far is halved until it helps
            worse = new_squares > squares * (1 + CLOSE_ENOUGH) + ROUNDING
            if not worse.any():
                break
            theta[worse] = (theta[worse] + before[worse]) / 2
            h[worse], rest[worse], new_squares[worse] = _residuals(
                theta[worse], logs[worse], base, terms, weights
            )
        squares = new_squares
        if np.abs(theta - before).max(initial=0.0) < CLOSE_ENOUGH:
            break
    constant = (logs - np.log(h)) @ weights
    return theta.reshape(*shape, len(terms)), constant.reshape(shape)


def _residuals(theta, logs, base, terms, weights):
    h = base + theta @ terms
    rest = logs - np.log(h)
    rest = rest - (rest @ weights)[..., None]
    return h, rest, (rest * rest) @ weights


def _through_the_ends(logs, base, term, upper):
    """Where to start: the theta that the first and the last N ask for by themselves."""
    ratio = np.exp(np.clip(logs[..., -1] - logs[..., 0], -100, 100))
    below = term[-1] - ratio * term[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        theta = (ratio * base[0] - base[-1]) / below
    return np.clip(np.nan_to_num(theta, nan=0.0, posinf=upper, neginf=0.0), 0.0, min(upper, 1.0))


def _step(theta, slopes, rest, weights, upper):
    """Minimise the squares of rest - slopes . (new - theta) over new in the box."""
    gram = [[(a * b) @ weights for b in slopes] for a in slopes]
    # The target without the box solves gram new = pull, with pull = gram theta + slopes . rest.
    pull = [
        sum(row[j] * theta[..., j] for j in range(len(slopes))) + (slope * rest) @ weights
        for row, slope in zip(gram, slopes, strict=True)
    ]
    if len(slopes) == 1:
        return np.clip(pull[0] / gram[0][0], 0.0, upper[0])[..., None]
    (aa, ab), (_, bb) = gram
    # Each edge of the box: one theta held there, the other the best one, clipped to its range.
    held = [(0, 0.0), (0, upper[0]), (1, 0.0)]
    candidates = [
        np.stack([np.full_like(aa, end), np.clip((pull[1] - ab * end) / bb, 0, upper[1])], -1)
        if which == 0
        else np.stack([np.clip((pull[0] - ab * end) / aa, 0, upper[0]), np.full_like(aa, end)], -1)
        for which, end in held
    ]
    values = [
        aa * c[..., 0] ** 2 / 2
        + ab * c[..., 0] * c[..., 1]
        + bb * c[..., 1] ** 2 / 2
        - pull[0] * c[..., 0]
        - pull[1] * c[..., 1]
        for c in candidates
    ]
    best = np.take_along_axis(
        np.stack(candidates, -2), np.argmin(np.stack(values, -1), -1)[..., None, None], -2
    )[..., 0, :]
    determinant = aa * bb - ab**2
    with np.errstate(divide="ignore", invalid="ignore"):
        free = (
            np.stack([bb * pull[0] - ab * pull[1], aa * pull[1] - ab * pull[0]], -1)
            / determinant[..., None]
        )
    inside = (determinant > 0)[..., None] & (free >= 0) & (free <= np.array(upper))
    return np.where(inside.all(-1, keepdims=True), free, best)
