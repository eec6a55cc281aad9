"""Whose files these are: recordings of faces, and secrets of webhooks, that only the service's own user may read.

Every entry point that writes into the data folder calls keep_private() first: whatever is made after it, by our code,
by SQLite, by ffmpeg or by the queue, in this process and in its children, has the mode 0600, and folders 0700.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

_FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OURS = {"recordings", "derived", "queue", "timeline.db", "timeline.db-wal", "timeline.db-shm"}


def keep_private() -> None:
    """Let only this process's user read what it makes from now on."""
    os.umask(_FOR_OTHERS)


def make_private(data_dir: Path) -> None:
    """Take from others what an earlier version, or another umask, left open to them.

    A folder that holds other things as well, such as a home, stays as it is; only what is ours in it is closed.
    """
    present = {path.name for path in data_dir.iterdir()} if data_dir.is_dir() else set()
    if present and present <= _OURS:
        _close(data_dir)
    for name in present & _OURS:
        _close(data_dir / name)
        for folder, folders, files in os.walk(data_dir / name):
            for entry in (*folders, *files):
                _close(Path(folder, entry))


def _close(path: Path) -> None:
    with suppress(FileNotFoundError, PermissionError):  # removed meanwhile; or another user's, who must close it
        mode = path.lstat().st_mode
        if mode & _FOR_OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~_FOR_OTHERS)
