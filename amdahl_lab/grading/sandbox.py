"""Where a student's notebook runs: bubblewrap around one kernel.

Inside there is the system and the environment (read-only), a copy of the package without the
modules that an exercise asks students to write, the submitted files, and memory-backed scratch
folders of bounded size. There is no network but a loopback of its own, no home, no gradebook, no
solution, no other submission, and no folder of the grader's that can be written to. System calls
that would go around the limits are refused, see `seccomp`. When the grader dies, the kernel dies
with it. What it uses is watched from outside, by `watch`.
"""

import contextlib
import importlib.util
import json
import os
import shutil
import site
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from amdahl_lab.grading import seccomp, user_namespaces
from amdahl_lab.grading.limits import Limits

INSTALL_BUBBLEWRAP = (
    "Marking stops here: notebooks run in bubblewrap, and it {problem}. Install it (Debian and "
    "Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap) and allow unprivileged user "
    "namespaces; on macOS and Windows use the container of .ci/grader.Containerfile. The page "
    "book/teachers_guide.md has the steps. Or accept that student code runs unprotected on this "
    "machine with --GradeNotebook.without_sandbox=True (nbgrader) or --without-sandbox (this "
    "command)."
)

# Folder inside for the kernel's sockets, in memory like all that can be written to.
SOCKETS = Path("/tmp/c")
CONNECTION_FILE = SOCKETS / "kernel.json"

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
        reason = (trial.stderr.strip().splitlines() or ["no reason given"])[-1]
        reason = "; ".join(filter(None, [reason, user_namespaces.advice()]))
        raise SandboxMissing(INSTALL_BUBBLEWRAP.format(problem=f"cannot start ({reason})"))


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
    limits: Limits,
    secrets: Iterable[Path] = (),
    connection_fd: int,
    filter_fd: int,
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
    limits : Limits
        Sizes of the scratch folders.
    secrets : iterable of Path
        Folders to cover if they lie inside a mounted one: the course, the gradebook, submissions.
    connection_fd, filter_fd : int
        File descriptors from which bubblewrap reads the kernel's connection file and the filter
        of system calls.
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
    arguments = [shutil.which("bwrap") or "bwrap", *_isolation(), *_system_mounts()]
    # First, so that an environment that itself lies under /tmp is mounted into it.
    arguments += ["--size", disk, "--tmpfs", "/tmp", "--dir", "/tmp/home", "--dir", "/tmp/work"]
    for folder in visible:
        arguments += ["--ro-bind", str(folder), str(folder)]
    arguments += _hidden_mounts(secrets, visible)
    # A shared mapping of /dev/zero would be memory that no process is seen to hold.
    arguments += ["--proc", "/proc", "--dev", "/dev", "--dev-bind", "/dev/null", "/dev/zero"]
    arguments += ["--size", disk, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    arguments += ["--ro-bind", str(submission), "/submission"]
    arguments += ["--ro-bind", str(package), str(package)]
    arguments += ["--ro-bind", str(package / "etc/hosts"), "/etc/hosts"]
    arguments += ["--ro-bind", str(package / "etc/passwd"), "/etc/passwd"]
    arguments += ["--perms", "0700", "--dir", str(SOCKETS)]
    arguments += ["--file", str(connection_fd), str(CONNECTION_FILE)]
    arguments += ["--seccomp", str(filter_fd)] if filter_fd >= 0 else []
    arguments += ["--chdir", "/tmp/work", "--remount-ro", "/", "--clearenv"]
    for name, value in environment(package, Path("/tmp/home")).items():
        arguments += ["--setenv", name, value]
    return [*arguments, "--info-fd", str(info_fd), "--", *command]


def start(
    command: Sequence[str],
    *,
    package: Path,
    submission: Path,
    connection: str,
    limits: Limits,
    secrets: Iterable[Path] = (),
) -> tuple[subprocess.Popen, int]:
    """Start `command` inside bubblewrap.

    Parameters
    ----------
    command, package, submission, limits, secrets
        As for `bubblewrap_command`.
    connection : str
        Text of the kernel's connection file.

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
    with contextlib.ExitStack() as stack:
        connection_fd = _readable(connection.encode(), stack)
        program = seccomp.program()
        filter_fd = _readable(program, stack) if program else -1
        reading, writing = os.pipe()
        report = stack.enter_context(os.fdopen(reading))
        with os.fdopen(writing, "w"):
            arguments = bubblewrap_command(
                command,
                package=package,
                submission=submission,
                limits=limits,
                secrets=secrets,
                connection_fd=connection_fd,
                filter_fd=filter_fd,
                info_fd=writing,
            )
            process = subprocess.Popen(
                arguments,
                # Inside, the environment of bubblewrap can be read: it must not be the grader's.
                env={"PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[fd for fd in (connection_fd, filter_fd, writing) if fd >= 0],
                start_new_session=True,
            )
        text = report.read()
    if not text:
        process.wait(timeout=10)
        reason = process.stderr.read().decode(errors="replace").strip()[-200:]
        raise SandboxMissing(INSTALL_BUBBLEWRAP.format(problem=f"cannot start ({reason})"))
    process.stderr.close()
    return process, int(json.loads(text)["child-pid"])


def _readable(content: bytes, stack: contextlib.ExitStack) -> int:
    """File descriptor from which a few thousand bytes can be read, closed with the stack."""
    reading, writing = os.pipe()
    stack.callback(os.close, reading)
    with os.fdopen(writing, "wb") as file:
        file.write(content)
    return reading


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
