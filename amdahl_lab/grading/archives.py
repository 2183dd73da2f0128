"""Takes the files out of a zip that others made, and nothing else out of it."""

import stat
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MEGABYTE = 2**20
_CHUNK = 64 * 1024
_UTF8_FLAG, _ENCRYPTED_FLAG = 0x800, 0x1


@dataclass(frozen=True)
class Unpacked:
    """What came of a zip.

    Parameters
    ----------
    written : tuple of str
        Files that were written, relative to the folder.
    others : tuple of str
        Files with another ending, which were not.
    left_out : dict of str to str
        Files that would have been written, and why they were not.
    """

    written: tuple[str, ...]
    others: tuple[str, ...]
    left_out: dict[str, str]


@dataclass(frozen=True)
class ZipLimits:
    """What one zip may hold.

    Parameters
    ----------
    files : int
        Most entries.
    file_bytes : int
        Largest file, unpacked.
    total_bytes : int
        All files together, unpacked.
    """

    files: int = 20_000
    file_bytes: int = 50 * MEGABYTE
    total_bytes: int = 2_000 * MEGABYTE


def unpack(
    archive: Path,
    folder: Path,
    endings: tuple[str, ...],
    limits: ZipLimits | None = None,
) -> Unpacked:
    """Write the files of a zip with one of some endings into a new folder.

    Links, special files and entries that would land outside the folder are left out. Sizes are
    counted while unpacking: what a zip says of itself is not believed.

    Parameters
    ----------
    archive : Path
        The zip.
    folder : Path
        Where to, new or empty.
    endings : tuple of str
        In small letters, as ``(".ipynb",)``.
    limits : ZipLimits, optional
        What it may hold.

    Returns
    -------
    Unpacked

    Raises
    ------
    ValueError
        If it is no zip, or holds more than the limits allow.
    """
    limits = limits or ZipLimits()
    try:
        with zipfile.ZipFile(archive) as source:
            return _unpack(source, folder, endings, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{archive.name} must be a zip, got a broken one ({error})") from None
    except (NotImplementedError, RuntimeError, OSError) as error:
        raise ValueError(f"{archive.name} cannot be unpacked ({error})") from None


def _unpack(
    source: zipfile.ZipFile, folder: Path, endings: tuple[str, ...], limits: ZipLimits
) -> Unpacked:
    entries = [entry for entry in source.infolist() if not entry.is_dir()]
    if len(entries) > limits.files:
        raise ValueError(f"a zip must hold at most {limits.files} files, got {len(entries)}")
    written: list[str] = []
    others: list[str] = []
    left_out: dict[str, str] = {}
    taken: set[str] = set()
    room = limits.total_bytes
    for entry in entries:
        name = true_name(entry)
        if _is_litter(name):
            continue
        problem = _problem(entry, name, taken)
        if problem:
            left_out[name] = problem
        elif not name.lower().endswith(endings):
            others.append(name)
        else:
            taken.add(name.casefold())
            room -= _write(source, entry, folder / name, min(limits.file_bytes, room))
            written.append(name)
    return Unpacked(tuple(written), tuple(others), left_out)


def true_name(entry: zipfile.ZipInfo) -> str:
    """Name of an entry, also where the zip does not say how it is encoded.

    An old zip has names in code page 437, the standard; many tools write UTF-8 without saying so.
    Bytes that are valid UTF-8 and not plain ASCII are hardly ever anything else.
    """
    name = entry.filename
    if not entry.flag_bits & _UTF8_FLAG:
        try:
            name = name.encode("cp437").decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            name = entry.filename
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _is_litter(name: str) -> bool:
    """What macOS and Jupyter leave beside the files that matter."""
    parts = PurePosixPath(name).parts or ("",)
    return "__MACOSX" in parts or ".ipynb_checkpoints" in parts or parts[-1].startswith("._")


def _problem(entry: zipfile.ZipInfo, name: str, taken: set[str]) -> str | None:
    path = PurePosixPath(name)
    if not path.parts:
        return "it has no name"
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "it is a link or a special file"
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return "its path leads out of the zip"
    if any(len(part.encode()) > 255 for part in path.parts) or len(path.parts) > 16:
        return "its path is too long"
    if name.casefold() in taken:
        return "another entry has its name"
    if entry.flag_bits & _ENCRYPTED_FLAG:
        return "it is encrypted"
    return None


def _write(source: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, room: int) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with source.open(entry) as reading, path.open("xb") as writing:
        while chunk := reading.read(_CHUNK):
            size += len(chunk)
            if size > room:
                raise ValueError(
                    f"the zip must stay below its limits unpacked, got {entry.filename!r} that "
                    f"goes past {room // MEGABYTE} MB"
                )
            writing.write(chunk)
    return size
