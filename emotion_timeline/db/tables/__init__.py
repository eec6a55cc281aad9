"""Tables. All of them are known once any is imported, so that foreign keys and migrations find them."""

from emotion_timeline.db.tables.analyses import (
    Observation,
    Segment,
    SegmentCurves,
    SegmentStatus,
    Step,
    Tracklet,
    Video,
    VideoStatus,
)
from emotion_timeline.db.tables.annotations import Face, Note
from emotion_timeline.db.tables.clients import Delivery, DeliveryStatus, IdempotencyKey, Upload, Webhook
from emotion_timeline.db.tables.columns import Base, Leased, UtcDateTime
from emotion_timeline.db.tables.renders import Render, RenderKind, RenderStatus
from emotion_timeline.db.tables.workers import Worker

__all__ = [
    "Base",
    "Delivery",
    "DeliveryStatus",
    "Face",
    "IdempotencyKey",
    "Leased",
    "Note",
    "Observation",
    "Render",
    "RenderKind",
    "RenderStatus",
    "Segment",
    "SegmentCurves",
    "SegmentStatus",
    "Step",
    "Tracklet",
    "Upload",
    "UtcDateTime",
    "Video",
    "VideoStatus",
    "Webhook",
    "Worker",
]
