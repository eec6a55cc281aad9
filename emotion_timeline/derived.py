"""The folder of files made from recordings, one folder for each video: files appear there whole or not at all.

They are made in a folder of the worker's own and moved while its claim is known to hold, so that nothing appears in a
deleted video's folder, and nothing of two workers is mixed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from shutil import rmtree

_PART = ".part"


@contextmanager
def workshop(derived_dir: Path, video_id: str, work: str) -> Iterator[Path]:
    """An empty folder to make files in, for the length of the block.

    Args:
        derived_dir: the folder of all videos.
        video_id: whose files.
        work: what is made; what an earlier worker left of the same, because it was killed, is removed.
    """
    for left in derived_dir.glob(f"{video_id}.{work}-*{_PART}"):
        rmtree(left, ignore_errors=True)
    folder = derived_dir / f"{video_id}.{work}-{token_hex(8)}{_PART}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


def sync(folder: Path) -> None:
    """Bring a folder's files to the disk, which can take a while."""
    for path in _files(folder):
        with path.open("rb") as file:
            os.fsync(file.fileno())


def place(folder: Path, target: Path) -> None:
    """Move a folder's files to the same places in another, over those that are there."""
    for path in _files(folder):
        final = target / path.relative_to(folder)
        final.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, final)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def remove(derived_dir: Path, video_id: str) -> None:
    """Remove all that was made for a video; after its row, or a worker could put something there again.

    Raises:
        OSError: something can't be removed.
    """
    with suppress(FileNotFoundError):
        rmtree(derived_dir / video_id)


def remove_abandoned(derived_dir: Path, before: float) -> None:
    """Remove what killed workers left behind.

    Args:
        derived_dir: the folder of all videos.
        before: POSIX time; folders written to since then may still be in use.
    """
    for folder in derived_dir.glob(f"*{_PART}"):
        with suppress(FileNotFoundError):
            if max(path.stat().st_mtime for path in (folder, *_files(folder))) < before:
                rmtree(folder)
