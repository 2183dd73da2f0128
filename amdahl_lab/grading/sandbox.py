"""Where a student's notebook runs: bubblewrap around one kernel, and a watch over what it uses.

Inside there is the system and the environment (read-only), a copy of the package without the
modules that an exercise asks students to write, the submitted files, and memory-backed scratch
folders of bounded size. There is no network but a loopback of its own, no home, no gradebook, no
solution, no other submission. A thread outside counts processes and memory and stops what is too
large; when the grader dies, the kernel dies with it.
"""

import importlib.util
import json
import os
import shutil
import site
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from amdahl_lab.grading.limits import Limits

INSTALL_BUBBLEWRAP = (
    "Marking stops here: notebooks run in bubblewrap, and it {problem}. Install it (Debian and "
    "Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap) and allow unprivileged user "
    "namespaces, or accept that student code runs unprotected on this machine with "
    "--GradeNotebook.without_sandbox=True (nbgrader) or --without-sandbox (this command)."
)

# Needed by the kernel wherever they are installed: the folders that hold them are mounted.
_NEEDED = ("ipykernel", "jupyter_client", "numpy", "torch")
_SYSTEM_FILES = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
)


class SandboxMissing(SystemExit):
    """Bubblewrap is missing or does not work here; the message says what to do."""


def check_bubblewrap() -> None:
    """Stop with one sentence unless bubblewrap works here.

    Raises
    ------
    SandboxMissing
        If `bwrap` is not installed or cannot make a user namespace.
    """
    if shutil.which("bwrap") is None:
        raise SandboxMissing(INSTALL_BUBBLEWRAP.format(problem="is not installed"))
    trial = subprocess.run(
        ["bwrap", *_isolation(), "--ro-bind", "/", "/", "--proc", "/proc", "/bin/true"],
        capture_output=True,
        text=True,
    )
    if trial.returncode != 0:
        reason = trial.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise SandboxMissing(INSTALL_BUBBLEWRAP.format(problem=f"cannot start ({reason[0]})"))


def _isolation() -> list[str]:
    return [
        *("--unshare-user", "--unshare-all", "--disable-userns", "--cap-drop", "ALL"),
        *("--die-with-parent", "--new-session", "--uid", "1000", "--gid", "1000"),
        *("--hostname", "localhost"),
    ]


def _visible_folders() -> list[Path]:
    """Folders that hold the interpreter and the installed packages."""
    folders = [Path(sys.base_prefix), Path(sys.prefix)]
    for name in _NEEDED:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            folders.append(Path(spec.origin).parents[1])
    user_site = site.getusersitepackages()
    if user_site in sys.path:
        folders.append(Path(user_site))
    kept: list[Path] = []
    for folder in sorted({folder.resolve() for folder in folders if folder.exists()}):
        if not any(folder.is_relative_to(other) for other in [*kept, Path("/usr")]):
            kept.append(folder)
    return kept


def _system_mounts() -> list[str]:
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        path = Path(name)
        if path.is_symlink():
            arguments += ["--symlink", os.readlink(name), name]
        elif path.is_dir():
            arguments += ["--ro-bind", name, name]
    for name in _SYSTEM_FILES:
        arguments += ["--ro-bind-try", name, name]
    return arguments


def _hidden_mounts(secrets: Iterable[Path], visible: Sequence[Path]) -> list[str]:
    """Cover every secret folder that lies inside a mounted one, then show what lies in it again."""
    arguments = []
    roots = [*visible, Path("/usr")]
    for secret in sorted({Path(secret).resolve() for secret in secrets}):
        if not any(secret.is_relative_to(root) for root in roots):
            continue
        if secret in visible:
            raise ValueError(
                f"secrets must not be the environment itself, got {secret}: "
                "move the course out of the folder of the Python environment"
            )
        arguments += ["--tmpfs", str(secret)]
        for folder in visible:
            if folder.is_relative_to(secret):
                arguments += ["--ro-bind", str(folder), str(folder)]
    return arguments


def environment(package: Path, home: Path) -> dict[str, str]:
    """Environment of a marked kernel: nothing of the grader's own environment passes."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
        "TMPDIR": str(home.parent),
        "IPYTHONDIR": str(home / "ipython"),
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "PYTHONPATH": str(package),
        "PYTHONDONTWRITEBYTECODE": "1",
        "GLOO_SOCKET_IFNAME": "lo",
        "NBGRADER_EXECUTION": "autograde",
    }


def bubblewrap_command(
    command: Sequence[str],
    *,
    package: Path,
    submission: Path,
    connection: Path,
    limits: Limits,
    secrets: Iterable[Path] = (),
    info_fd: int,
) -> list[str]:
    """Command line that runs `command` inside the sandbox.

    Parameters
    ----------
    command : sequence of str
        What to run inside.
    package : Path
        Folder that holds the copy of the package for students; read-only inside.
    submission : Path
        Folder with the submitted files; read-only inside, at /submission.
    connection : Path
        Folder of the kernel's sockets; the only one shared for writing.
    limits : Limits
        Sizes of the scratch folders.
    secrets : iterable of Path
        Folders to cover if they lie inside a mounted one: the course, the gradebook, submissions.
    info_fd : int
        File descriptor on which bubblewrap reports the process that it started.

    Returns
    -------
    list of str
        Arguments for `subprocess.Popen`.

    Raises
    ------
    ValueError
        If a secret folder is the Python environment itself.
    """
    visible = _visible_folders()
    disk = str(limits.disk_bytes)
    arguments = ["bwrap", *_isolation(), *_system_mounts()]
    for folder in visible:
        arguments += ["--ro-bind", str(folder), str(folder)]
    arguments += _hidden_mounts(secrets, visible)
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    arguments += ["--size", disk, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    arguments += ["--size", disk, "--tmpfs", "/tmp", "--dir", "/tmp/home", "--dir", "/tmp/work"]
    arguments += ["--ro-bind", str(submission), "/submission"]
    arguments += ["--ro-bind", str(package), str(package)]
    arguments += ["--ro-bind", str(package / "etc/hosts"), "/etc/hosts"]
    arguments += ["--ro-bind", str(package / "etc/passwd"), "/etc/passwd"]
    arguments += ["--bind", str(connection), str(connection)]
    arguments += ["--chdir", "/tmp/work", "--remount-ro", "/", "--clearenv"]
    for name, value in environment(package, Path("/tmp/home")).items():
        arguments += ["--setenv", name, value]
    return [*arguments, "--info-fd", str(info_fd), "--", *command]


@dataclass
class Watch:
    """Watches one sandbox from outside; stops it when it holds too much.

    Parameters
    ----------
    process : subprocess.Popen
        The process to stop: the sandbox, or the bare kernel.
    inside : int
        Process id of the sandbox's first process, as seen from outside.
    connection : Path
        The one folder on the disk that the sandbox can write to.
    limits : Limits
        What it may hold.
    """

    process: subprocess.Popen
    inside: int
    connection: Path
    limits: Limits
    verdict: str | None = None
    peak_memory_bytes: int = 0
    peak_processes: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._over.wait(self.limits.watch_seconds):
            if self.process.poll() is not None:
                return
            processes, memory = _usage(self.inside, page, self.limits.processes)
            self.peak_processes = max(self.peak_processes, processes)
            self.peak_memory_bytes = max(self.peak_memory_bytes, memory)
            self.verdict = self._judge(processes, memory)
            if self.verdict is not None:
                self.process.kill()
                return

    def _judge(self, processes: int, memory: int) -> str | None:
        if processes > self.limits.processes:
            return f"it started more than {self.limits.processes} processes"
        if memory > self.limits.memory_bytes:
            return f"it used more than {self.limits.memory_bytes / 2**30:.0f} GiB of memory"
        entries = list(os.scandir(self.connection))
        size = sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
        if len(entries) > 16 or size > 2**20:
            return "it wrote where only the kernel's connection belongs"
        return None

    def loopback(self) -> tuple[int, int] | None:
        """Bytes and packets received so far on the sandbox's loopback, counted by the system.

        Returns
        -------
        tuple of int, or None
            None where the sandbox has ended.
        """
        try:
            lines = Path(f"/proc/{self.inside}/net/dev").read_text().splitlines()
        except OSError:
            return None
        for line in lines:
            name, _, counters = line.partition(":")
            if name.strip() == "lo":
                received = counters.split()
                return int(received[0]), int(received[1])
        return None


def _usage(root: int, page: int, enough: int) -> tuple[int, int]:
    """Number of processes below `root` and their resident private memory in bytes.

    Counting stops soon after `enough` processes: a fork bomb must not slow the watch down.
    """
    waiting, processes, memory = [root], 0, 0
    while waiting and processes <= enough:
        pid = waiting.pop()
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
            for task in tasks:
                children = Path(f"/proc/{pid}/task/{task}/children").read_text()
                waiting += [int(child) for child in children.split()]
            fields = Path(f"/proc/{pid}/statm").read_text().split()
        except (OSError, ValueError):
            continue  # it ended between two looks
        processes += 1
        memory += (int(fields[1]) - int(fields[2])) * page
    return processes, memory


def start(
    command: Sequence[str],
    *,
    package: Path,
    submission: Path,
    connection: Path,
    limits: Limits,
    secrets: Iterable[Path] = (),
) -> tuple[subprocess.Popen, int]:
    """Start `command` inside bubblewrap.

    Parameters
    ----------
    command, package, submission, connection, limits, secrets
        As for `bubblewrap_command`.

    Returns
    -------
    process : subprocess.Popen
        Kill it and all that runs inside is gone.
    inside : int
        Process id, seen from outside, of the sandbox's first process.

    Raises
    ------
    SandboxMissing
        If the sandbox does not come up.
    """
    reading, writing = os.pipe()
    try:
        arguments = bubblewrap_command(
            command,
            package=package,
            submission=submission,
            connection=connection,
            limits=limits,
            secrets=secrets,
            info_fd=writing,
        )
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(writing,),
            start_new_session=True,
        )
        os.close(writing)
        writing = -1
        with os.fdopen(reading) as report:
            reading = -1
            text = report.read()
    finally:
        for descriptor in (reading, writing):
            if descriptor >= 0:
                os.close(descriptor)
    if not text:
        process.wait(timeout=10)
        reason = process.stderr.read().decode(errors="replace").strip()[-200:]
        raise SandboxMissing(INSTALL_BUBBLEWRAP.format(problem=f"cannot start ({reason})"))
    process.stderr.close()
    return process, int(json.loads(text)["child-pid"])


def start_unprotected(
    command: Sequence[str], *, package: Path, scratch: Path
) -> tuple[subprocess.Popen, int]:
    """Start `command` without a sandbox, in a scratch folder and a clean environment.

    Parameters
    ----------
    command : sequence of str
        What to run.
    package : Path
        Folder that holds the copy of the package for students.
    scratch : Path
        Folder for its home and its working folder, which the caller removes.

    Returns
    -------
    process : subprocess.Popen
    inside : int
        Its process id.
    """
    home, work = scratch / "home", scratch / "work"
    home.mkdir()
    work.mkdir()
    variables = environment(package, home)
    for name in ("SYSTEMROOT", "DYLD_LIBRARY_PATH", "LD_LIBRARY_PATH"):
        if name in os.environ:
            variables[name] = os.environ[name]
    process = subprocess.Popen(
        list(command),
        cwd=work,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return process, process.pid


def stop(process: subprocess.Popen, patience: float = 5.0) -> None:
    """Kill a sandbox and wait until it is gone.

    Parameters
    ----------
    process : subprocess.Popen
        What `start` returned.
    patience : float
        Seconds to wait for the end.
    """
    if process.poll() is None:
        process.kill()
    deadline = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
