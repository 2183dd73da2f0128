"""Why bubblewrap can't start here, as far as the system says it, and what to do about it."""

from pathlib import Path

_CONTAINER = (
    "this is a container, and its engine keeps sandboxes from being made inside: start it as "
    "the first lines of .ci/grader.Containerfile say"
)
_APPARMOR = (
    "AppArmor closes user namespaces, as Ubuntu does since 23.10: give bwrap a profile that "
    "allows them, or run sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
)
_CLOSED = "user namespaces are closed: run sudo sysctl {setting}"


def advice(root: Path = Path("/")) -> str:
    """One sentence on what keeps user namespaces closed here, or an empty text.

    Parameters
    ----------
    root : Path
        Where the system's files are looked for.

    Returns
    -------
    str
    """
    kernel = root / "proc/sys/kernel"
    if _read(root / "proc/sys/user/max_user_namespaces") == "0":
        return _CLOSED.format(setting="user.max_user_namespaces=15000")
    if _read(kernel / "unprivileged_userns_clone") == "0":  # Debian's own switch
        return _CLOSED.format(setting="kernel.unprivileged_userns_clone=1")
    if any((root / name).exists() for name in (".dockerenv", "run/.containerenv")):
        return _CONTAINER
    if _read(kernel / "apparmor_restrict_unprivileged_userns") == "1":
        return _APPARMOR
    return ""


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
