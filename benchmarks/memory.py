"""Peak memory for a long recording beside a short one: it must not grow with the length.

    python -m benchmarks.memory [--short-minutes 1] [--minutes 30] [--sample-hz 2]
        [--measure analysis download preview overlay]

A clip is looped to `--short-minutes` and to `--minutes`, by copying its packets. A process of its own analyses each
(`emotion-timeline analyze`), others make its preview and its overlay, with a face in every frame, and a gunicorn of its
own serves each CSV; the operating system's count of their peak resident memory is printed with the ratio long / short.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import av
import psutil

from emotion_timeline.config import Settings
from tests.finished import finish_video
from tests.services import ASTRONAUT, Service, free_port, wait_until

_ANALYZE = """
import resource, sys
from pathlib import Path
from emotion_timeline.config import load
from emotion_timeline.analysis import analyze_file
analyze_file(load(), Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""

_RENDER = """
import resource, sys
from tests.finished import make_render
from emotion_timeline.config import load
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import RenderKind
settings = load()
make_render(Database(settings.resolved_database_url), settings, "video", RenderKind(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""
_MEASURES = {
    "analysis": "worker (analysis)",
    "download": "web (CSV download)",
    "preview": "worker (preview)",
    "overlay": "worker (overlay)",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, default=ASTRONAUT)
    parser.add_argument("--short-minutes", type=float, default=1)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--sample-hz", type=float, default=2.0, help="frames analysed per second; all are decoded")
    parser.add_argument("--measure", nargs="+", choices=_MEASURES, default=list(_MEASURES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lengths = (options.short_minutes, options.minutes)
        short, long = (_measure(Path(folder), options, minutes) for minutes in lengths)
    print(f"{'peak memory, MB':24}{f'{lengths[0]:g} min':>10}{f'{lengths[1]:g} min':>10}{'ratio':>10}")
    for name, before in short.items():
        print(f"{_MEASURES[name]:24}{before / 1e6:10.0f}{long[name] / 1e6:10.0f}{long[name] / before:10.3f}")


def _measure(folder: Path, options: argparse.Namespace, minutes: float) -> dict[str, float]:
    """Peak memory in bytes, by measure."""
    video = folder / f"{minutes:g}-minutes.mp4"
    _loop(options.clip, video, minutes * 60)
    found = {"analysis": _analyze(video, options.sample_hz)} if "analysis" in options.measure else {}
    others = [measure for measure in options.measure if measure != "analysis"]
    if not others:
        return found
    service = Service(Settings(data_dir=folder / f"data-{video.stem}"))
    try:
        finish_video(service.database, service.settings, video, "video")
        return found | {name: _download(service) if name == "download" else _render(service, name) for name in others}
    finally:
        service.close()


def _analyze(video: Path, sample_hz: float) -> float:
    command = [sys.executable, "-c", _ANALYZE, str(video), str(video.with_suffix(".csv")), str(sample_hz)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    print(f"{video.stem}: {json.loads(video.with_suffix('.json').read_text())['frames_by_status']}", flush=True)
    return float(done.stdout)


def _render(service: Service, kind: str) -> float:
    started = time.monotonic()
    command = [sys.executable, "-c", _RENDER, kind]
    done = subprocess.run(command, env=service.environment(), check=True, capture_output=True, text=True)
    size = (service.settings.derived("video") / f"{kind}.mp4").stat().st_size
    print(f"  {kind} of {size / 1e6:.1f} MB in {time.monotonic() - started:.0f} s", flush=True)
    return float(done.stdout)


def _loop(clip: Path, target: Path, seconds: float) -> None:
    with av.open(clip) as source, av.open(target, "w") as sink:
        video = source.streams.video[0]
        streams = [video, *source.streams.audio[:1]]
        copies = {stream.index: sink.add_stream_from_template(stream) for stream in streams}
        assert video.duration is not None and video.time_base is not None
        length_s = video.duration * video.time_base
        for turn in range(int(seconds / length_s) + 1):
            source.seek(0)
            for packet in source.demux(streams):
                if not packet.size or packet.pts is None or packet.dts is None:
                    continue
                if 0 <= packet.pts * packet.time_base < length_s:  # other sound would lie over the next turn's
                    shift = round(turn * length_s / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = copies[packet.stream.index]
                    sink.mux(packet)


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
