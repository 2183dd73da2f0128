"""The parts of marking, each for itself, without a kernel where none is needed."""

import ast
import json
import math
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from amdahl_lab import laws
from amdahl_lab.grading import sandbox, seccomp, student_package, watch, wire
from amdahl_lab.grading.checks import check
from amdahl_lab.grading.hidden import load_assignment
from amdahl_lab.grading.items import Assignment, ChoiceCheck, Item
from amdahl_lab.grading.marking import grade_id
from amdahl_lab.grading.outputs import Outputs
from amdahl_lab.grading.plugin import refuse_links
from amdahl_lab.grading.restore import (
    LONGEST_CELL,
    MOST_OWN_CELLS,
    ReleasedCell,
    harmless,
    restore,
)
from amdahl_lab.grading.serial_reference import serial_parameters
from amdahl_lab.grading.session import KernelSession

# visible checks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected", "line"),
    [
        (lambda: 2.0, 2, "right: x\n"),
        (lambda: np.array([1, math.inf]), [1, math.inf], "right: x\n"),
        (lambda: True, True, "right: x\n"),
        (lambda: None, 2, "not written yet: x\n"),
        (lambda: ..., 2, "not written yet: x\n"),
        (lambda: 3, 2, "not right: x should be 2, and is 3\n"),
        (lambda: math.nan, 2, "not right: x should be 2, and is nan\n"),
        (lambda: [1, 2], 2, "not right: x should have shape (), and has (2,)\n"),
        (lambda: False, True, "not right: x should be True, and is False\n"),
        (lambda: 1 / 0, 2, "not right: x stopped with ZeroDivisionError: division by zero\n"),
    ],
)
def test_a_visible_check_says_one_line_and_never_raises(answer, expected, line, capsys):
    check("x", answer, expected)
    assert capsys.readouterr().out == line


def test_what_students_import_loads_nothing_heavy():
    code = (
        "import sys, amdahl_lab.grading; "
        "heavy = {'torch', 'scipy', 'matplotlib', 'nbgrader', 'zmq', 'IPython', 'pandas'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# notebooks ----------------------------------------------------------------------------------------

ANSWER = ReleasedCell("answer", "code", "...", "a", locked=False, solution=True)
CHECK = ReleasedCell("check", "code", "check()", "c", locked=True, solution=False, points=2.0)
TEXT = ReleasedCell("text", "markdown", "say", "t", locked=False, solution=True)


def cell(name, source="mine", kind=new_code_cell, **more):
    return kind(source, metadata={"nbgrader": {"grade_id": name, **more}})


def sources(book):
    return [(one.metadata.get("nbgrader", {}).get("grade_id"), one.source) for one in book.cells]


def test_an_honest_notebook_stays_as_it_is():
    book = new_notebook(cells=[cell("answer"), new_code_cell("x"), cell("check", "check()")])
    assert restore(book, [ANSWER, CHECK]) == []
    assert sources(book) == [("answer", "mine"), (None, "x"), ("check", "check()")]
    assert book.cells[2].metadata.nbgrader.points == 2.0


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([cell("answer")], [("answer", "mine"), ("check", "check()")]),
        ([], [("answer", "..."), ("check", "check()")]),
        ([cell("check"), cell("answer")], [("answer", "mine"), ("check", "check()")]),
        (
            [cell("answer"), cell("check", points=100, grade=False), cell("check", "2")],
            [("answer", "mine"), ("check", "check()"), (None, "2")],
        ),
        (
            [cell("answer", "1"), cell("bonus", points=50), cell("answer", "2")],
            [("answer", "1"), ("check", "check()"), (None, "mine"), (None, "2")],
        ),
    ],
    ids=["check deleted", "all deleted", "moved", "edited and copied", "answer copied, bonus"],
)
def test_released_cells_are_put_back(cells, expected):
    book = new_notebook(cells=cells)
    assert restore(book, [ANSWER, CHECK])
    assert sources(book) == expected
    graded = [one for one in book.cells if one.metadata.get("nbgrader", {}).get("grade")]
    assert [one.metadata.nbgrader.points for one in graded] == [2.0]


def test_outputs_and_odd_metadata_go():
    forged = new_code_cell("x", metadata={"nbgrader": "broken", "tags": ["skip-execution"]})
    forged.outputs = [{"output_type": "stream", "name": "stdout", "text": "20 points"}]
    book = new_notebook(cells=[forged, cell("check", "x", new_markdown_cell)])
    restore(book, [CHECK])
    assert book.cells[0].outputs == []
    assert book.cells[0].metadata == {}
    assert book.cells[1].cell_type == "code"


def test_a_notebook_that_no_person_wrote_is_cut():
    cells = [new_code_cell("x") for _ in range(5_000)]
    cells += [cell("answer", "x" * 10**7), new_markdown_cell("y" * 10**6)]
    book = new_notebook(cells=cells)
    mended = restore(book, [ANSWER, CHECK])
    assert len(book.cells) <= MOST_OWN_CELLS + 2
    assert max(len(one.source) for one in book.cells) <= LONGEST_CELL
    assert any("5001 cells" in line for line in mended)
    assert [name for name, _ in sources(book) if name] == ["answer", "check"]


def test_a_raw_cell_becomes_text():
    book = new_notebook(cells=[new_raw_cell("<script>")])
    restore(book, [])
    assert [(one.cell_type, one.source) for one in book.cells] == [("markdown", "< script>")]


def test_links_in_a_submission_are_refused(tmp_path):
    (tmp_path / "handed_in").mkdir()
    (tmp_path / "handed_in" / "notes.txt").write_text("x")
    refuse_links(tmp_path / "handed_in")
    (tmp_path / "handed_in" / "exercises.ipynb").symlink_to(tmp_path / "solution.ipynb")
    with pytest.raises(ValueError, match=r"links, got exercises\.ipynb"):
        refuse_links(tmp_path / "handed_in")


def test_markup_in_text_loses_its_power():
    book = new_notebook(
        cells=[new_markdown_cell("<b onclick=x()>a < b"), cell("text", "<img src=x>")]
    )
    restore(book, [TEXT])
    assert [one.source for one in book.cells] == ["< b onclick=x()>a < b", "< img src=x>"]
    assert harmless("</p><!-- <?php $a<b$ \\href{x}") == "< /p>< !-- < ?php $a< b$ \\text{x}"


# values -------------------------------------------------------------------------------------------


def test_only_plain_numbers_are_numbers():
    assert wire.numbers([[1, 2.5], [3, math.inf]]).tolist() == [[1, 2.5], [3, math.inf]]
    assert wire.numbers(10**400) == math.inf
    for value in (True, "1", None, [], [1, "1"], [[1], [1, 2]], {"array": [1]}, [True, False]):
        assert wire.numbers(value) is None


def test_a_dictionary_reaches_a_function_as_one_with_its_arrays():
    report = {"workers": np.array([1, 2]), "law": None, "inner": {"rounds": 3}, "fitted": [1]}
    arrived = wire.unpacked(json.loads(json.dumps(wire.packed(report))))
    assert arrived["workers"].tolist() == [1, 2]
    assert isinstance(arrived["workers"], np.ndarray)
    del report["workers"], arrived["workers"]
    assert arrived == report


def test_values_of_students_become_plain():
    import torch

    assert wire.plain(torch.tensor([1.5])) == [1.5]
    assert wire.plain((np.float64(1), np.bool_(True), {2, 1})) == [1.0, True, ["1", "2"]]
    assert wire.plain({1: [2]}) == {"dict": [["1", [2]]]}
    assert wire.plain(object()) == {"type": "object"}
    assert json.dumps(wire.plain([[[[[[[[[1]]]]]]]]]))


def test_arguments_arrive_as_they_were_sent():
    sent = {
        "factor": 2.5,
        "name": "bf16",
        "none": None,
        "array": np.arange(3.0),
        "in": {"dict": [1]},
    }
    got = wire.unpacked(json.loads(json.dumps(wire.packed(sent))))
    assert list(got) == list(sent)
    assert got.pop("array").tolist() == sent.pop("array").tolist()
    assert got == sent


def test_values_that_are_too_deep_are_known():
    def nested(depth):
        value = 1
        for number in range(depth):
            value = [value, 2] if number % 2 else {"a": value}
        return value

    assert not wire.deeper_than(nested(5), 5)
    assert wire.deeper_than(nested(6), 5)
    assert wire.deeper_than(nested(100_000), 40)


def test_the_grader_neither_unpickles_nor_runs_what_it_gets():
    """No module of the grader's side can do so: none knows how."""
    folder = Path(sandbox.__file__).parent
    inside = set(student_package._FOR_STUDENTS)
    trusted = [path for path in folder.glob("*.py") if path.name not in inside]
    assert len(trusted) > 10
    loaders = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "torch"}
    for path in trusted:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & loaders, path.name
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile", "__import__"), path.name


def test_pictures_are_kept_within_bounds(limits):
    outputs = Outputs(replace(limits, picture_bytes=1000))
    for _ in range(5):
        outputs.add("display_data", {"data": {"image/png": "QUJD" * 100}}, 400)
    assert [("image/png" in node.data) for node in outputs.nodes] == [True, True] + [False] * 3


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_of_system_calls_refuses_what_it_names(machine):
    """Runs the program as the kernel does, instruction by instruction."""
    program = seccomp.program(machine)
    known = seccomp._MACHINES[machine]

    def refused(number, arguments=(0,) * 6, architecture=known.architecture):
        data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, architecture, 0, *arguments)
        return _filtered(program, data) != 0x7FFF0000

    assert all(refused(number) for number in known.forbidden)
    assert not any(refused(number) for number in range(20) if number != known.mmap)
    assert refused(0, architecture=0x40000003)  # 32-bit calls
    assert refused(known.socket, (40, 1, 0, 0, 0, 0))
    assert not any(refused(known.socket, (family, 1, 0, 0, 0, 0)) for family in (1, 2, 10))
    for flags, expected in ((0x21, True), (0x8021, True), (0x22, False), (0x1, False)):
        assert refused(known.mmap, (0, 4096, 3, flags, 0, 0)) == expected
    assert seccomp.program("an abacus") == b""


def _filtered(program, data):
    lines = [program[place : place + 8] for place in range(0, len(program), 8)]
    place, value = 0, 0
    while True:
        code, if_true, if_false, constant = struct.unpack("<HBBI", lines[place])
        place += 1
        if code == 0x06:
            return constant
        if code == 0x20:
            value = struct.unpack_from("<I", data, constant)[0]
        elif code == 0x54:
            value &= constant
        else:
            holds = value == constant if code == 0x15 else value >= constant
            place += if_true if holds else if_false


def test_a_watch_that_stumbles_stops_what_it_watched(monkeypatch, limits):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(watch, "_usage", lambda *_: 1 / 0)
    with watch.Watch(process, process.pid, limits) as looking:
        assert process.wait(timeout=20) != 0
    assert "could not be watched" in looking.verdict


def test_outputs_are_kept_within_bounds_and_without_markup(limits):
    outputs = Outputs(replace(limits, output_bytes=100))
    outputs.add("stream", {"name": "stdout", "text": "x" * 1000}, 1000)
    outputs.add("stream", {"name": "stdout", "text": "y" * 1000}, 1000)
    assert len(outputs.nodes[0].text) < 200
    assert outputs.received == 2000
    outputs = Outputs(limits)
    data = {"text/html": "<script>", "text/plain": "kept", "image/png": '"><script>'}
    outputs.add("execute_result", {"data": data}, 1)
    outputs.add("display_data", {"data": 7}, 1)
    outputs.add("error", {"traceback": "no list"}, 1)
    assert outputs.nodes[0].output_type == "display_data"
    assert outputs.nodes[0].data == {"text/plain": "kept"}


# hidden checks ------------------------------------------------------------------------------------


def test_the_laws_of_the_hidden_checks_agree_with_the_package(assignment):
    rng = np.random.default_rng(3)
    counterparts = {
        "speedup": laws.amdahl_speedup,
        "serial_fraction": laws.karp_flatt,
        "workers_needed": laws.workers_for_speedup,
        "to_scaled": laws.scaled_serial_fraction,
        "to_fixed": laws.fixed_serial_fraction,
    }
    seen = set()
    for checks in assignment.checks.values():
        for one in checks:
            law = counterparts.get(one.subject)
            if law is not None:
                seen.add(one.subject)
                for case in one.cases(rng):
                    np.testing.assert_allclose(one.truth(*case), law(*case), rtol=1e-12)
    assert seen == set(counterparts)


def test_the_serial_reference_is_gradient_descent_on_the_mean_loss():
    torch = pytest.importorskip("torch")
    from amdahl_lab.grading.rank_probe import drawn

    layers, samples = [3, 4, 2], 10
    weights, biases, inputs, targets = drawn(5, layers, samples)
    parameters = [
        torch.tensor(value, requires_grad=True)
        for pair in zip(weights, biases, strict=True)
        for value in pair
    ]
    for _ in range(3):
        hidden = torch.tanh(torch.tensor(inputs) @ parameters[0].T + parameters[1])
        loss = ((hidden @ parameters[2].T + parameters[3] - torch.tensor(targets)) ** 2).mean()
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= 0.1 * gradient
    expected = torch.cat([parameter.detach().flatten() for parameter in parameters]).numpy()
    found = serial_parameters(5, layers, [6, 4], 3, 0.1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_misconceptions_differ_from_the_truth(assignment, seed):
    for checks in assignment.checks.values():
        for one in checks:
            for mistake in getattr(one, "misconceptions", ()):
                cases = one.cases(np.random.default_rng(seed))
                assert not one._all_agree(
                    [{"value": wire.plain(_answer(mistake.answer, case))} for case in cases],
                    [one.truth(*case) for case in cases],
                ), mistake.hint


def _answer(function, case):
    try:
        with np.errstate(all="ignore"):
            return function(*case)
    except ZeroDivisionError:
        return None


def test_an_assignment_refuses_two_items_of_one_name():
    one = ChoiceCheck(Item("twice", 1, "x"), "x", frozenset("a"), {})
    with pytest.raises(ValueError, match="twice"):
        Assignment({"a": [one], "b": [one]})


def test_an_assignment_names_the_cells_that_measure(assignment, solution):
    assert assignment.measuring_cells == {"answer_3_report"}
    text = {grade_id(one): one.source for one in solution.cells}
    assert all("measure(block" in text[name] for name in assignment.measuring_cells)
    assert Assignment({"a": assignment.checks["check_1_speedup"]}).measuring_cells == frozenset()


def test_missing_hidden_checks_are_named(tmp_path):
    with pytest.raises(ValueError, match="hidden_checks"):
        load_assignment(tmp_path)


# folders and sandbox ------------------------------------------------------------------------------


def test_the_package_for_students_lacks_what_is_put_away(package):
    folder = package / "amdahl_lab"
    assert not (folder / "laws").exists()
    assert "put away" in (folder / "laws.py").read_text()
    names = {path.name for path in (folder / "grading").glob("*.py")}
    assert names == set(student_package._FOR_STUDENTS)
    with pytest.raises(ValueError, match="no_such_module"):
        student_package._replace(package, "amdahl_lab.no_such_module")


def test_secret_folders_inside_mounted_ones_are_covered(tmp_path):
    visible = [Path("/opt/python"), Path("/opt/python/course/.venv")]
    arguments = sandbox._hidden_mounts([Path("/opt/python/course"), Path("/home/x")], visible)
    assert arguments == [
        *("--tmpfs", "/opt/python/course"),
        *("--ro-bind", "/opt/python/course/.venv", "/opt/python/course/.venv"),
    ]
    with pytest.raises(ValueError, match="environment"):
        sandbox._hidden_mounts([Path("/opt/python")], visible)


def test_without_bubblewrap_one_sentence_says_what_to_do(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(sandbox.SandboxMissing) as caught:
        sandbox.check_bubblewrap()
    assert "apt install bubblewrap" in str(caught.value)
    assert "--without-sandbox" in str(caught.value)


def test_a_kernel_can_run_unprotected_where_the_risk_is_accepted(package, submission, limits):
    with KernelSession(package, submission, limits, without_sandbox=True) as session:
        session.run("def f(x): return 2 * x")
        question = {"function": "f", "cases": [[21]]}
        assert session.ask("call", question) == [{"value": 42}]


def test_two_ranks_join_inside_the_sandbox(session):
    run = session.run(
        "import torch, torch.distributed as dist\n"
        "from amdahl_lab.parallel import run_ranks\n"
        "def total():\n"
        "    value = torch.tensor(dist.get_rank() + 1.0)\n"
        "    dist.all_reduce(value)\n"
        "    return value.item()\n"
        "print(run_ranks(total, 2))"
    )
    assert run.outputs[0].text == "[3.0, 3.0]\n"
    assert run.loopback_bytes > 0
