"""The doctor: each thing that can be missing is named, with what to do, and only once."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from amdahl_lab import doctor
from amdahl_lab.__main__ import main
from amdahl_lab.machine import CpuUse
from amdahl_lab.parallel import equality

LABS = {"cores", "threads", "memory", "load", "versions", "files", "ranks", "shared"}
OTHERS = {"sandbox", "browser", "network"}


@pytest.fixture(autouse=True)
def well(monkeypatch):
    """A computer on which all is well, whatever this one is like."""
    here = replace(doctor.this_machine(), cores_usable=4.0, cores_present=4)
    here = replace(here, versions={"python": "3.12.1", "torch": "2.13.0"}, memory_bytes=16 * 10**9)
    monkeypatch.setattr(doctor, "this_machine", lambda: here)
    monkeypatch.setattr(doctor, "usable_cores", lambda: 4.0)
    monkeypatch.setattr(doctor, "load_average", lambda: 0.1)
    monkeypatch.setattr(doctor, "cpu_use", lambda: CpuUse(0.0, 0.0, 0.0))
    monkeypatch.setattr(doctor, "free_memory", lambda: 9 * 10**9)
    monkeypatch.setattr(doctor, "GLANCE", 0.0)
    monkeypatch.setattr(equality, "sum_of_ranks", lambda workers: [1.0, 1.0])
    monkeypatch.setattr(doctor.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(doctor.subprocess, "run", answers(0))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return monkeypatch


def answers(code: int, stderr: str = ""):
    return lambda command, **_: subprocess.CompletedProcess(command, code, "", stderr)


def raises(error: Exception):
    def call(*_, **__):
        raise error

    return call


def found() -> dict[str, doctor.Finding]:
    return {finding.subject: finding for finding in doctor.examine()}


def test_where_all_is_well_all_is_said_and_the_exit_status_is_0(capsys):
    findings = found()
    assert set(findings) == LABS | OTHERS
    assert all(finding.well for finding in findings.values())
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(findings)
    assert all(line.startswith("ok  ") for line in lines)
    assert "4 of 4 usable" in lines[0]


def one_core(patch):
    here = replace(doctor.this_machine(), cores_usable=1.5)
    patch.setattr(doctor, "this_machine", lambda: here)


def without_torch(patch):
    here = replace(doctor.this_machine(), versions={"python": "3.12.1"})
    patch.setattr(doctor, "this_machine", lambda: here)


def busy_neighbour(patch):
    glances = iter([CpuUse(0.0, 0.0, 0.0), CpuUse(1.0, 3.5, 1.0)] * 9)
    patch.setattr(doctor, "cpu_use", lambda: next(glances))


def missing(*tools):
    def without(patch):
        patch.setattr(doctor.shutil, "which", lambda name: None if name in tools else name)

    return without


def broken(tool, error):
    def run(command, **_):
        failed = tool in command[0]
        return subprocess.CompletedProcess(command, int(failed), "", error if failed else "")

    return lambda patch: patch.setattr(doctor.subprocess, "run", run)


def full(*_, **__):
    return shutil._ntuple_diskusage(2**26, 2**26 - 2**20, 2**20)


TROUBLE = [
    ("cores", one_core, "1.5 of 4 usable", "widen the affinity mask or the container's quota"),
    ("threads", lambda p: p.setenv("OMP_NUM_THREADS", "64"), "OMP_NUM_THREADS=64", "set it to 4"),
    ("memory", lambda p: p.setattr(doctor, "free_memory", lambda: 10**9), "1.0 GB", "close other"),
    ("load", lambda p: p.setattr(doctor, "load_average", lambda: 5.0), "5.00", "close them"),
    ("load", busy_neighbour, "keep 2.5 of 4 usable cores busy", "close them"),
    ("versions", without_torch, "no torch", "How to use this book"),
    ("versions", lambda p: p.setattr(sys, "version_info", (3, 10, 1)), "3.11 to 3.13", "make a"),
    (
        "files",
        lambda p: p.setattr(doctor.tempfile, "TemporaryDirectory", raises(OSError(28, "No space"))),
        "No space",
        "make room in the temporary folder, or set TMPDIR",
    ),
    (
        "ranks",
        lambda p: p.setattr(equality, "sum_of_ranks", raises(RuntimeError("no\nroute to host"))),
        "RuntimeError: route to host",
        "firewall",
    ),
    (
        "ranks",
        lambda p: p.setattr(equality, "sum_of_ranks", lambda workers: [1.0, 0.0]),
        "got [1.0, 0.0]",
        "install torch anew",
    ),
    (
        "shared",
        lambda p: p.setattr(
            "multiprocessing.shared_memory.SharedMemory", raises(OSError(13, "no"))
        ),
        "no shared memory",
        "mount /dev/shm",
    ),
    ("shared", lambda p: p.setattr(doctor.shutil, "disk_usage", full), "only 1 MiB", "--shm-size"),
    ("sandbox", missing("bwrap"), "no bubblewrap", "install the package 'bubblewrap'"),
    ("sandbox", broken("bwrap", "a\nOperation not permitted"), "not permitted", "namespaces"),
    ("browser", missing(*doctor.BROWSERS), "no Chromium", "install the package 'chromium'"),
    ("browser", broken("chrom", "libnss3.so: cannot open"), "libnss3.so", "install it anew"),
    ("network", missing("tc"), "no tc", "install the package 'iproute2'"),
    ("network", broken("unshare", "unshare failed"), "unshare failed", "run the tests as root"),
]


@pytest.mark.parametrize(("subject", "spoil", "told", "advice"), TROUBLE)
def test_each_thing_that_is_missing_is_named_with_what_to_do(
    well, capsys, subject, spoil, told, advice
):
    if told == "only 1 MiB" and not doctor.SHARED.is_dir():
        pytest.skip("no /dev/shm on this system")
    spoil(well)
    finding = found()[subject]
    assert not finding.well
    assert told in finding.told
    assert advice in finding.told
    spoil(well)  # a fresh start, for what is used up
    assert main(["doctor"]) == (1 if subject in LABS else 0)
    lines = capsys.readouterr().out.splitlines()
    troubled = [line for line in lines if not line.startswith("ok")]
    assert len(troubled) == (2 if subject == "files" else 1)  # a browser needs files, too
    assert troubled[0].startswith(f"{'LOOK' if subject in LABS else 'note'}  {subject}")
    assert ("need it)" in troubled[0]) == (subject in OTHERS)


def test_a_program_that_hangs_is_not_waited_for(well):
    well.setattr(doctor.subprocess, "run", raises(subprocess.TimeoutExpired("chromium", 30)))
    assert "does not start" in found()["browser"].told


def test_this_very_computer_can_be_examined(monkeypatch):
    monkeypatch.undo()
    environment = dict(os.environ)
    findings = {finding.subject: finding for finding in doctor.examine()}
    assert findings["ranks"].well, findings["ranks"].told
    assert findings["files"].well, findings["files"].told
    assert dict(os.environ) == environment
