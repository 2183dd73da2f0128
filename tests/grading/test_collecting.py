"""What students hand in, as folders and zips of learning-management systems hold it."""

import json
import os
import stat
import zipfile

import pytest

from amdahl_lab.grading.archives import ZipLimits, unpack
from amdahl_lab.grading.collecting import collect
from amdahl_lab.grading.export_names import sender, senders
from amdahl_lab.grading.notebooks import LARGEST_BYTES, most_common_chapter, read_notebook

CHAPTERS = {"one": frozenset({"a", "b"}), "two": frozenset({"c"})}


@pytest.fixture(scope="session", autouse=True)
def _bubblewrap():
    """Nothing here runs a notebook."""


def notebook(*cells: str) -> str:
    """Text of a notebook whose cells have these ids."""
    made = [
        {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": name}}, "source": "",
         "outputs": [], "execution_count": None}
        for name in cells
    ]  # fmt: skip
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def zipped(path, files: dict[str, str | bytes]):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def collected(source, tmp_path):
    """Student's folder -> (who, identifier, what is chosen or why nothing is)."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = {}
    for one in collect(source, scratch, CHAPTERS):
        path, remark = one.choose("one")
        found[one.student] = (one.sender.name, one.sender.identifier, path and path.name, remark)
    return found


def test_a_moodle_zip_keeps_every_student_apart(tmp_path):
    folder = "_assignsubmission_file_"
    archive = zipped(
        tmp_path / "export.zip",
        {
            f"Zoë Ångström_101{folder}/my week 1.ipynb": notebook("a", "b"),
            f"王小明_102{folder}/作业 (final).ipynb": notebook("a"),
            f"王小明_103{folder}/作业 (final).ipynb": notebook("a"),  # another of the same name
            f"Bo_104{folder}/report.pdf": b"%PDF",
            f"Cy_105{folder}/other.ipynb": notebook("c"),
            f"Di_106{folder}/broken.ipynb": "{ this is no notebook",
            f"Ed_107{folder}/empty.ipynb": "",
            f"Flo_108{folder}/mine.ipynb": notebook(),
            "Gus_109_assignsubmission_onlinetext_/onlinetext.html": "<p>sorry</p>",
            f"__MACOSX/Zoë Ångström_101{folder}/._my week 1.ipynb": b"\0\5",
            f"Zoë Ångström_101{folder}/.ipynb_checkpoints/my week 1-checkpoint.ipynb": "{}",
        },
    )
    assert collected(archive, tmp_path) == {
        "Zoë_Ångström_101": ("Zoë Ångström", "101", "my week 1.ipynb", ""),
        "王小明_102": ("王小明", "102", "作业 (final).ipynb", ""),
        "王小明_103": ("王小明", "103", "作业 (final).ipynb", ""),
        "Bo_104": ("Bo", "104", None, "no notebook"),
        "Cy_105": ("Cy", "105", None, "a notebook of another chapter: two"),
        "Di_106": ("Di", "106", None, "not a notebook: it is not JSON"),
        "Ed_107": ("Ed", "107", None, "an empty file"),
        "Flo_108": (
            "Flo",
            "108",
            None,
            "not a notebook of this course: none of its cells is there",
        ),
        "Gus_109": ("Gus", "109", None, "no notebook"),
    }


def test_of_several_attempts_the_latest_counts(tmp_path):
    archive = zipped(
        tmp_path / "canvas.zip",
        {
            "bellann_77_9002_week1-1.ipynb": notebook("a"),
            "bellann_77_9001_week1.ipynb": notebook("b"),
            "lijun_LATE_78_10001_week1.ipynb": notebook("a"),
            "LATE_anon_Qx7_9100_week1.ipynb": notebook("a"),
            "noraeva_79_9300_week1.pdf": b"%PDF",
        },
    )
    found = collected(archive, tmp_path)
    assert found["bellann_77"][2] == "bellann_77_9002_week1-1.ipynb"
    assert "2 notebooks" in found["bellann_77"][3]
    assert found["lijun_78"][:2] == ("lijun", "78")
    assert found["noraeva_79"][3] == "no notebook"
    assert set(found) == {"bellann_77", "lijun_78", "anon_Qx7", "noraeva_79"}
    assert sender("lijun_LATE_78_10001_week1.ipynb").late
    assert not sender("bellann_77_9002_week1-1.ipynb").late


def test_blackboard_attempts_and_user_names_with_the_dividing_sign():
    names = [
        "Week_1_a_bell_attempt_2026-11-20-10-11-12_week.ipynb",
        "Week_1_a_bell_attempt_2026-11-21-10-11-12_week.ipynb",
        "Week_1_zli7_attempt_2026-11-20-10-11-12_week.ipynb",
        "Week_1_zli7_attempt_2026-11-20-10-11-12.txt",
    ]
    found = senders(names)
    assert [found[name].identifier for name in names] == ["a_bell", "a_bell", "zli7", "zli7"]
    assert found[names[0]].order < found[names[1]].order


def test_names_that_look_like_canvas_by_accident_stay_names():
    found = senders(["week_1_2_ann.ipynb", "week_1_2_bob.ipynb"])
    assert {one.name for one in found.values()} == {"week_1_2_ann", "week_1_2_bob"}
    assert {one.system for one in found.values()} == {""}


def test_a_folder_of_files_and_folders_with_awkward_names(tmp_path):
    folder = tmp_path / "handed in"
    (folder / "Ann B.").mkdir(parents=True)
    (folder / "Ann B." / "x.ipynb").write_text(notebook("a"))
    (folder / "Ann B..ipynb").write_text(notebook("b"))  # the same student, loose
    (folder / "ann b!.ipynb").write_text(notebook("a"))  # the same folder name on some disks
    (folder / "[a]*?.ipynb").write_text(notebook("a"))
    (folder / "notes.txt").write_text("mine")
    (folder / "linked.ipynb").symlink_to(folder / "Ann B..ipynb")
    (folder / "Deep").mkdir()
    zipped(folder / "Deep" / "work.zip", {"a/b/w.ipynb": notebook("a", "b")})
    (folder / "Bad").mkdir()
    (folder / "Bad" / "work.zip").write_bytes(b"PK\3\4 nothing")
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    found = collected(folder, tmp_path)
    assert found["Deep"][2:] == ("w.ipynb", "")
    assert found["Bad"][2] is None
    assert "must be a zip" in found["Bad"][3]
    assert set(found) == {"Ann_B", "ann_b-2", "a", "Deep", "Bad"}
    assert before == {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_zip_of_one_folder_is_the_class_and_not_a_student(tmp_path):
    archive = zipped(
        tmp_path / "c.zip",
        {"class 7/Ann.ipynb": notebook("a"), "class 7/Bob/x.ipynb": notebook("a")},
    )
    assert set(collected(archive, tmp_path)) == {"Ann", "Bob"}


def test_the_chapter_is_told_by_most_notebooks_or_not_at_all():
    assert most_common_chapter(["one", "two", "one", None, None, None]) == "one"
    assert most_common_chapter(["one", "two"]) is None
    assert most_common_chapter([None]) is None


def test_old_and_new_encodings_of_names(tmp_path):
    """cp437 is what a zip means that says nothing; many tools write UTF-8 and say nothing."""
    path = tmp_path / "old.zip"
    names = {"Zoë.ipynb": "cp437", "Åsa.ipynb": "utf-8", "王.ipynb": "utf-8"}
    stand_ins = {f"{number}" * len(name.encode(coding)): (name, coding)
                 for number, (name, coding) in enumerate(names.items())}  # fmt: skip
    zipped(path, dict.fromkeys(stand_ins, "{}"))
    raw = path.read_bytes()
    for stand_in, (name, coding) in stand_ins.items():
        raw = raw.replace(stand_in.encode(), name.encode(coding))
    path.write_bytes(raw)
    # The stand-ins have no ending, so all are taken.
    found = unpack(path, tmp_path / "out", ("",))
    assert sorted(found.written) == sorted(names)
    assert sorted(os.listdir(tmp_path / "out")) == sorted(names)


def test_nothing_lands_outside_and_no_link_comes_in(tmp_path):
    link = zipfile.ZipInfo("link.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../out.ipynb", "{}")
        archive.writestr("/abs.ipynb", "{}")
        archive.writestr("a/../../b.ipynb", "{}")
        archive.writestr("..\\c.ipynb", "{}")
        archive.writestr("C:\\d.ipynb", "{}")
        archive.writestr(link, "/etc/passwd")
        archive.writestr("good.ipynb", "{}")
        archive.writestr("GOOD.ipynb", "{}")  # would overwrite it on some disks
        archive.writestr("x" * 300 + ".ipynb", "{}")
    found = unpack(path, tmp_path / "inner" / "out", (".ipynb",))
    assert found.written == ("good.ipynb",)
    assert len(found.left_out) == 8
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(p.name for p in files) == ["evil.zip", "good.ipynb"]


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (ZipLimits(files=3), "at most 3 files"),
        (ZipLimits(file_bytes=2**20), "goes past 1 MB"),
        (ZipLimits(total_bytes=5 * 2**20), "goes past"),
    ],
)
def test_a_bomb_is_stopped_by_what_comes_out_of_it(tmp_path, limits, says):
    content = b"\0" * (2 * 2**20)
    path = zipped(tmp_path / "bomb.zip", {f"{i}.ipynb": content for i in range(5)})
    with pytest.raises(ValueError, match=says):
        unpack(path, tmp_path / "out", (".ipynb",), limits)
    written = sum(p.stat().st_size for p in (tmp_path / "out").rglob("*"))
    assert written <= min(limits.file_bytes * limits.files, limits.total_bytes)


def test_a_size_that_the_zip_denies_is_counted_all_the_same(tmp_path):
    path = zipped(tmp_path / "liar.zip", {"a.ipynb": b"\0" * (2 * 2**20)})
    size = (2 * 2**20).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (10).to_bytes(4, "little")))
    with pytest.raises(ValueError, match="zip"):
        unpack(path, tmp_path / "out", (".ipynb",), ZipLimits(file_bytes=2**20))


def test_a_broken_or_encrypted_zip_is_named(tmp_path):
    path = zipped(tmp_path / "cut.zip", {"a.ipynb": os.urandom(5000)})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"cut\.zip must be a zip"):
        unpack(path, tmp_path / "out", (".ipynb",))
    with pytest.raises(ValueError, match="folder or a zip"):
        collected(tmp_path / "nothing", tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[1, 2]", "not a notebook"),
        (b'{"cells": 3, "nbformat": 4, "nbformat_minor": 4, "metadata": {}}', "not a notebook"),
        (b'{"cells": [{"cell_type": "code"}], "nbformat": 4}', "not a notebook"),
        (b"[" * 100_000, "not a notebook"),
        (b" " * (LARGEST_BYTES + 1), "larger than 20 MB"),
    ],
)
def test_what_is_no_notebook_is_said_to_be_none(tmp_path, content, says):
    path = tmp_path / "n.ipynb"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says):
        read_notebook(path)


def test_a_notebook_of_an_old_version_and_one_with_a_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "n.ipynb"
    path.write_text(notebook("a"), encoding="utf-8-sig")
    assert len(read_notebook(path).cells) == 1
    cell = {"cell_type": "code", "input": "1", "language": "python", "outputs": [],
            "collapsed": False, "metadata": {}}  # fmt: skip
    old = {"worksheets": [{"cells": [cell]}], "metadata": {"name": ""}, "nbformat": 3,
           "nbformat_minor": 0}  # fmt: skip
    path.write_text(json.dumps(old))
    assert read_notebook(path).cells[0].source == "1"
