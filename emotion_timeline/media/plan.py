"""Plan the segments of a video; media/frames.py reads them.

Time is a frame's own presentation timestamp. A plan is made from the packets alone and says for every segment which
frames it holds, where to start and how many packets to decode; so a segment read later, by anyone, in any order, gives
the same frames with the same pixels as one straight decode of the whole file.

Segments are cut at keyframes in order of presentation. The leading pictures of an open GOP, which are decoded after the
keyframe, shown before it and predicted from the GOP before, belong to the earlier segment, which reads on past the cut.
"""

import math
import os
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.clip import Clip
from emotion_timeline.errors import VideoError
from emotion_timeline.media.canvas import Canvas
from emotion_timeline.media.decoding import Span, can_start
from emotion_timeline.media.survey import Survey, VideoInfo, survey_video

__all__ = ["SegmentPlan", "VideoInfo", "VideoPlan", "check_sample_hz", "inspect", "plan"]


@dataclass(frozen=True, eq=False)
class SegmentPlan:
    """One segment of a video: everything needed to read it, beside the file. Plain values and two arrays.

    Attributes:
        index: 0-based number of the segment.
        start_pts: presentation timestamp of its first frame's keyframe, where decoding starts, in time base units.
        end_pts: start of the next segment; None for the last.
        frames: int64 (n,), 0-based indexes of the sampled frames in order of presentation over the whole video.
        pts: int64 (n,), their presentation timestamps.
        interval_pts: time between sampled frames, the median over the whole video; 0 for a single one.
        until_pts: when its last sampled frame is followed by the next one, or what is analysed ends.
        by_order: recognise frames by their order, because the container's timestamps can't be trusted.
        origin_pts: presentation timestamp of the video's first frame.
        time_base_numerator: seconds per unit of the timestamps, with time_base_denominator.
        time_base_denominator: see time_base_numerator.
        width, height: of the recording's coordinate system; see media/canvas.py.
        pixel_aspect: width of a stored pixel divided by its height, as in "16/11".
        rotate: degrees clockwise by which pictures are turned besides what the file says.
        first_packet: number of packets of the video stream before this segment's, in decoding order.
        packets: how many packets to decode.
        reorder_depth: pictures that the decoder must hold back to hand them out in order.
        track: number of the video track in the file.
    """

    index: int
    start_pts: int
    end_pts: int | None
    frames: NDArray[np.int64]
    pts: NDArray[np.int64]
    interval_pts: int
    until_pts: int
    by_order: bool
    origin_pts: int
    time_base_numerator: int
    time_base_denominator: int
    width: int
    height: int
    pixel_aspect: str
    rotate: int
    first_packet: int
    packets: int
    reorder_depth: int
    track: int

    @property
    def canvas(self) -> Canvas:
        """The recording's coordinate system."""
        return Canvas(self.width, self.height, Fraction(self.pixel_aspect), self.rotate)


@dataclass(frozen=True)
class VideoPlan:
    """A video's description and its segments, in order of presentation; every sampled frame is in exactly one."""

    info: VideoInfo
    segments: tuple[SegmentPlan, ...]
    origin_pts: int
    time_base: Fraction


def inspect(path: str | os.PathLike[str]) -> VideoInfo:
    """Describe a video: reads all its packets, decodes only the first pictures.

    Raises:
        VideoError: not a video that can be processed; the message says why.
    """
    return survey_video(path).info


def check_sample_hz(sample_hz: float) -> None:
    """Refuse a sampling rate that is no finite number of samples a second above 0, by a VideoError."""
    if not (math.isfinite(sample_hz) and sample_hz > 0):
        raise VideoError("bad_sample_rate", f"sample_hz must be a number of samples a second above 0, not {sample_hz}.")


def plan(
    path: str | os.PathLike[str],
    segment_s: float = 20.0,
    sample_hz: float | None = None,
    clip: Clip | None = None,
    rotate: int = 0,
    survey: Survey | None = None,
) -> VideoPlan:
    """Cut a video into segments at keyframes.

    Args:
        path: the video file.
        segment_s: least length of a segment, in seconds; a segment ends at the first keyframe from there.
        sample_hz: samples per second: of all frames, those are taken that are the first at or after k/sample_hz seconds
            for some k = 0, 1, 2, ...; None takes every frame.
        clip: take only those in this stretch, which are then the very frames that the whole video would give; None
            takes all.
        rotate: 0, 90, 180 or 270 degrees clockwise, by which pictures are turned besides what the file says.
        survey: what survey_video said of the file; None asks it.

    Raises:
        VideoError: not a video that can be processed, sample_hz is not a positive number, or nothing is in the clip.
    """
    if sample_hz is not None:
        check_sample_hz(sample_hz)
    survey = survey or survey_video(path)
    info = survey.info.turned(rotate)
    base = survey.time_base
    sampled = _sample((survey.pts - survey.pts[0]) * float(base), sample_hz)
    if clip is not None:
        sampled = _clipped(survey, sampled, clip)
    cuts = _cuts(survey, segment_s)
    # Two keyframes are tried out. Should others lie, read_frames gets round them, but slowly.
    if not all(can_start(path, _span(survey, *cut)) for cut in {*cuts[1:2], *cuts[1:][len(cuts) // 2 :][:1]}):
        cuts = cuts[:1]
    interval = int(np.median(np.diff(survey.pts[sampled]))) if len(sampled) > 1 else 0
    segments: list[SegmentPlan] = []
    for (start_packet, start_pts), following in zip(cuts, [*cuts[1:], None], strict=True):
        end_pts = None if following is None else following[1]
        latest = survey.pts[-1] + 1 if end_pts is None else end_pts
        begin, end = np.searchsorted(survey.pts[sampled], [start_pts, latest])
        if begin == end:
            continue  # outside the clip, or sampled more sparsely than segments are long
        frames = sampled[begin:end]
        segments.append(
            SegmentPlan(
                index=len(segments),
                start_pts=start_pts,
                end_pts=end_pts,
                frames=frames,
                pts=survey.pts[frames],
                interval_pts=interval,
                until_pts=int(survey.pts[sampled[end]]) if end < len(sampled) else _end_pts(survey, clip),
                by_order=not survey.info.trusted_timestamps,
                origin_pts=int(survey.pts[0]),
                time_base_numerator=base.numerator,
                time_base_denominator=base.denominator,
                width=info.width,
                height=info.height,
                pixel_aspect=info.pixel_aspect,
                rotate=rotate,
                first_packet=start_packet,
                packets=survey.packets_before(end_pts) - start_packet,
                reorder_depth=survey.reorder_depth,
                track=survey.info.track,
            )
        )
    return VideoPlan(info, tuple(segments), int(survey.pts[0]), base)


def _sample(times_s: NDArray[np.float64], sample_hz: float | None) -> NDArray[np.int64]:
    """Indexes of the sampled frames: those that are the first at or after some k/sample_hz."""
    if sample_hz is None:
        return np.arange(len(times_s))
    # A frame within a millionth of a period before k/sample_hz counts as at it: 0.2 s is not exact in binary.
    period = np.floor(times_s * min(sample_hz, 1e6) + 1e-6)
    return np.flatnonzero(np.diff(period, prepend=-1.0) > 0)


def _clipped(survey: Survey, sampled: NDArray[np.int64], clip: Clip) -> NDArray[np.int64]:
    """Those of the sampled frames that lie in the clip."""
    latest = int(survey.pts[-1] - survey.pts[0]) + 1
    end = clip.end_unit(survey.time_base)
    bounds = [min(clip.first_unit(survey.time_base), latest), latest if end is None else min(end, latest)]
    begin, end = np.searchsorted(survey.pts[sampled] - survey.pts[0], bounds)
    if begin == end:
        clip.require_before_end(survey.info.duration_s)
        raise clip.has_no_frame("none of the recording's sampled frames lies there")
    return sampled[begin:end]


def _end_pts(survey: Survey, clip: Clip | None) -> int:
    """Where what is analysed ends."""
    end = clip.end_unit(survey.time_base) if clip else None
    units = round(survey.info.duration_s / survey.time_base)
    return int(survey.pts[0]) + (units if end is None else min(end, units))


def _span(survey: Survey, first_packet: int, seek_pts: int) -> Span:
    """The video from a keyframe to its end."""
    return Span(
        seek_pts, first_packet, len(survey.index.pts) - first_packet, survey.reorder_depth, False, survey.info.track
    )


def _cuts(survey: Survey, segment_s: float) -> list[tuple[int, int]]:
    """Where segments start: (number of packets before, presentation timestamp), the first at the file's start."""
    cuts = [(0, int(survey.pts[0]))]
    if not survey.info.trusted_timestamps:
        return cuts
    pts = survey.index.pts
    latest_before = np.maximum.accumulate(np.concatenate(([np.iinfo(np.int64).min], pts[:-1])))
    # Only a keyframe that everything decoded before it is also shown before can begin a segment.
    usable = np.flatnonzero(survey.index.keyframe & (latest_before < pts))
    length = segment_s / survey.time_base
    for packet in usable.tolist():
        if pts[packet] >= cuts[-1][1] + length and pts[packet] <= survey.pts[-1]:
            cuts.append((packet, int(pts[packet])))
    return cuts
