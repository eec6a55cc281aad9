"""Analyse one file in this process, without queue or server.

It goes through the same pipeline, tables and export as the service, on a database that lives as long as the call: so
the CSV is the service's, byte for byte but for the id, and memory stays flat for any length.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import URL, select
from tqdm import tqdm

from emotion_timeline import results
from emotion_timeline.clip import Clip
from emotion_timeline.config import Settings, served_version
from emotion_timeline.db import videos, work
from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import Segment, Step, Video
from emotion_timeline.db.work import Claim
from emotion_timeline.detectors import detector_version, embedder_version
from emotion_timeline.errors import SettingsError
from emotion_timeline.exports import tidy
from emotion_timeline.labels import Labels
from emotion_timeline.media.plan import VideoPlan, plan
from emotion_timeline.media.shots import ShotFinder
from emotion_timeline.pipeline import Stages, analyze, load_stages
from emotion_timeline.plan_rows import row_to_segment, segment_to_row

_LEASE_S = 7 * 24 * 3600.0  # nobody else knows of the database


def analyze_file(
    settings: Settings,
    path: Path,
    output: Path,
    sample_hz: float | None,
    clip: Clip | None = None,
    labels: Labels | None = None,
    *,
    rotate: int = 0,
    show_progress: bool = False,
) -> dict[str, Any]:
    """Write a recording's CSV, and its JSON sidecar beside it. On an error neither is written.

    Args:
        settings: of the model, its labels, the detector, threads and segments.
        path: the recording.
        output: the CSV; the sidecar has the same name with .json.
        sample_hz: frames per second to analyse; None for all.
        clip: the stretch to analyse; None for the whole recording.
        labels: whose labels to give; None for what the settings say.
        rotate: 0, 90, 180 or 270 degrees clockwise, by which pictures are turned first.
        show_progress: draw a progress bar on stderr.

    Returns:
        The sidecar.

    Raises:
        VideoError: the recording can't be analysed.
        ModelError: the network can't be loaded, or doesn't give those labels.
        SettingsError: the output can't be written.
    """
    sidecar_path = output.with_suffix(".json")
    check_output(path, output)
    labels = labels or settings.labels
    served_version(settings.model_dir, labels)  # refused before the seconds of loading
    planned = plan(path, settings.segment_s, sample_hz, clip, rotate)
    stages = load_stages(settings.model_dir, settings.detector_path, settings.threads, labels, persons=settings.persons)
    with tempfile.TemporaryDirectory(prefix=".emotion-timeline-", dir=output.parent) as folder:
        database = Database(URL.create("sqlite", database=f"{folder}/timeline.db"))
        migrate(database)
        total = sum(len(segment.frames) for segment in planned.segments)
        with tqdm(total=total, unit="frame", disable=not show_progress, smoothing=0.1) as bar:
            new = _describe(settings, path, sample_hz, clip or Clip(), planned, stages)
            video = _fill(database, path, new, planned, stages, bar.update)
        sidecar = _export(database, video, Path(folder), output, sidecar_path)
        database.close()
    return sidecar


def check_output(path: Path, output: Path) -> None:
    """Refuse an output that can't be written, or where something else lies, before an hour of work and not after it.

    Args:
        path: the recording.
        output: the CSV; the JSON file beside it has the same name with .json.

    Raises:
        SettingsError: it can't be the output; the message says why.
    """
    sidecar_path = output.with_suffix(".json")
    if output.suffix == ".json" or path.resolve() in (output.resolve(), sidecar_path.resolve()):
        raise SettingsError(f"{output} can't be the output: give a file name that ends in .csv.")
    if output.is_dir() or not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise SettingsError(
            f"{output} can't be written: give the path of a file in a folder that exists and is writable."
        )
    longest = os.pathconf(output.parent, "PC_NAME_MAX")
    if max(len(os.fsencode(name)) for name in (output.name, sidecar_path.name)) > longest:
        raise SettingsError(f"{sidecar_path.name} is longer than a file's name can be. Give a shorter one by --output.")
    for there in (output, sidecar_path):
        if there.exists() and not _is_of(path, sidecar_path):
            raise SettingsError(
                f"{there} is there already, and this program didn't write it for {path.name}. Give another name by "
                "--output, or move that file away."
            )


def _is_of(path: Path, sidecar_path: Path) -> bool:
    """Whether a JSON file is what this program wrote for a recording, so that it and its CSV may be written again."""
    try:
        sidecar = json.loads(sidecar_path.read_text(encoding="utf-8"))
        ours = sidecar["software"]["name"] == "emotion-timeline"
        return bool(ours and sidecar["sha256"] == _sha256(path))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fill(
    database: Database,
    path: Path,
    new: videos.NewVideo,
    planned: VideoPlan,
    stages: Stages,
    advance: Callable[[int], object],
) -> Video:
    """Take the recording through the same states as the service does."""
    with database.write() as session:
        video, _ = videos.create(session, new)
        claim = _claim_step(session, video.id, Step.PLAN)
        work.save_plan(session, claim, [segment_to_row(s) for s in planned.segments], asdict(planned.info))
        in_order = select(Segment.id).where(Segment.video_id == video.id).order_by(Segment.number)
        segment_ids = session.scalars(in_order).all()
    for segment_id in segment_ids:
        with database.write() as session:
            claimed = work.claim_segment(session, segment_id, _LEASE_S, 1)
        assert claimed is not None, "a new segment can be claimed"
        claim, _, row = claimed
        blocks, shots, album = [], ShotFinder(), stages.album
        for block in analyze(path, row_to_segment(row), stages, shots=shots, album=album):
            blocks.append(block)
            advance(len(set(block["frame"].tolist())))
        with database.write() as session:
            work.complete_segment(session, claim)
            results.store_segment(session, segment_id, blocks, shots.edges, album.embeddings if album else {})
    with database.write() as session:
        results.finish(session, _claim_step(session, video.id, Step.FINISH))
        return videos.get(session, video.id)


def _claim_step(session: Any, video_id: str, step: Step) -> Claim:
    claim = work.claim_step(session, video_id, step, _LEASE_S, 1)
    assert claim is not None, "a step that is due can be claimed"
    return claim


def _describe(
    settings: Settings, path: Path, sample_hz: float | None, clip: Clip, planned: VideoPlan, stages: Stages
) -> videos.NewVideo:
    digest = _sha256(path)
    return videos.NewVideo(
        id=videos.id_of(digest),  # the same recording gives the same CSV
        filename=os.fsencode(path.name).decode("utf-8", "replace"),  # a name need not be UTF-8; text has to be
        size_bytes=path.stat().st_size,
        sha256=digest,
        sample_hz=sample_hz,
        model=settings.model,
        model_version=stages.classifier.version,
        info=asdict(planned.info),
        clip_start_s=clip.start_s,
        clip_end_s=clip.end_s,
        detector=detector_version(settings.detector_path),
        rotate=planned.info.rotate,
        embedder=embedder_version(settings.persons),
    )


def _export(database: Database, video: Video, folder: Path, output: Path, sidecar_path: Path) -> dict[str, Any]:
    """Write both files whole, or neither: beside their places first, then by renaming."""
    with database.read() as session:
        sidecar = tidy.sidecar(session, video, version("emotion-timeline"))
        with (folder / "timeline.csv").open("w", encoding="utf-8", newline="") as file:
            file.writelines(tidy.csv_lines(session, video))
    (folder / "sidecar.json").write_text(json.dumps(sidecar, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(folder / "sidecar.json", sidecar_path)
    os.replace(folder / "timeline.csv", output)
    return sidecar
