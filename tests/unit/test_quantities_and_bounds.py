"""Units that must not be mixed up, and what two data sheets allow."""

import numpy as np
import pytest

from amdahl_lab.bounds import Checked, Part, ratio_bounds, roofline_ratio
from amdahl_lab.quantities import Quantity, orders_between, quantity
from amdahl_lab.recorded.accelerators import accelerators


def test_flops_for_each_watt_are_flops_for_each_joule():
    assert quantity("5 GFLOPS/W") == quantity("5 GFLOP/J")
    assert quantity("3 W") == quantity("3 J/s")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("19.5 TFLOPS", 19.5e12),
        ("1,555 GB/s", 1555e9),
        ("20 µs", 20e-6),
        ("80x", 80),
        ("60%", 0.6),
        ("92 TOPS", 92e12),
        ("3 FLOP/byte", 3),
        ("1e3 ms", 1.0),
    ],
)
def test_quantities_are_read_with_their_prefix(text, value):
    assert quantity(text).value == pytest.approx(value)


def test_what_has_another_dimension_is_refused():
    with pytest.raises(ValueError, match="dimension FLOP"):
        orders_between(quantity("92 TOPS"), quantity("123 TFLOPS"))
    with pytest.raises(ValueError, match="unit must have dimension"):
        quantity("30 FLOPS/W").to("FLOPS")
    with pytest.raises(ValueError, match="low must have the dimension"):
        Checked(quantity("80x"), quantity("1 s"), quantity("2 s"))


@pytest.mark.parametrize("text", ["fast", "12 parsec", "5 kk"])
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError, match="must be"):
        quantity(text)


def test_a_value_must_be_finite():
    with pytest.raises(ValueError, match="value must be finite"):
        Quantity(np.inf)


def test_the_unit_check_catches_thirty_flops_per_watt():
    """The documented 123 TFLOPS and 220 W of a TPU v3: the claim is ten powers of ten off."""
    checked = Checked(quantity("30 FLOPS/W"), quantity("0.4 TFLOPS/W"), quantity("1.1 TFLOPS/W"))
    assert checked.verdict == "below"
    assert -11 < checked.orders_off < -10
    assert Checked(quantity("5x"), quantity("4x"), quantity("6x")).orders_off == 0


def test_the_ratio_of_two_roofs_stays_between_bandwidths_and_peaks_and_reaches_both():
    fast = Part("fast", "GPU", {"fp32": quantity("40 TFLOPS")}, quantity("1 TB/s"))
    slow = Part("slow", "CPU", {"fp32": quantity("2 TFLOPS")}, quantity("0.2 TB/s"))
    assert ratio_bounds(fast, slow) == pytest.approx((5, 20))
    ratio = roofline_ratio(np.geomspace(0.01, 1e4, 500), fast, slow)
    assert ratio[0] == pytest.approx(5)
    assert ratio[-1] == pytest.approx(20)
    assert np.all((ratio >= 5 - 1e-9) & (ratio <= 20 + 1e-9))
    with pytest.raises(ValueError, match="number must be of fp32, got 'bf16'"):
        ratio_bounds(fast, slow, "bf16")


def test_the_table_of_chips_is_that_of_the_data_sheets():
    parts = accelerators()
    assert round(parts["NVIDIA A100 SXM4 80GB"].ridge("bf16").value) == 153  # as in chapter 3
    assert parts["Google TPU v3"].per_watt("bf16").to("GFLOPS/W") == pytest.approx(559, abs=1)
    assert parts["Google TPU v1"].peak("int8") == quantity("92 TOPS")
    with pytest.raises(ValueError, match="must have a power"):
        parts["Google TPU v5e"].per_watt("bf16")
    assert all(part.source for part in parts.values())
