"""Between a segment plan as the video module makes it and as the database keeps it."""

from dataclasses import fields

from emotion_timeline.db.work import SegmentRow
from emotion_timeline.media.plan import SegmentPlan

_ARRAYS = ("frames", "pts")


def segment_to_row(segment: SegmentPlan) -> SegmentRow:
    """For storing."""
    plain = {field.name: getattr(segment, field.name) for field in fields(segment) if field.name not in _ARRAYS}
    return SegmentRow(plain, segment.frames, segment.pts)


def row_to_segment(row: SegmentRow) -> SegmentPlan:
    """As it was planned."""
    return SegmentPlan(**row.plan, frames=row.frames, pts=row.pts)
