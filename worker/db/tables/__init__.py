"""Tables. All of them are known once any is imported, so that foreign keys and migrations find them."""

from worker.db.tables.analyses import (
    Observation,
    Segment,
    SegmentCurves,
    SegmentStatus,
    Step,
    Tracklet,
    Video,
    VideoStatus,
)
from worker.db.tables.annotations import Face, Note
from worker.db.tables.clients import Delivery, DeliveryStatus, IdempotencyKey, Upload, Webhook
from worker.db.tables.columns import Base, UtcDateTime
from worker.db.tables.renders import Render, RenderKind, RenderStatus

__all__ = [
    "Base",
    "Delivery",
    "DeliveryStatus",
    "Face",
    "IdempotencyKey",
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
]
