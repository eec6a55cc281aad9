"""How fast a recording becomes committed rows, what each stage costs by itself, and how near the two come.

    python -m benchmarks.throughput [--model models/paper] [--source CLIP] [--seconds 20] [--json]

Each stage runs alone on the same frames; its cost is processor time, all threads together. The best that n cores could
do is n divided by the sum of the stages' costs; the ratio of the measured end-to-end speed to that says what waiting,
hand-over and contention take. Other work on the machine lowers the speed by the clock, so the end-to-end cost in
processor time is given as well: above the stages' sum it is overhead of the pipeline itself.

End to end is plan, decode, detect, crop, classify, link and one transaction for each segment, networks already loaded,
into SQLite in a temporary folder. Every figure is the best of --repeats runs.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from sqlalchemy import select

from emotion_timeline import results
from emotion_timeline.db import timelines, videos, work
from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Segment, Step
from emotion_timeline.faces.preprocessing import crop_faces
from emotion_timeline.media.frames import Frame, read_frames
from emotion_timeline.media.plan import VideoPlan, plan
from emotion_timeline.observations import Observations, Status
from emotion_timeline.pipeline import BATCH_SIZE, Stages, analyze, load_stages
from emotion_timeline.plan_rows import row_to_segment, segment_to_row

ROOT = Path(__file__).parents[1]
SOURCES = (ROOT.parent / "shared/data/videos/single_face.mp4", ROOT / "tests/media/astronaut.mp4")
SIZES = ((640, 360), (1280, 720))
LOOP_FRAMES = 100  # of the source; one face is in view all the while
STAGE_FRAMES = 100  # held in memory at once
LEASE_S = 3600.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What one frame takes: processor time of all threads, and time by the clock."""

    cpu_ms: float
    wall_ms: float


def main() -> None:
    arguments = _parse()
    stages = load_stages(arguments.model, threads=arguments.threads)
    results = []
    with tempfile.TemporaryDirectory(prefix="throughput-") as folder:
        for width, height in SIZES:
            clip = Path(folder) / f"{width}x{height}.mp4"
            make_clip(arguments.source, clip, width, height, arguments.seconds)
            results.append(measure(clip, stages, Path(folder), arguments.repeats))
    if arguments.json:
        print(json.dumps({"machine": _machine(), "source": arguments.source.name, "clips": results}, indent=2))
    else:
        print(_machine())
        for result in results:
            _show(result)


def measure(clip: Path, stages: Stages, folder: Path, repeats: int) -> dict[str, Any]:
    """All figures for one clip."""
    planned = plan(clip)
    frames_total = planned.info.frame_count
    costs = measure_stages(clip, planned, stages, folder, repeats)
    database = Database(f"sqlite:///{folder}/{clip.stem}.db")
    migrate(database)
    end_to_end = _cost(lambda: record(clip, stages, database), frames_total, repeats)
    database.close()
    cores = len(os.sched_getaffinity(0))
    stages_cpu_ms = sum(cost.cpu_ms for cost in costs.values())
    best = cores * 1000 / stages_cpu_ms
    reached = 1000 / end_to_end.wall_ms
    return {
        "clip": clip.stem,
        "frames": frames_total,
        "stages": {name: asdict(cost) for name, cost in costs.items()},
        "stages_cpu_ms": stages_cpu_ms,
        "cores": cores,
        "best_possible_fps": best,
        "end_to_end": asdict(end_to_end),
        "end_to_end_fps": reached,
        "ratio": reached / best,
    }


def measure_stages(clip: Path, planned: VideoPlan, stages: Stages, folder: Path, repeats: int) -> dict[str, Cost]:
    """Every stage alone, on the same frames."""
    segment = planned.segments[0]
    frames = list(islice(read_frames(clip, segment), STAGE_FRAMES))
    faces = [stages.detector.detect(_small(frame)) for frame in frames]
    crops = [
        crop_faces(_luma(frame), found.landmarks * np.float32(frame.scale), stages.preprocessing)
        for frame, found in zip(frames, faces, strict=True)
    ]
    batches = np.array_split(np.concatenate(crops), range(BATCH_SIZE, sum(map(len, crops)), BATCH_SIZE))
    rows = list(analyze(clip, segment, stages))

    def decode() -> None:
        for _ in read_frames(clip, segment):
            pass

    def detect() -> None:
        for frame in frames:
            stages.detector.detect(_small(frame))

    def crop() -> None:
        for frame, found in zip(frames, faces, strict=True):
            crop_faces(_luma(frame), found.landmarks * np.float32(frame.scale), stages.preprocessing)

    def classify() -> None:
        for batch in batches:
            stages.classifier.probabilities(batch)

    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        database = Database(f"sqlite:///{scratch}/stage.db")
        migrate(database)
        store = _storing(database, planned, stages, rows)
        sampled = len(segment.frames)
        costs = {
            "decode": _cost(decode, sampled, repeats),
            "detect": _cost(detect, len(frames), repeats),
            "crop": _cost(crop, len(frames), repeats),
            "classify": _cost(classify, len(frames), repeats),
            "store": _cost(store, sampled, repeats),
        }
        database.close()
    return costs


def record(clip: Path, stages: Stages, database: Database) -> None:
    """From the file to committed rows."""
    planned = plan(clip)
    video_id = videos.new_id()
    for segment_id in _enter(database, planned, stages, video_id):
        with database.write() as session:
            claimed = work.claim_segment(session, segment_id, LEASE_S, 1)
        assert claimed is not None
        claim, _, row = claimed
        blocks = list(analyze(clip, row_to_segment(row), stages))
        with database.write() as session:
            work.complete_segment(session, claim)
            results.store_segment(session, segment_id, blocks)
    _check(database, video_id, planned)


def _enter(database: Database, planned: VideoPlan, stages: Stages, video_id: str) -> list[int]:
    """The planned video in the database; returns its segments' ids."""
    new = videos.NewVideo(
        id=video_id,
        filename="clip.mp4",
        size_bytes=1,
        sha256=video_id,
        sample_hz=None,
        model="paper",
        model_version=stages.classifier.version,
        info=asdict(planned.info),
    )
    with database.write() as session:
        videos.create(session, new)
        claim = work.claim_step(session, video_id, Step.PLAN, LEASE_S, 1)
        assert claim is not None
        work.save_plan(session, claim, [segment_to_row(segment) for segment in planned.segments], new.info)
        return list(session.scalars(select(Segment.id).where(Segment.video_id == video_id).order_by(Segment.number)))


def _storing(database: Database, planned: VideoPlan, stages: Stages, rows: list[Observations]) -> Callable[[], None]:
    """The transaction that a segment ends with, to be timed."""
    segment_id = _enter(database, planned, stages, "stage")[0]

    def store() -> None:
        with database.write() as session:
            results.store_segment(session, segment_id, rows)

    return store


def _check(database: Database, video_id: str, planned: VideoPlan) -> None:
    """A speed is worth nothing if rows are missing or faces are not found."""
    with database.read() as session:
        counts = timelines.counts_by_status(session, video_id)
    if counts.get(Status.OK.name.lower(), 0) < 0.9 * planned.info.frame_count:
        raise SystemExit(f"Nearly every frame of {planned.info.frame_count} should show a face, but found {counts}.")


def make_clip(source: Path, path: Path, width: int, height: int, seconds: float) -> None:
    """Loops a clip's first face-bearing stretch at another size: H.264, 30 frames/s, a keyframe every 2 s."""
    with av.open(str(source)) as container:
        pictures = [frame.reformat(width=width, height=height, format="yuv420p") for frame in container.decode(video=0)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "medium", "crf": "23", "g": "60"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        # Forth and back, so that the loop has no jump.
        loop = cycle(chain(pictures, reversed(pictures)))
        for number, picture in enumerate(islice(loop, round(30 * seconds))):
            frame = av.VideoFrame.from_ndarray(picture.to_ndarray(), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _small(frame: Frame) -> Any:
    assert frame.small_bgr is not None
    return frame.small_bgr


def _luma(frame: Frame) -> Any:
    assert frame.luma is not None
    return frame.luma


def _cost(run: Callable[[], None], frames: int, repeats: int) -> Cost:
    """The cheapest of several runs, after one that warms up."""
    run()
    cpu_s, wall_s = [], []
    for _ in range(repeats):
        cpu, wall = time.process_time(), time.perf_counter()
        run()
        cpu_s.append(time.process_time() - cpu)
        wall_s.append(time.perf_counter() - wall)
    return Cost(1000 * min(cpu_s) / frames, 1000 * min(wall_s) / frames)


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{model}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"


def _show(result: dict[str, Any]) -> None:
    print(f"\n{result['clip']}, {result['frames']} frames\n{'stage':>10} {'CPU ms/frame':>14} {'frames/s alone':>16}")
    for name, cost in result["stages"].items():
        print(f"{name:>10} {cost['cpu_ms']:14.2f} {1000 / cost['wall_ms']:16.0f}")
    print(
        f"best possible on {result['cores']} cores {result['best_possible_fps']:.1f} frames/s, "
        f"end to end {result['end_to_end_fps']:.1f} frames/s, ratio {result['ratio']:.2f}\n"
        f"end to end {result['end_to_end']['cpu_ms']:.2f} CPU ms/frame, "
        f"the stages' sum {result['stages_cpu_ms']:.2f}"
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure frames per second from the file to committed rows.")
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "paper", help="folder of the network")
    parser.add_argument(
        "--source",
        type=Path,
        default=next((source for source in SOURCES if source.exists()), SOURCES[-1]),
        help="clip with one face, to be looped (default: %(default)s)",
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the made clips (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each measurement (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=None, help="frames searched at once (default: cores)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
