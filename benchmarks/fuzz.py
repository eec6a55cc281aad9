"""Damaged files by the thousand, through the upload's check and the analysis: nothing may hang, crash or run wild.

    python -m benchmarks.fuzz [--files 2000] [--seed 0] [--first 0] [--without-faces] [--record]

Each file is one of the tests' clips with something done to it by a generator of random numbers that starts with
`--seed` and the file's number: bits turned over in headers and data, numbers made extreme, parts cut off, taken out,
repeated or swapped. A child process checks, plans and analyses one after the other; where it hangs or dies, another
goes on. A file may be refused in a sentence, or is analysed: a row for every frame that was planned, in the order of
time.

`--first N --files 1` does one file only. `--without-faces` decodes and looks for nothing. `--record` keeps the figure
for the README.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.clips import CLIP_BY_NAME
from tests.media.kinds import KINDS
from tests.media.make import make_clip

REPOSITORY = Path(__file__).resolve().parents[1]
RECORD = REPOSITORY / "docs" / "fuzz.json"
CLIPS = (
    *("b_frames.mp4", "variable_rate.mp4", "edit_list.mp4", "index_first.mp4", "sound_goes_on.mp4", "rotated_90.mp4"),
    *("open_gop.mkv", "open_gop.ts", "no_b_frames.flv", "open_gop_hevc.mov", "ten_bit_hevc.mp4", "vp9_odd_size.webm"),
    *("vp8_hidden_frames.webm", "mpeg4_b_frames.avi", "h264_b_frames.avi", "dropped_frames.avi", "mjpeg.avi"),
    *("mpeg2.mpg", "wmv.asf", "elementary.h264", "animation.gif", "interlaced.ts", "hdr_hlg.mov", "fragmented.mp4"),
    *("broadcast.mxf", "vp8.ogv", "av1.mp4", "feature_phone.3gp", "recorder.wtv", "disc.vob", "animation.apng"),
    *("animation.avif", "uncompressed.nut", "action_camera.mp4", "time_code.mov", "browser.webm", "screen.avi"),
)
HANG_S = 60.0  # for files that take less than a second undamaged
_MOST_BYTES = 3 << 30  # of memory of a child, of which the libraries and networks take about 1 GiB
_HEAD, _TAIL = 2048, 8192  # bytes where containers keep what they say of themselves
_EXTREMES = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_SAMPLE_HZ = 8.0


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes:
        number: of the file.
        what: analysed, refused; or at fault: traceback, hang, death, memory.
        clip: which it was made from, and how.
        why: code of the refusal, or the error.
        seconds: how long it took.
    """

    number: int
    what: str
    clip: str
    why: str = ""
    seconds: float = 0.0

    @property
    def is_fault(self) -> bool:
        """Whether this may not be."""
        return self.what not in ("analysed", "refused")


def mutated(number: int, seed: int, clips: dict[str, bytes]) -> tuple[str, bytes]:
    """What was done to which clip, and the damaged file."""
    rng = np.random.default_rng((seed, number))
    name = sorted(clips)[number % len(clips)]
    mutation = _MUTATIONS[int(rng.integers(len(_MUTATIONS)))]
    content = bytearray(clips[name])
    mutation(content, rng)
    return f"{name}, {mutation.__name__.strip('_').replace('_', ' ')}", bytes(content)


def _header_bits(content: bytearray, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(1, 20))):
        content[_in_header(content, rng)] ^= 1 << int(rng.integers(8))


def _data_bits(content: bytearray, rng: np.random.Generator) -> None:
    for at in rng.integers(len(content), size=int(rng.integers(1, 200))).tolist():
        content[at] ^= 1 << int(rng.integers(8))


def _extreme_number(content: bytearray, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(1, 4))):
        at, order = _in_header(content, rng), "big" if rng.integers(2) else "little"
        content[at : at + 4] = int(rng.choice(_EXTREMES)).to_bytes(4, order)  # type: ignore[arg-type]


def _truncated(content: bytearray, rng: np.random.Generator) -> None:
    del content[int(rng.integers(1, len(content))) :]


def _part_taken_out(content: bytearray, rng: np.random.Generator) -> None:
    begin, end = _span(content, rng)
    del content[begin:end]


def _part_repeated(content: bytearray, rng: np.random.Generator) -> None:
    begin, end = _span(content, rng)
    content[end:end] = content[begin:end]


def _part_of_noise(content: bytearray, rng: np.random.Generator) -> None:
    begin, end = _span(content, rng)
    content[begin:end] = rng.bytes(end - begin)


def _boxes_swapped(content: bytearray, rng: np.random.Generator) -> None:
    """Two neighbours in an ISO file, at any depth; elsewhere any two parts of one length."""
    pairs = list(_neighbours(bytes(content), 0, len(content)))
    if pairs:
        begin, middle, end = pairs[int(rng.integers(len(pairs)))]
        content[begin:end] = content[middle:end] + content[begin:middle]
        return
    size = int(rng.choice((4, 16, 188, 512)))
    first, second = (int(at) for at in rng.integers(max(len(content) - size, 1), size=2))
    content[first : first + size], content[second : second + size] = (
        content[second : second + size],
        content[first : first + size],
    )


def _neighbours(content: bytes, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Where two boxes that follow each other begin, meet and end."""
    starts, at = [], begin
    while at + 8 <= end:
        size, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if size < 8 or at + size > end or not kind.isalnum():
            break
        starts.append(at)
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta"):
            yield from _neighbours(content, at + 8, at + size)
        at += size
    starts.append(at)
    yield from zip(starts, starts[1:], starts[2:], strict=False)


_Mutation = Callable[[bytearray, np.random.Generator], None]
_MUTATIONS: tuple[_Mutation, ...] = (
    *(_header_bits, _data_bits, _extreme_number, _truncated),
    *(_part_taken_out, _part_repeated, _part_of_noise, _boxes_swapped),
)


def _in_header(content: bytearray, rng: np.random.Generator) -> int:
    places = min(_HEAD, len(content)), min(_TAIL, len(content))
    if rng.integers(2):
        return int(rng.integers(places[0]))
    return len(content) - 1 - int(rng.integers(places[1]))


def _span(content: bytearray, rng: np.random.Generator) -> tuple[int, int]:
    begin = int(rng.integers(len(content)))
    return begin, min(begin + int(rng.integers(1, 4000)), len(content))


def fuzz(numbers: range, seed: int, *, with_faces: bool, hang_s: float = HANG_S) -> Iterator[Outcome]:
    """Yield what becomes of each file, whatever it does to the process that reads it."""
    with tempfile.TemporaryDirectory() as folder:
        by_name = CLIP_BY_NAME | {kind.clip.name: kind.clip for kind in KINDS}
        for name in CLIPS:
            make_clip(by_name[name], Path(folder, name))
        first = numbers.start
        while first < numbers.stop:
            for outcome in _one_child(range(first, numbers.stop), seed, Path(folder), with_faces, hang_s):
                first = outcome.number + 1
                yield outcome


def _one_child(numbers: range, seed: int, folder: Path, with_faces: bool, hang_s: float) -> Iterator[Outcome]:
    """Until it is done, hangs or dies; then the last outcome says so."""
    command = [sys.executable, "-m", "benchmarks.fuzz", "--seed", str(seed), "--first", str(numbers.start)]
    command += ["--files", str(len(numbers)), "--clips", str(folder), *([] if with_faces else ["--without-faces"])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY, text=True) as child:
        assert child.stdout is not None and child.stderr is not None
        said: list[str] = []  # the libraries may say a lot
        threading.Thread(target=lambda: said.extend(child.stderr or ()), daemon=True).start()
        number, clip, watch = numbers.start, "", _Watch(child)
        for line in child.stdout:
            report: dict[str, Any] = json.loads(line)
            if "what" in report:
                watch.cancel()
                yield Outcome(**report)
                number += 1
            else:
                clip = report["clip"]
                watch.start(hang_s)
        watch.cancel()
        code = child.wait()
        if number < numbers.stop:
            yield Outcome(
                number, "hang" if watch.has_killed else "death", clip, f"{code}: {''.join(said)[-1500:]}", hang_s
            )


class _Watch:
    """Kills a child that takes too long."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child, self._timer = child, threading.Timer(0, lambda: None)
        self.has_killed = False

    def start(self, seconds: float) -> None:
        """Count from now."""
        self._timer = threading.Timer(seconds, self._kill)
        self._timer.start()

    def cancel(self) -> None:
        """It was in time."""
        self._timer.cancel()

    def _kill(self) -> None:
        self.has_killed = True
        self._child.kill()


def _be_the_child(options: argparse.Namespace) -> None:
    clips = {name: (options.clips / name).read_bytes() for name in CLIPS}
    examine = _analyser() if options.faces else _decoder()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the libraries print is no answer
    path = options.clips / f"mutated-{os.getpid()}"
    for number in range(options.first, options.first + options.files):
        clip, content = mutated(number, options.seed, clips)
        path.write_bytes(content)
        print(json.dumps({"clip": clip}), file=answers)
        began = time.monotonic()
        what, why = _examine(path, examine)
        print(json.dumps(asdict(Outcome(number, what, clip, why, time.monotonic() - began))), file=answers)


def _examine(path: Path, examine: Callable[[Path], None]) -> tuple[str, str]:
    from emotion_timeline.errors import VideoError

    try:
        examine(path)
    except VideoError as exc:
        return ("refused", exc.code) if exc.message.endswith(".") else ("traceback", f"no sentence: {exc.message}")
    except Exception:
        return "traceback", traceback.format_exc()
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return ("memory", f"{used / 1e9:.1f} GB") if used > _MOST_BYTES else ("analysed", "")


def _decoder() -> Callable[[Path], None]:
    from emotion_timeline.media.frames import read_frames
    from emotion_timeline.media.plan import plan
    from emotion_timeline.media.survey import glance

    def examine(path: Path) -> None:
        json.dumps(glance(path), allow_nan=False)
        for segment in plan(path, 1.0, _SAMPLE_HZ).segments:
            _check(segment.frames, [(f.index, f.timestamp_s) for f in read_frames(path, segment, threads=1)])

    return examine


def _analyser() -> Callable[[Path], None]:
    from emotion_timeline.config import load
    from emotion_timeline.media.plan import plan
    from emotion_timeline.media.survey import glance
    from emotion_timeline.pipeline import analyze, load_stages

    stages = load_stages(load().model_dir, threads=1)

    def examine(path: Path) -> None:
        json.dumps(glance(path), allow_nan=False)
        for segment in plan(path, 1.0, _SAMPLE_HZ).segments:
            rows = np.concatenate(list(analyze(path, segment, stages)))
            seen = dict(zip(rows["frame"].tolist(), rows["timestamp_s"].tolist(), strict=True))
            _check(segment.frames, list(seen.items()))

    return examine


def _check(planned: Any, found: list[tuple[int, float]]) -> None:
    times = [time_s for _, time_s in found]
    assert [frame for frame, _ in found] == planned.tolist(), "a row for each frame that was planned"
    assert np.isfinite(times).all() and (np.diff(times) > 0).all(), "times go on"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without-faces", dest="faces", action="store_false")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--clips", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.clips:
        return _be_the_child(options)
    outcomes = []
    for outcome in fuzz(range(options.first, options.first + options.files), options.seed, with_faces=options.faces):
        outcomes.append(outcome)
        if outcome.is_fault:
            print(f"{outcome.number}: {outcome.what}: {outcome.clip}: {outcome.why}", flush=True)
    counts = Counter(outcome.what for outcome in outcomes)
    print(dict(counts), f"the longest took {max(outcome.seconds for outcome in outcomes):.1f} s")
    print(dict(Counter(outcome.why for outcome in outcomes if outcome.what == "refused")))
    if options.record:
        faults = sum(outcome.is_fault for outcome in outcomes)
        kept = {name: counts[name] for name in ("analysed", "refused")} | {"faults": faults}
        RECORD.write_text(json.dumps({"files": len(outcomes), "seed": options.seed, **kept}, indent=2) + "\n")
    return None


if __name__ == "__main__":
    main()
