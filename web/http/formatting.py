"""Quantities as people read them, for templates."""

from datetime import datetime

from flask import Flask

from emotion_timeline.clip import Clip
from web.http.schemas import ClipRange


def register(app: Flask) -> None:
    """Make these functions filters of the application's templates."""
    for convert in (clock, exact, extent, time_left, size, count, ordinal, utc, instant, rate, sampling, stretch):
        app.add_template_filter(convert)


def clock(seconds: float) -> str:
    """A length of video: 0:07, 12:30, 1:02:03."""
    whole = round(seconds)
    minutes, hours = whole // 60 % 60, whole // 3600
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def exact(seconds: float) -> str:
    """A moment of a recording to the millisecond, without needless digits: 0:07, 12:30.5, 1:02:03.25."""
    minutes, rest = divmod(round(seconds * 1000), 60_000)
    second = f"{rest // 1000:02d}.{rest % 1000:03d}".rstrip("0").rstrip(".") if rest % 1000 else f"{rest // 1000:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{second}" if minutes >= 60 else f"{minutes}:{second}"


def extent(duration_s: float, clip: ClipRange | None) -> str:
    """The length of a recording, and which part of it is analysed: 3:00:00, or 0:10-2:10 of 3:00:00, with a dash."""
    if clip is None:
        return clock(duration_s)
    start_s, end_s = Clip(clip.start_s, clip.end_s).within(duration_s)
    end = clock(end_s) if clip.end_s is None else exact(end_s)
    return f"{exact(start_s)}\u2013{end} of {clock(duration_s)}"


def time_left(seconds: float) -> str:
    """A forecast, no more exact than it can be: 40 s, 3 min, 2 h 10 min."""
    if seconds < 50:
        return f"{max(1, round(seconds / 5) * 5) if seconds >= 10 else max(1, round(seconds))} s"
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(size_bytes: int) -> str:
    """Bytes in decimal units: 640 B, 3.1 MB, 1.2 GB."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit in ("B", "kB") or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def count(number: int) -> str:
    """With thousands apart: 12,345."""
    return f"{number:,}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else endings.get(number % 10, 'th')}"


def rate(per_second: float) -> str:
    """Frames per second without needless digits: 30, 29.97, 0.5."""
    return f"{per_second:.2f}".rstrip("0").rstrip(".")


def sampling(sample_hz: float | None) -> str:
    """Which frames are analysed: every frame, 5 per second."""
    return "every frame" if sample_hz is None else f"{rate(sample_hz)} per second"


def stretch(clip: ClipRange | None) -> str:
    """The part of a recording that is analysed: from 1:00, up to 1:30.5, 1:00 to 1:30.5; nothing for all of it."""
    if clip is None:
        return ""
    start_s, end_s = clip.start_s, clip.end_s
    if end_s is None:
        return f"from {exact(start_s or 0)}"
    return f"{exact(start_s)} to {exact(end_s)}" if start_s else f"up to {exact(end_s)}"


def utc(moment: datetime) -> str:
    """A time for readers without JavaScript: 2026-11-22 19:42 UTC."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def instant(moment: datetime) -> str:
    """The same for programs (RFC 3339)."""
    return moment.isoformat().replace("+00:00", "Z")
