"""Say what a file is, as JSON on standard output: `python -m emotion_timeline.media.probe PATH`.

A command of its own, so that the web process can ask in a child with limits on time and memory: a file made to break a
decoder then breaks only the child.
"""

import argparse
import json
import resource
import signal
from collections.abc import Sequence
from types import FrameType

from emotion_timeline.errors import VideoError
from emotion_timeline.media.plan import check_sample_hz
from emotion_timeline.media.survey import glance

REFUSED = 2  # exit code; also argparse's for bad usage
_MEMORY_BYTES = 4 << 30  # of address space, of which the libraries take 1 GiB; the first pictures of an 8K video fit
_CPU_S = 120  # a glance takes a second or two, however long the file is


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what a glance at the file tells as one line of JSON, or {"error": {"code", "message"}}.

    Returns:
        Exit code: 0, or 2 where the file or the sampling rate is refused.
    """
    options = _parser().parse_args(arguments)
    _limit(options.memory_bytes, options.cpu_s)
    try:
        if options.sample_hz is not None:
            check_sample_hz(options.sample_hz)
        answer, code = glance(options.path), 0
    except VideoError as exc:
        answer, code = {"error": {"code": exc.code, "message": exc.message}}, REFUSED
    except MemoryError:
        message = "The video needs more memory than is allowed to examine it. Convert it to a smaller picture size."
        answer, code = {"error": {"code": "too_large", "message": message}}, REFUSED
    print(json.dumps(answer, allow_nan=False))
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m emotion_timeline.media.probe", description="Say what a video file is, as JSON."
    )
    parser.add_argument("path", help="the video file")
    parser.add_argument("--sample-hz", type=float, help="check this sampling rate too, in samples a second")
    parser.add_argument("--memory-bytes", type=int, default=_MEMORY_BYTES, help="limit of address space (%(default)s)")
    parser.add_argument("--cpu-s", type=int, default=_CPU_S, help="limit of processor time in seconds (%(default)s)")
    return parser


def _limit(memory_bytes: int, cpu_s: int) -> None:
    """Limit this process; when its time is over it answers if it still can, and is killed a second later."""
    signal.signal(signal.SIGXCPU, _stop)
    for kind, soft, hard in (
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        allowed = resource.getrlimit(kind)[1]
        if allowed != resource.RLIM_INFINITY:
            soft, hard = min(soft, allowed), min(hard, allowed)
        resource.setrlimit(kind, (soft, hard))


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise VideoError(
        "too_slow",
        "The video takes too long to examine: it may be damaged, or have very large pictures. Convert it.",
    )


if __name__ == "__main__":
    raise SystemExit(main())
