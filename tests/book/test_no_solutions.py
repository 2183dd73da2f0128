"""No solution and no hidden check is in the built site or in the exercises."""

import ast
import json
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOLUTIONS, EXERCISES = ROOT / "solutions", ROOT / "exercises"
MARKS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
HIDDEN = re.compile(
    r"#+ *BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)#+ *END \1", re.DOTALL | re.IGNORECASE
)
SHORTEST = 30  # a line of code this long is not there by chance


def cells(path: Path) -> list[str]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"]]


def telling(text: str) -> set[str]:
    """Lines long enough to give an answer away."""
    lines = {line.strip() for line in text.splitlines()}
    return {line for line in lines if len(line) >= SHORTEST and not line.startswith(("#", '"""'))}


def secrets() -> set[str]:
    found: set[str] = set()
    for path in SOLUTIONS.rglob("*.ipynb"):
        for source in cells(path):
            for _, inside in HIDDEN.findall(source):
                found |= telling(inside)
    for path in SOLUTIONS.rglob("*.py"):
        found |= telling(path.read_text(encoding="utf-8"))
    return found


def hidden_words() -> set[str]:
    """Names that the hidden checks define for themselves, and sentences that only a mark earns."""
    found: set[str] = set()
    for path in SOLUTIONS.glob("*/hidden_checks/*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        shown = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("_"):
                found.add(node.name)
            elif isinstance(getattr(node, "value", None), str) and id(node) not in shown:
                found |= {node.value} if len(node.value) >= SHORTEST else set()
    return {word for word in found if len(word) > 12 and word not in everyone_may_read()}


def text_of(folder: Path) -> dict[str, str]:
    """Text of every file, with the escapes of JSON and HTML undone as far as code lines need."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in {".html", ".ipynb", ".md", ".js", ".txt", ".py"}:
            text = path.read_text(encoding="utf-8", errors="replace")
            if path.suffix == ".ipynb":
                text = "\n".join(cells(path))
            elif path.suffix == ".html":
                text = re.sub(r"<[^>]+>", "", text)
                for name, sign in (("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&quot;", '"')):
                    text = text.replace(name, sign)
                text = text.replace("&amp;", "&")
            found[path.name] = found.get(path.name, "") + text
    return found


@pytest.fixture(scope="module")
def hidden() -> set[str]:
    found = secrets()
    assert len(found) > 20, "no solutions were found, so nothing would be tested"
    return found


def everyone_may_read() -> str:
    """Code that the course shows openly: a line of it in a solution gives nothing away."""
    shown = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("amdahl_lab/**/*.py"))
    for path in ROOT.glob("chapters/**/*.ipynb"):
        shown += "\n".join(cells(path))
    for path in SOLUTIONS.glob("**/*.ipynb"):  # the task itself, which students are given
        shown += HIDDEN.sub("", "\n".join(cells(path)))
    return shown


@pytest.mark.parametrize("where", ["site", "exercises"])
def test_no_line_of_a_solution_is_there(where, request, hidden):
    folder = request.getfixturevalue("site") if where == "site" else EXERCISES
    shown = everyone_may_read()
    leaks = {
        (name, line)
        for name, text in text_of(folder).items()
        for line in hidden
        if line in text and line not in shown
    }
    assert not leaks


@pytest.mark.parametrize("where", ["site", "exercises"])
def test_no_mark_of_a_solution_is_there(where, request):
    folder = request.getfixturevalue("site") if where == "site" else EXERCISES
    texts = text_of(folder)
    assert texts, f"nothing to look at in {folder}"
    assert not [(name, mark) for name, text in texts.items() for mark in MARKS if mark in text]


@pytest.mark.parametrize("where", ["site", "exercises"])
def test_no_word_of_a_hidden_check_is_there(where, request):
    folder = request.getfixturevalue("site") if where == "site" else EXERCISES
    words = hidden_words()
    assert len(words) > 40, "no hidden checks were found, so nothing would be tested"
    texts = {name: re.sub(r"\s+", " ", text) for name, text in text_of(folder).items()}
    assert not [(name, word) for name, text in texts.items() for word in words if word in text]


def test_no_file_of_the_solutions_was_copied(site):
    folders = {part for path in site.rglob("*") for part in path.relative_to(site).parts}
    assert not folders & {"solutions", "grading", "tests", "gradebook.db"}


def test_what_a_class_gets_is_whole_and_holds_no_solution(tmp_path, hidden):
    run = subprocess.run(["make", "bundle"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    with zipfile.ZipFile(ROOT / "_build" / "amdahls-law.zip") as bundle:
        bundle.extractall(tmp_path)
    top = tmp_path / "amdahls-law"
    names = {path.relative_to(top).as_posix() for path in top.rglob("*")}
    for needed in (
        "exercises/01_amdahls_law/exercises.ipynb",
        "chapters/01_amdahls_law/lab.ipynb",
        "amdahl_lab/recorded/digits_scaling.json",
        "constraints.txt",
    ):
        assert needed in names
    assert not {part for name in names for part in name.split("/")} & {
        "solutions",
        "tests",
        "hidden_checks",
    }
    shown = everyone_may_read()
    text = "\n".join(text_of(top).values())
    assert not [line for line in hidden if line in text and line not in shown]


def test_a_solution_would_be_seen(tmp_path, hidden):
    line = sorted(hidden)[0]
    (tmp_path / "leak.html").write_text(f"<pre><span>{line}</span></pre>", encoding="utf-8")
    assert any(line in text for text in text_of(tmp_path).values())
