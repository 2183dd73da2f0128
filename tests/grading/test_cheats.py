"""Cheats gain nothing, see nothing, and cost nobody else anything. In a real sandbox."""

import os
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import corpus
import grading_cheats
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from amdahl_lab.grading.items import Assignment, Marking
from amdahl_lab.grading.marking import MARKS, NotebookMarker, grade_id
from amdahl_lab.grading.session import KernelLostError, KernelSession, NoAnswerError

SPEEDUP, CONVERT = "check_1_speedup", "check_5_convert"
TO_SCALED = "def to_scaled(s, n): return s * n / (1 + s * (n - 1))"
RIGHT = "def speedup(n, s): return n / (1 + s * (n - 1))"
SMALL = {
    "memory_bytes": 700 * 2**20,
    "processes": 30,
    "cell_seconds": 4.0,
    "notebook_seconds": 90.0,
}
CHEATS = (
    grading_cheats.TAMPERING,
    grading_cheats.ASKED,
    grading_cheats.TRAINING,
    grading_cheats.REPORTS,
    grading_cheats.LOOKING,
    grading_cheats.EXHAUSTING,
)


def notebook(*cells):
    """A notebook with plain cells and, by their name, check cells."""
    made = [new_code_cell("import math\nimport numpy as np")]
    for cell in cells:
        metadata = {"nbgrader": {"grade_id": cell, "grade": True, "locked": True, "points": 2}}
        check = cell.startswith("check_")
        made.append(new_code_cell("" if check else cell, metadata=metadata if check else {}))
    return new_notebook(cells=made)


def only(assignment, *cells) -> Assignment:
    return replace(assignment, checks={name: assignment.checks[name] for name in cells})


def points(verdicts):
    return {name: verdict.points for name, verdict in verdicts.items()}


@pytest.fixture(scope="module")
def marked(assignment, package, seed, limits, tmp_path_factory, course):
    """Mark every tampering and exhausting notebook, a few at a time: most of them only wait."""
    tampering = replace(limits, question_seconds=5.0)
    exhausting = replace(limits, **SMALL)
    asked = replace(exhausting, question_seconds=5.0)
    submission = tmp_path_factory.mktemp("submission")

    def mark(cells, checks, bounds):
        book = notebook(*cells)
        marker = NotebookMarker(only(assignment, *checks), package, seed, bounds, [course])
        started = time.monotonic()
        verdicts = marker.mark(book, submission)
        return book, verdicts, time.monotonic() - started

    with ThreadPoolExecutor(3) as pool:
        futures = {
            name: pool.submit(mark, [code, SPEEDUP], [SPEEDUP], tampering)
            for name, code in grading_cheats.TAMPERING.items()
        }
        futures |= {
            name: pool.submit(
                mark, [RIGHT, SPEEDUP, code, TO_SCALED, CONVERT], [SPEEDUP, CONVERT], exhausting
            )
            for name, code in grading_cheats.EXHAUSTING.items()
        }
        futures |= {
            name: pool.submit(mark, [code, SPEEDUP, TO_SCALED, CONVERT], [SPEEDUP, CONVERT], asked)
            for name, code in grading_cheats.ASKED.items()
        }
        yield futures


@pytest.mark.parametrize("name", grading_cheats.TAMPERING)
def test_tampering_gains_nothing(name, marked):
    book, verdicts, _ = marked[name].result()
    assert points(verdicts) == {"speedup_numbers": 0, "speedup_arrays": 0}
    # The cell shows the grader's own result and no other, and nothing that a browser would run.
    results = [o for cell in book.cells for o in cell.outputs if o.output_type == "execute_result"]
    assert [result.data["text/plain"] for result in results] == ["0"]
    marks = [o for cell in book.cells for o in cell.outputs if MARKS in o.get("data", {})]
    assert len(marks) == 1
    kinds = {kind for cell in book.cells for o in cell.outputs for kind in o.get("data", {})}
    assert kinds <= {"text/plain", MARKS}


@pytest.mark.parametrize("name", grading_cheats.EXHAUSTING)
def test_exhaustion_costs_its_own_cell_and_no_other(name, marked):
    book, verdicts, seconds = marked[name].result()
    # The grader's own work comes on top, while it marks other cheats beside this one.
    assert seconds < 3 * SMALL["notebook_seconds"]
    expected = {"speedup_numbers": 1, "speedup_arrays": 1, "to_scaled": 1, "to_fixed": 0}
    assert points(verdicts) == expected, [v.hint for v in verdicts.values()]
    assert sum(len(str(cell.outputs)) for cell in book.cells) < 1_000_000


@pytest.mark.parametrize("name", grading_cheats.ASKED)
def test_tampering_when_asked_costs_its_own_items_and_no_other(name, marked):
    _, verdicts, seconds = marked[name].result()
    assert seconds < 3 * SMALL["notebook_seconds"]
    expected = {"speedup_numbers": 0, "speedup_arrays": 0, "to_scaled": 1, "to_fixed": 0}
    assert points(verdicts) == expected, [v.hint for v in verdicts.values()]
    assert not Path("/tmp/grader-was-here").exists()


@pytest.fixture(scope="module")
def looking(package, assignment, course, tmp_path_factory, limits):
    """A kernel with the names that the searches use; a listener outside; a secret to find."""
    folder = tmp_path_factory.mktemp("submission")
    os.environ["GRADER_TOKEN"] = "secret-of-the-grader"
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        KernelSession(package, folder, limits, secret_folders=[course]) as session,
    ):
        session.run(
            f"COURSE, PACKAGE, GRADER, PORT = {str(course)!r}, {str(package)!r}, "
            f"{os.getpid()}, {listener.getsockname()[1]}"
        )
        yield session
    del os.environ["GRADER_TOKEN"]


@pytest.mark.parametrize("name", grading_cheats.LOOKING)
def test_looking_around_finds_nothing(name, looking, seed):
    run = looking.run("found = None\n" + grading_cheats.LOOKING[name])
    assert run.status == "ok", run.outputs
    assert looking.ask("value", {"name": "found"}) == {"value": []}


def test_the_searches_would_find_something(course, package):
    """Without a sandbox the same searches succeed, so an empty result means something."""
    secret = {**os.environ, "GRADER_TOKEN": "secret-of-the-grader"}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        names = f"COURSE, PACKAGE = {str(course)!r}, {str(package)!r}\n"
        names += f"GRADER, PORT = {os.getpid()}, {listener.getsockname()[1]}\n"
        for name in ("the grader's environment", "processes outside", "the network"):
            code = names + grading_cheats.LOOKING[name] + "\nprint(len(found))"
            command = [os.sys.executable, "-c", code]
            run = subprocess.run(command, env=secret, capture_output=True, text=True, timeout=60)
            assert int(run.stdout) > 0, (name, run.stderr)


def test_nothing_is_left_behind(package, submission, limits, course):
    with KernelSession(package, submission, limits, secret_folders=[course]) as session:
        session.run(
            "import subprocess, sys\n"
            "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(987)'],\n"
            "                 start_new_session=True)"
        )
        folder = session._folder
        assert "time.sleep(987)" in _all_commands()
    time.sleep(0.2)
    assert "time.sleep(987)" not in _all_commands()
    assert not folder.exists()


def _all_commands() -> str:
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return commands.stdout


def test_disk_is_bounded(session, limits):
    run = session.run(
        "import os\n"
        "written = 0\n"
        "for folder in ('/tmp', '/dev/shm', '.'):\n"
        "    try:\n"
        "        for number in range(100):\n"
        "            with open(os.path.join(folder, f'big{number}'), 'wb') as file:\n"
        "                written += file.write(b'x' * 50_000_000)\n"
        "    except OSError: pass\n"
    )
    assert run.status == "ok"
    written = session.ask("value", {"name": "written"})["value"]
    assert 0 < written <= 2 * limits.disk_bytes


@pytest.mark.parametrize("name", grading_cheats.REPORTS)
def test_a_run_that_never_took_place_is_no_report(name, session, assignment, seed):
    code, hint = grading_cheats.REPORTS[name]
    (check,) = assignment.checks["check_3_report"]
    run = session.run(code)
    assert run.status == "ok", run.outputs
    (verdict,) = check.mark(Marking(session, seed, {"answer_3_report": run}))
    assert verdict.points == 0
    assert hint in verdict.hint


@pytest.mark.parametrize("name", grading_cheats.TRAINING)
def test_ranks_that_send_nothing_gain_nothing(name, session, assignment, seed):
    assert session.run(grading_cheats.TRAINING[name]).status == "ok"
    (check,) = assignment.checks["check_3_average"]
    verdicts = check.mark(Marking(session, seed))
    assert [verdict.points for verdict in verdicts] == [0, 0, 0]
    assert "hardly a byte" in verdicts[0].hint


def test_calls_past_the_probe_gain_nothing(session, assignment, seed):
    session.run(grading_cheats.SERVICE)
    (check,) = assignment.checks["check_2_tests"]
    try:
        verdicts = check.mark(Marking(session, seed))
    except NoAnswerError:
        return
    assert sum(verdict.points for verdict in verdicts) == 0


def test_a_message_without_end_does_not_fill_the_graders_memory(package, submission, limits):
    bounds = replace(limits, grader_bytes=150 * 2**20)
    with (
        KernelSession(package, submission, bounds) as session,
        pytest.raises(KernelLostError, match="more than can be taken in"),
    ):
        session.run(grading_cheats.ENDLESS_MESSAGE)


def test_every_kind_of_cheat_is_tried():
    cheats = [
        *(name for group in CHEATS for name in group),
        *(answer.name for answer in corpus.answers("01_amdahls_law")),
    ]
    source = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    for kind, names in grading_cheats.KINDS.items():
        for name in names:
            assert name in cheats or f"def {name}(" in source, (kind, name)
    assert sum(len(group) for group in CHEATS) >= 25


def test_a_test_that_looks_behind_a_law_gains_nothing(session, assignment, seed):
    """Says yes by the place of a law, or by what its function looks like inside."""
    (check,) = assignment.checks["check_2_tests"]
    cheats = [
        "def passes(law): return law.__closure__[0].cell_contents in ('0', '1', '2')",
        "def passes(law): return 'name' in str(vars(law)) or law.__name__ != 'function'",
        "seen = []\ndef passes(law):\n    seen.append(law)\n    return len(seen) <= 3",
    ]
    for cheat in cheats:
        session.run(cheat)
        assert sum(verdict.points for verdict in check.mark(Marking(session, seed))) == 0, cheat


def test_check_cells_are_named_as_in_the_notebook(solution, assignment):
    assert {grade_id(cell) for cell in solution.cells} >= set(assignment.checks)
