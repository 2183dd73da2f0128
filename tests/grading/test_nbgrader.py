"""The whole way through nbgrader's own commands, on a copy of the course; the other commands."""

import ast
import copy
import csv
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from amdahl_lab.grading import course as course_commands
from amdahl_lab.grading.__main__ import main
from amdahl_lab.grading.marking import MARKS, grade_id

NAME = "01_amdahls_law"
# Ways to make a page do something, other than a plain tag.
POWERFUL = (
    "[a link of mine](javascript:mine())",
    "[again][1]\n\n[1]: JaVaScRiPt:mine()",
    "![](data:text/html;base64,PHNjcmlwdD5taW5lKCk8L3NjcmlwdD4=)",
    r"$\href{javascript:mine()}{x}$",
    "&#36;&#92;href{javascript&colon;mine()}{x}&#36;",
    "&lt;img src=x onerror=mine()&gt; &bsol;href",
    "<iframe srcdoc='x'></iframe> <base href=//x> <svg/onload=mine()>",
    "```\n</pre><script>mine()</script>\n```",
    "`</code><script>mine()</script>`",
)


def nbgrader(folder, *arguments):
    command = [sys.executable, "-m", "nbgrader", *arguments]
    tools = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    environment = {**os.environ, "PATH": tools}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def untidy(solution):
    """The solution as a careless student hands it in: cells moved, copied, edited, gone."""
    book = copy.deepcopy(solution)
    cells = {grade_id(cell): cell for cell in book.cells}
    book.cells.remove(cells["check_1_speedup"])
    book.cells.append(copy.deepcopy(cells["check_1_inverses"]))
    book.cells.insert(0, copy.deepcopy(cells["answer_4_price"]))  # copied to the top
    cells["check_2_tests"].source = "# I do not need this"
    cells["check_4_price"].metadata.nbgrader.points = 0
    cells["check_4_price"].metadata.nbgrader.grade = False
    cells["check_5_convert"].cell_type = "markdown"
    book.cells.remove(cells["answer_5_convert"])
    book.cells.append(cells["answer_5_convert"])  # moved behind the cell that checks it
    book.metadata.kernelspec = {"name": "conda-env-mine", "display_name": "Mine"}
    for number, cell in enumerate(book.cells):
        cell.id = f"cell-{number}"
    return book


def forged(stub):
    """The empty stub dressed up as a finished notebook that was never run."""
    book = copy.deepcopy(stub)
    for cell in book.cells:
        entry = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code":
            continue
        cell.execution_count = 7
        cell.outputs = [
            new_output("stream", text="right: everything\n"),
            new_output("execute_result", data={"text/plain": "100.0"}, execution_count=7),
        ]
        if entry.get("grade"):
            entry |= {"points": 100.0, "locked": False, "checksum": "0" * 32, "score": 100.0}
            cell.source = "100.0"
        if entry.get("solution"):
            entry |= {"grade": True, "points": 50.0}
    one = {"grade": True, "solution": False, "locked": False, "task": False, "schema_version": 3}
    for name in ("bonus", "check_1_speedup"):
        metadata = {"nbgrader": {**one, "grade_id": name, "points": 50}}
        book.cells.append(new_code_cell("50.0", metadata=metadata))
    book.cells.append(
        new_markdown_cell("<script>document.title = 'mine'</script> <img src=x onerror=alert(1)>")
    )
    book.cells += [new_markdown_cell(text) for text in POWERFUL]
    book.metadata.language_info = {"name": "python", "pygments_lexer": "'><script>mine()</script>"}
    book.cells.append(
        new_code_cell("from IPython.display import HTML\nHTML('<script>mine()</script>')")
    )
    book.cells.append(new_code_cell("", metadata={"nbgrader": "broken"}))
    return book


@pytest.fixture(scope="module")
def marked_course(course, solution, stub, tmp_path_factory):
    """A course with two submissions, after nbgrader's own four commands."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(course / "nbgrader_config.py", folder)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(course / "solutions", folder / "solutions", ignore=ignore)
    logs = {}
    status, logs["generate"] = nbgrader(folder, "generate_assignment", NAME)
    assert status == 0, logs["generate"]
    for student, book in (("untidy", untidy(solution)), ("forged", forged(stub))):
        target = folder / "submitted" / student / NAME / "exercises.ipynb"
        target.parent.mkdir(parents=True)
        nbformat.write(book, target)
    for command in ("autograde", "generate_feedback"):
        status, logs[command] = nbgrader(folder, command, NAME)
        assert status == 0, logs[command]
    return folder, logs


def test_the_gradebook_has_the_points_of_the_hidden_checks(marked_course, assignment):
    folder, logs = marked_course
    scores = course_commands.gradebook_scores(folder, NAME)
    assert scores == {"untidy": assignment.points(), "forged": 0.0}, logs["autograde"]


def test_feedback_shows_points_and_hints_and_nothing_hidden(marked_course):
    folder, _ = marked_course
    page = (folder / "feedback" / "forged" / NAME / "exercises.html").read_text()
    assert "not written yet" in page
    assert "0 of 1" in page
    tags = BeautifulSoup(page, "html.parser").find_all(True)
    assert "document.title" in page  # what the student wrote is there, as text
    assert not [tag for tag in tags if tag.name == "script" and "mine" in tag.text]
    assert not [tag for tag in tags if any(name.startswith("on") for name in tag.attrs)]
    for path in [*folder.glob("feedback/**/*"), *folder.glob("exercises/**/*")]:
        assert "hidden_checks" not in path.name
        if path.is_file():
            assert "WrongLaws" not in path.read_text()
    assert not list(folder.glob("autograded/**/hidden_checks*"))


def test_feedback_holds_only_the_hints_that_were_earned(marked_course, course, assignment):
    """Of all that the hidden checks could say, a page says what its own marks say."""
    folder, _ = marked_course
    words = set()
    for path in (course / "solutions" / NAME / "hidden_checks").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words |= {node.value} if len(node.value) > 40 else set()
            elif isinstance(node, ast.FunctionDef) and len(node.name) > 12:
                words |= {node.name} if node.name.startswith("_") else set()
    words -= {item.title for item in assignment.items()}  # every mark sheet shows them
    assert len(words) > 50
    for student in ("untidy", "forged"):
        page = (folder / "feedback" / student / NAME / "exercises.html").read_text()
        text = " ".join(BeautifulSoup(page, "html.parser").get_text().split())
        marked = nbformat.read(
            folder / "autograded" / student / NAME / "exercises.ipynb", as_version=4
        )
        earned = " ".join(
            entry["hint"]
            for cell in marked.cells
            for output in cell.get("outputs", [])
            for entry in output.get("data", {}).get(MARKS, {}).values()
        )
        assert not [word for word in words if word in text and word not in earned]


def test_text_that_students_write_has_no_power_in_the_page(marked_course):
    folder, _ = marked_course
    page = (folder / "feedback" / "forged" / NAME / "exercises.html").read_text()
    tree = BeautifulSoup(page, "html.parser")
    assert "a link of mine" in page
    for tag in tree.find_all(True):
        for name in ("href", "src", "action", "data", "xlink:href"):
            value = str(tag.get(name, "")).replace(" ", "").lower()
            assert not value.startswith(("javascript:", "vbscript:", "data:text")), tag
    assert r"\href" not in tree.get_text()
    assert not tree.find_all(["iframe", "object", "embed", "form", "base"])


def test_submissions_are_not_altered(marked_course, stub):
    folder, _ = marked_course
    path = folder / "submitted" / "forged" / NAME / "exercises.ipynb"
    assert "100.0" in path.read_text()


def test_without_bubblewrap_nothing_is_marked(marked_course, monkeypatch, tmp_path):
    folder, _ = marked_course
    for name in ("python", "env"):
        (tmp_path / name).symlink_to(shutil.which(name) or sys.executable)
    environment = {**os.environ, "PATH": str(tmp_path)}
    (folder / "submitted" / "late" / NAME).mkdir(parents=True)
    source = folder / "submitted" / "forged" / NAME / "exercises.ipynb"
    shutil.copy(source, folder / "submitted" / "late" / NAME)
    command = [sys.executable, "-m", "nbgrader", "autograde", NAME, "--student", "late"]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert run.returncode != 0
    assert "apt install bubblewrap" in run.stderr
    assert "--GradeNotebook.without_sandbox=True" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (folder / "autograded" / "late").exists()
    shutil.rmtree(folder / "submitted" / "late")


def test_generating_again_changes_nothing(course, tmp_path):
    written = course_commands.generate(course, tmp_path / "exercises")
    assert [path.parent.name for path in written] == course_commands.assignments(course)
    for path in written:
        committed = course / "exercises" / path.relative_to(tmp_path / "exercises")
        assert path.read_bytes() == committed.read_bytes()
    names = [p.relative_to(tmp_path / "exercises") for p in (tmp_path / "exercises").rglob("*")]
    assert {name for name in names if name.suffix} == {
        p.relative_to(course / "exercises") for p in (course / "exercises").rglob("*.*")
    }


@pytest.fixture(scope="module")
def marked_folder(course, stub, tmp_path_factory):
    """A folder with awkward names, marked by the one command with real kernels."""
    folder = tmp_path_factory.mktemp("a class") / "handed in"
    (folder / "王小明 (2)").mkdir(parents=True)
    nbformat.write(stub, folder / "王小明 (2)" / "my exercises.ipynb")
    (folder / "Zoë Ångström.ipynb").write_text("{ this is no notebook")
    (folder / "notes.txt").write_text("ignored")
    before = contents(folder)
    output = folder.with_name("the marks")
    status = main(["--course", str(course), "grade", str(folder), "--output", str(output)])
    assert before == contents(folder)
    return status, output


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_marked_by_one_command(marked_folder):
    status, output = marked_folder
    assert status == 1  # one could not be marked, and the table says so
    with (output / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"王小明 (2)", "Zoë Ångström"}
    assert rows["王小明 (2)"]["total"] == "0"
    assert rows["王小明 (2)"]["remark"] == ""
    assert rows["Zoë Ångström"]["total"] == ""
    assert "not JSON" in rows["Zoë Ångström"]["remark"]
    assert course_commands.gradebook_scores(output, NAME)["王小明_2"] == 0
    assert (output / "feedback" / "王小明_2" / NAME / "exercises.html").is_file()
    assert "not written yet" in (output / "finished" / NAME / "王小明_2.json").read_text()


def test_nbgrader_exports_the_same_folder(marked_folder, tmp_path):
    _, output = marked_folder
    status, log = nbgrader(output, "export", "--to", str(tmp_path / "grades.csv"))
    assert status == 0, log
    with (tmp_path / "grades.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["student_id"], row["score"], row["max_score"]) == ("王小明_2", "0.0", "20.0")


@pytest.fixture
def web_grader(marked_folder, tmp_path):
    """nbgrader's web grader on the folder of marks; asks it for a page."""
    _, output = marked_folder
    environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--ip=127.0.0.1"]
    command += ["--allow-root", f"--ServerApp.root_dir={output}"]
    command += ["--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=output, env=environment, stdout=log, stderr=log)
    try:
        # The file is written once the server listens, on whatever port was free.
        deadline = time.monotonic() + 120
        while not (found := list(tmp_path.glob("jpserver-*.json"))):
            assert server.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        where = json.loads(found[0].read_text())

        def ask(path):
            request = urllib.request.Request(
                f"{where['url']}formgrader/{path}",
                headers={"Authorization": f"token {where['token']}"},
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read().decode()

        yield ask
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def test_the_web_grader_shows_the_submissions(web_grader):
    assert NAME in web_grader(f"manage_submissions/{NAME}")
    found = {one["student"]: one for one in json.loads(web_grader(f"api/submissions/{NAME}"))}
    assert found["王小明_2"]["autograded"] is True
    assert (found["王小明_2"]["score"], found["王小明_2"]["max_score"]) == (0, 20)
    (one,) = json.loads(web_grader(f"api/notebooks/{NAME}"))
    assert (one["name"], one["num_submissions"]) == ("exercises", 1)
    (one,) = json.loads(web_grader(f"api/submitted_notebooks/{NAME}/exercises"))
    page = web_grader(f"submissions/{one['id']}/")
    assert "not written yet" in page
    assert "check_1_speedup" in page or "speedup of numbers" in page
