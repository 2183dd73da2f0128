"""The explorers' formulas in JavaScript, held to the Python ones on a grid, in real Chromium."""

import numpy as np
import pytest

from amdahl_lab import laws
from amdahl_lab.explorers import static_script

WORKERS = [1.0, 1.5, 2.0, 3.0, 7.0, 64.0, 1000.0, 1e6]
FRACTIONS = [0.0, 1e-6, 0.004, 0.05, 0.3, 0.5, 0.999, 1.0]
COHERENCIES = [0.0, 1e-6, 1e-3, 0.1]
GROWTHS = [0.0, 0.5, 1.0, 1.5]


@pytest.fixture
def formulas(page):
    page.goto("about:blank")
    page.add_script_tag(content=static_script("speedup"))

    def call(name, *columns):
        columns = [np.ravel(column).tolist() for column in np.broadcast_arrays(*columns)]
        told = page.evaluate(
            """([name, rows]) => {
              const { formulas } = window.amdahlExplorers.explorers.speedup;
              return rows.map((row) => String(formulas[name](...row)));
            }""",
            [name, list(zip(*columns, strict=True))],
        )
        return np.array([float(text.replace("Infinity", "inf")) for text in told])

    return call


def grid(*axes):
    return np.meshgrid(*axes, indexing="ij")


@pytest.mark.parametrize(
    ("name", "law", "axes"),
    [
        ("amdahlSpeedup", laws.amdahl_speedup, (WORKERS, FRACTIONS)),
        ("amdahlLimit", laws.amdahl_limit, (FRACTIONS,)),
        ("gustafsonSpeedup", laws.gustafson_speedup, (WORKERS, FRACTIONS)),
        ("uslSpeedup", laws.usl_speedup, (WORKERS, FRACTIONS, COHERENCIES)),
        ("uslPeak", laws.usl_peak, (FRACTIONS, COHERENCIES)),
        ("karpFlatt", laws.karp_flatt, ([0.5, 1.0, 1.9, 40.0], [2.0, 3.5, 64.0])),
        (
            "gustafsonSerialFraction",
            laws.scaled_serial_fraction_from_speedup,
            ([0.5, 1.0, 1.9, 40.0], [2.0, 3.5, 64.0]),
        ),
    ],
)
def test_the_script_and_the_package_compute_the_same(formulas, name, law, axes):
    columns = grid(*axes)
    np.testing.assert_allclose(formulas(name, *columns), np.ravel(law(*columns)), rtol=1e-12)


def test_sun_ni_agrees_at_every_growth_exponent(formulas):
    N, s, a = grid(WORKERS, FRACTIONS, GROWTHS)
    expected = np.ravel(laws.sun_ni_speedup(N, s, N**a))
    np.testing.assert_allclose(formulas("sunNiSpeedup", N, s, N**a), expected, rtol=1e-12)


def test_bending_a_curve_through_a_point_inverts_its_law(formulas):
    N, s, a = grid([2.0, 7.0, 64.0], [0.01, 0.05, 0.3], [0.25, 1.0, 1.5])
    S = laws.sun_ni_speedup(N, s, N**a)
    np.testing.assert_allclose(formulas("sunNiSerialFraction", S, N, N**a), s.ravel(), rtol=1e-9)
    N, sigma, kappa = grid([2.0, 7.0, 64.0], [0.01, 0.05, 0.3], COHERENCIES)
    S = laws.usl_speedup(N, sigma, kappa)
    np.testing.assert_allclose(formulas("uslContention", S, N, kappa), sigma.ravel(), rtol=1e-9)


def test_half_efficiency_under_amdahl_comes_at_one_plus_one_over_s(page):
    page.goto("about:blank")
    page.add_script_tag(content=static_script("speedup"))
    found = page.evaluate(
        """(fractions) => {
          const { formulas } = window.amdahlExplorers.explorers.speedup;
          return fractions.map((s) =>
            formulas.workersForEfficiency((N) => formulas.amdahlSpeedup(N, s), 0.5));
        }""",
        [0.5, 0.1, 0.05, 0.004],
    )
    np.testing.assert_allclose(found, [3, 11, 21, 251], rtol=1e-9)
