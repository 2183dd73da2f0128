"""What to do where bubblewrap can't start, told from the system's own files."""

import subprocess

import pytest

from amdahl_lab.grading import sandbox, user_namespaces


@pytest.fixture(scope="session", autouse=True)
def _bubblewrap():
    """Nothing here runs a notebook."""


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"}, "AppArmor"),
        ({"proc/sys/user/max_user_namespaces": "0\n"}, "sysctl user.max_user_namespaces"),
        ({"proc/sys/kernel/unprivileged_userns_clone": "0\n"}, "unprivileged_userns_clone=1"),
        ({".dockerenv": ""}, "grader.Containerfile"),
        ({"run/.containerenv": ""}, "grader.Containerfile"),
        ({"proc/sys/kernel/apparmor_restrict_unprivileged_userns": "0\n"}, ""),
        ({}, ""),
    ],
)
def test_each_obstacle_has_its_remedy(tmp_path, files, says):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert (
        (says in user_namespaces.advice(tmp_path)) if says else not user_namespaces.advice(tmp_path)
    )


def test_marking_stops_with_the_reason_and_the_remedy(monkeypatch):
    refused = subprocess.CompletedProcess(
        [], 1, "", "bwrap: setting up uid map: Permission denied\n"
    )
    monkeypatch.setattr(sandbox.shutil, "which", lambda _: "/usr/bin/bwrap")
    monkeypatch.setattr(sandbox.subprocess, "run", lambda *_, **__: refused)
    monkeypatch.setattr(sandbox.user_namespaces, "advice", lambda: "open the door")
    with pytest.raises(sandbox.SandboxMissing, match="uid map: Permission denied; open the door"):
        sandbox.check_bubblewrap()


def test_the_container_has_what_marking_needs_and_lets_it_in(course):
    text = (course / ".ci" / "grader.Containerfile").read_text()
    assert "bubblewrap" in text
    for option in ("seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"):
        assert f"--security-opt {option}" in text
    assert "\nUSER teacher" in text
    assert any(line.startswith("torch==") for line in (course / "constraints.txt").open())
    for path in ("constraints.txt", "pyproject.toml", "amdahl_lab", "solutions"):
        assert (course / path).exists()
