"""Peak memory for a long recording beside a short one: it must not grow with the length.

    python -m benchmarks.memory [--minutes 30] [--sample-hz 2]

A clip is looped to one minute and to `--minutes`, by copying its packets. A process of its own analyses each
(`emotion-timeline analyze`), and a gunicorn of its own serves each CSV; the operating system's count of their peak
resident memory is printed with the ratio long / short.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import av
import psutil

from tests.records import analyse
from tests.services import ASTRONAUT, Service, free_port, wait_until
from worker.config import Settings
from worker.db.tables import VideoStatus
from worker.observations import Observations, blank
from worker.plans import segment_to_row
from worker.video import plan

_ANALYZE = """
import resource, sys
from pathlib import Path
from worker.config import load
from worker.local import analyze_file
analyze_file(load(), Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, default=ASTRONAUT)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--sample-hz", type=float, default=2.0, help="frames analysed per second; all are decoded")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lengths = (1.0, options.minutes)
        short, long = (_measure(Path(folder), options.clip, minutes, options.sample_hz) for minutes in lengths)
    print(f"{'peak memory, MB':24}{'1 min':>10}{f'{options.minutes:g} min':>10}{'ratio':>10}")
    for name in short:
        print(f"{name:24}{short[name] / 1e6:10.0f}{long[name] / 1e6:10.0f}{long[name] / short[name]:10.3f}")


def _measure(folder: Path, clip: Path, minutes: float, sample_hz: float) -> dict[str, float]:
    video = folder / f"{minutes:g}-minutes.mp4"
    _loop(clip, video, minutes * 60)
    command = [sys.executable, "-c", _ANALYZE, str(video), str(video.with_suffix(".csv")), str(sample_hz)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    print(f"{video.stem}: {json.loads(video.with_suffix('.json').read_text())['frames_by_status']}", flush=True)
    return {"worker (analysis)": float(done.stdout), "web (CSV download)": _serve(folder, video, sample_hz)}


def _loop(clip: Path, target: Path, seconds: float) -> None:
    with av.open(clip) as source, av.open(target, "w") as sink:
        stream = source.streams.video[0]
        copy = sink.add_stream_from_template(stream)
        assert stream.duration is not None and stream.time_base is not None
        for turn in range(int(seconds / float(stream.duration * stream.time_base)) + 1):
            source.seek(0)
            for packet in source.demux(stream):
                if packet.size and packet.pts is not None and packet.dts is not None:
                    packet.pts, packet.dts = packet.pts + turn * stream.duration, packet.dts + turn * stream.duration
                    packet.stream = copy
                    sink.mux(packet)


def _serve(folder: Path, video: Path, sample_hz: float) -> float:
    """Peak memory of gunicorn's processes after a download of a CSV with a row for every frame of a recording."""
    service = Service(Settings(data_dir=folder / f"data-{video.stem}"))
    service.submit(video, "video")
    segments = [segment_to_row(segment) for segment in plan(video).segments]
    analyse(service.database, "video", segments, (_rows(len(segment.frames)) for segment in segments), {})
    service.wait_for("video", VideoStatus.DONE)
    try:
        return _download(service)
    finally:
        service.close()


def _rows(frames: int) -> Observations:
    rows = blank(frames)
    rows["frame"] = range(frames)
    return rows


def _download(service: Service) -> float:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "4", "web:create_app()"]
    server = subprocess.Popen(command, env=service.environment(), stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _healthy(port), 60, "starting web")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/videos/video/timeline.csv") as answer:
            size = sum(len(part) for part in iter(lambda: answer.read(1 << 16), b""))
        print(f"  CSV of {size / 1e6:.1f} MB", flush=True)
        processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        return float(max(_peak(process.pid) for process in processes))
    finally:
        server.terminate()
        server.wait(30)


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz"):
            return True
    except OSError:
        return False


def _peak(pid: int) -> int:
    """VmHWM in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    main()
