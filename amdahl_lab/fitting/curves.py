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
    *,
    lower: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit log(base + theta . terms) plus a constant to each row of logs, theta `lower` to 1.

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
    lower : float, at most 0
        Lower end of the box that each theta is kept in; its upper end is 1.

    Returns
    -------
    theta : ndarray, shape (..., p)
    constant : ndarray, shape (...)
        Logarithm of the factor in front of h.
    """
    shape = logs.shape[:-1]
    logs = logs.reshape(-1, logs.shape[-1])
    theta = np.zeros((len(logs), len(terms)))
    theta[:, 0] = _through_the_ends(logs, base, terms[0])
    h, rest, squares = _residuals(theta, logs, base, terms, weights)
    for _ in range(ITERATIONS):
        slopes = [term / h for term in terms]
        slopes = [slope - (slope @ weights)[..., None] for slope in slopes]
        before = theta
        theta = _step(before, slopes, rest, weights, lower)
        h, rest, new_squares = _residuals(theta, logs, base, terms, weights)
        for halving in range(HALVINGS):  # a step that went too far is halved until it helps
            # NaN, from a step to where h is not above 0, is worse too.
            worse = ~(new_squares <= squares * (1 + CLOSE_ENOUGH) + ROUNDING)
            if not worse.any():
                break
            back = 1.0 if halving == HALVINGS - 1 else 0.5
            theta[worse] += back * (before[worse] - theta[worse])
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
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = logs - np.log(h)
        rest = rest - (rest @ weights)[..., None]
        return h, rest, (rest * rest) @ weights


def _through_the_ends(logs, base, term):
    """Where to start: the theta that the first and the last N ask for by themselves."""
    ratio = np.exp(np.clip(logs[..., -1] - logs[..., 0], -100, 100))
    with np.errstate(divide="ignore", invalid="ignore"):
        theta = (ratio * base[0] - base[-1]) / (term[-1] - ratio * term[0])
    return np.clip(np.nan_to_num(theta, nan=0.0), 0.0, 1.0)


def _step(theta, slopes, rest, weights, lower):
    """Minimise the squares of rest - slopes . (new - theta) over new in the box."""
    gram = [[(a * b) @ weights for b in slopes] for a in slopes]
    # Without the box the best point solves gram new = pull, pull = gram theta + slopes . rest.
    pull = [
        sum(row[j] * theta[..., j] for j in range(len(slopes))) + (slope * rest) @ weights
        for row, slope in zip(gram, slopes, strict=True)
    ]
    if len(slopes) == 1:
        return np.clip(pull[0] / gram[0][0], lower, 1.0)[..., None]
    (aa, ab), (_, bb) = gram
    determinant = aa * bb - ab**2
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = [(bb * pull[0] - ab * pull[1]), (aa * pull[1] - ab * pull[0])] / determinant
    # The edges of the box: one theta held at an end, the other at its best, kept in its range.
    candidates = [
        edge
        for end in (np.full_like(aa, lower), np.ones_like(aa))
        for edge in (
            (end, np.clip((pull[1] - ab * end) / bb, lower, 1.0)),
            (np.clip((pull[0] - ab * end) / aa, lower, 1.0), end),
        )
    ]
    values = [
        (aa * x**2 + bb * y**2) / 2 + ab * x * y - pull[0] * x - pull[1] * y for x, y in candidates
    ]
    lowest = np.argmin(values, axis=0)
    inside = (determinant > 0) & (inner >= lower).all(0) & (inner <= 1.0).all(0)
    return np.stack(
        [
            np.where(inside, inner[j], np.choose(lowest, [edge[j] for edge in candidates]))
            for j in (0, 1)
        ],
        axis=-1,
    )
