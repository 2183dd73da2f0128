"""The measurements of chapter 7: what they hold, and what does not depend on a clock."""

import numpy as np
import pytest
import torch
from torch import nn

from amdahl_lab.demand import convolution
from amdahl_lab.parallel.comparisons import fooled, network, precision, profile, to_target
from amdahl_lab.parallel.comparisons.energy import energy_counters, joules


def test_the_mended_network_computes_the_same():
    assert profile.same_outputs() < 1e-5


def test_the_activation_written_out_has_the_gradient_of_the_fused_one():
    x = torch.linspace(-4, 4, 101, dtype=torch.float64).requires_grad_()
    slopes = [
        torch.autograd.grad(f(x).sum(), x)[0] for f in (network.WrittenOut(), network.Fused())
    ]
    torch.testing.assert_close(*slopes)


def test_the_counted_flops_are_the_closed_forms():
    flops = profile.step_flops()
    layers = [convolution(16, 3, 32, 3, 32), convolution(16, 32, 32, 3, 32)]
    layers.append(convolution(16, 32, 64, 3, 16))
    expected = 3 * sum(layer.forward_flops for layer in layers) - layers[0].forward_flops
    assert flops["convolution"] == expected
    assert flops["activation"] == flops["pooling"] == 0


def test_the_profile_adds_up_every_layer_of_an_operator(monkeypatch):
    monkeypatch.setattr(profile, "seconds_in_row", lambda turn: 1.0)
    layers = {"convolution": 3, "activation": 4, "activation, fused": 4, "pooling": 2, "dense": 2}
    found = profile.profile_block()
    assert {name: found[name] for name in layers} == layers
    assert {found[name] for name in set(found) - set(layers)} == {1.0}


def test_sides_take_turns_after_a_warm_up_and_keep_their_own_time(monkeypatch):
    made = []
    a, b = (lambda: made.append("A")), (lambda: made.append("B"))
    monkeypatch.setattr(fooled, "_turns", lambda turn, count: turn() or (1.0 if turn is a else 8.0))
    assert fooled._alternated(a, b, 4) == (4.0, 32.0)
    assert "".join(made) == "AB" + "ABBA" * 2


def test_what_goes_first_in_a_cold_process_is_called_a(monkeypatch):
    clock = iter(range(1, 100))
    monkeypatch.setattr(fooled, "_turns", lambda turn, count: next(clock))
    found = fooled.cold_start()
    assert (found["wrong A"], found["wrong B"]) == (1, 2)


def test_tuning_takes_the_rate_that_spent_the_fewest_steps(monkeypatch):
    fewest = {"SGD": 0.03, "RMSprop": 1e-2, "Adam": 3e-4}

    def ranks(function, workers, name, rate, seed, **_):
        return [(100 if rate == fewest[name] else 200 + seed, 1.0)]

    monkeypatch.setattr(to_target, "run_ranks", ranks)
    assert to_target.tuned() == fewest


def test_every_phase_of_the_profile_is_timed():
    found = profile.profile_block()
    assert {"step", "step, fused", "activation, fused", "product"} | set(network.STAGES) <= set(
        found
    )
    assert min(found.values()) > 0


def test_training_stops_at_the_target_and_at_the_budget(monkeypatch):
    monkeypatch.setattr(to_target, "BUDGET", 25)
    assert to_target.arrival("Adam", 1e-9, 0)[0] == 25
    steps, spent = to_target.arrival("SGD", 0.1, 0, target=0.0)
    assert steps == 10
    assert spent > 0


def test_a_frozen_network_changes_in_its_last_layer_only(monkeypatch):
    monkeypatch.setattr(to_target, "BUDGET", 11)
    seen = []
    monkeypatch.setattr(
        torch.optim, "SGD", lambda wanted, **_: seen.extend(wanted) or torch.optim.Adam(wanted)
    )
    to_target.arrival("frozen", 0.1, 0)
    assert sorted(tuple(p.shape) for p in seen) == [(10,), (10, 64)]


def test_the_separable_network_has_the_parameters_of_its_closed_form():
    old, new = 16 * 32 * 9 + 32, (16 * 9 + 16) + (16 * 32 + 32)
    assert to_target.parameters_of("SGD") - to_target.parameters_of("separable") == old - new


def test_every_trick_measures_a_wrong_and_a_right_pair():
    found = fooled.fooled_block()
    assert set(found) == {
        f"{trick}, {side}" for trick in fooled.TRICKS for side in ("wrong A", "wrong B", "A", "B")
    }
    assert min(found.values()) > 0
    # A generator that nobody asks does none of 20 matrix products: a bound that no noise reaches.
    assert found["not consumed, wrong A"] > 3 * found["not consumed, wrong B"]


def test_double_and_single_precision_take_the_same_products():
    assert 2**-12 < precision.largest_error() < 2**-7  # bfloat16 keeps 8 bits


def test_steps_are_read_back_from_the_times():
    from amdahl_lab.recorded import reference_run

    run = reference_run("to_target")
    for name in to_target.NAMES:
        steps, reached = to_target.steps_of(run, name)
        assert np.all((steps % to_target.EVERY == 0) | ~reached)
        assert np.all(steps[~reached] == run.parameters["budget"])
    assert not to_target.steps_of(run, "frozen")[1].all()


def test_energy_is_read_where_there_is_a_counter(tmp_path):
    assert energy_counters(tmp_path) == ()
    for name, text in (("intel-rapl:0", "2500000"), ("intel-rapl:0:0", "1"), ("intel-rapl:1", "x")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(text)
    counters = energy_counters(tmp_path)
    assert joules(counters) == pytest.approx(2.5)


def test_the_stack_separable_keeps_the_shapes():
    plain, light = (
        nn.Sequential(*(m for _, m in network.stack(separable=each))) for each in (False, True)
    )
    images = network.prepared(network.stored_images()[0])
    assert plain(images).shape == light(images).shape == (16, 10)
    assert sum(p.numel() for p in light.parameters()) < sum(p.numel() for p in plain.parameters())
