"""The folder of recordings: room on its disk, files that appear there whole or not at all, and a second name for one.

Every video has a file of its own name, so that each can be deleted without a thought for others. Analyses of one
recording share its bytes by hard links, where the file system has them.
"""

import errno
import os
import shutil
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from emotion_timeline.config import Settings
from web.http.problems import Problem


def part_path(settings: Settings, video_id: str) -> Path:
    """Where a video's recording lies while it is not yet whole or has no row: see remove_abandoned."""
    return settings.recordings_dir / f"{video_id}.part"


def place(part: Path, path: Path) -> None:
    """Give a whole part its final name, for good."""
    os.replace(part, path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def second_name(settings: Settings, sources: Iterable[Path], part: Path) -> Iterator[None]:
    """For the length of the block, a part with the bytes of a recording; place() it to keep it.

    Args:
        settings: of the space to leave free, should the bytes have to be copied.
        sources: files with the same bytes; the first that is there is taken.
        part: from part_path().

    Raises:
        Problem: 410 when none of the sources is there, 507 when a copy finds no room.
    """
    try:
        for source in sources:
            with suppress(FileNotFoundError):
                _link_or_copy(settings, source, part)
                break
        else:
            sentence = "The recording of this video is not on the server any more. Upload it to have it analysed again."
            raise Problem(410, "recording_gone", sentence)
        yield
    finally:
        part.unlink(missing_ok=True)


def _link_or_copy(settings: Settings, source: Path, part: Path) -> None:
    try:
        os.link(source, part)
        os.utime(part)  # or remove_abandoned would take it for as old as its bytes
    except FileNotFoundError:
        raise
    except OSError:  # a file system without hard links, or a file with as many as it may have
        check_space(settings, source.stat().st_size)
        with full_disk_as_problem(), source.open("rb") as original, part.open("xb") as copy:
            shutil.copyfileobj(original, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())


def check_space(settings: Settings, more_bytes: int) -> None:
    """Make sure that so many bytes fit on the disk.

    Raises:
        Problem: 507.
    """
    if shutil.disk_usage(settings.recordings_dir).free - more_bytes < settings.min_free_bytes:
        raise _no_space()


@contextmanager
def full_disk_as_problem() -> Iterator[None]:
    """Raises Problem 507 when a write in the block finds no room."""
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise _no_space() from exc
        raise


def _no_space() -> Problem:
    sentence = "There is not enough free disk space on the server for this recording. Delete videos that are done with."
    return Problem(507, "no_space", sentence)


def remove_abandoned(recordings_dir: Path, before: float, needed: Container[str]) -> None:
    """Remove parts that were left behind when their web process ended.

    Args:
        recordings_dir: the folder.
        before: POSIX time; parts written to since then may still be growing in another process.
        needed: names of parts to keep, however old.
    """
    for path in recordings_dir.glob("*.part"):
        with suppress(FileNotFoundError):
            if path.name not in needed and path.stat().st_mtime < before:
                path.unlink()
