"""The networks that a worker can use: those in its models folder whose files are whole."""

import logging
from functools import lru_cache
from pathlib import Path

from emotion_timeline.config import served_network
from emotion_timeline.errors import ModelError
from emotion_timeline.faces.classification import ARCHITECTURE, METADATA, WEIGHTS, read_network

_log = logging.getLogger(__name__)


def usable(models_dir: Path) -> dict[str, tuple[str, ...]]:
    """The versions that the networks in a folder's folders give, by their names. Cheap: files are read again when they
    change."""
    found = {}
    for metadata in sorted(models_dir.glob(f"*/{METADATA}")):
        folder = metadata.parent
        versions = _versions(folder, tuple(_stamp(folder / name) for name in (METADATA, WEIGHTS, ARCHITECTURE)))
        if versions:
            found[folder.name] = versions
    return found


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=64)
def _versions(folder: Path, stamps: tuple[tuple[int, int] | None, ...]) -> tuple[str, ...]:
    """The versions; none, and a warning once, when the files are not those of a network."""
    try:
        read_network(folder)
        return served_network(folder).versions
    except ModelError as exc:
        _log.warning("This worker leaves what needs the network in %s to others. %s", folder, exc)
        return ()
