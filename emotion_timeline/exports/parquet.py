"""The timeline as a Parquet file, streamed: a row group at a time, so memory doesn't grow with the video's length.

PyArrow takes a while and some 60 MB to load, so it is imported when the first file is asked for.
"""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from emotion_timeline.db.tables import Video
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports.dictionary import PARQUET, TEXT_COLUMNS
from emotion_timeline.shares import most_probable
from emotion_timeline.views import shown
from emotion_timeline.views.shown import TimelineRow

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 5_000  # as Python objects at a time
_GROUP_BATCHES = 10  # 50,000 rows in a row group: large enough to pack well, some megabytes in memory


class _Sink:
    """Takes the file's bytes and hands them on in pieces."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        """Take bytes."""
        self._pieces.append(bytes(data))
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        """How many there were."""
        return self._position

    def flush(self) -> None:
        """Nothing: take() does it."""

    def close(self) -> None:
        """There is nothing to let go of."""
        self.closed = True

    def take(self) -> bytes:
        """What came since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def parquet(session: Session, video: Video, *, hidden: bool) -> Iterator[bytes]:
    """The file in pieces, each column with its meaning and unit in its field's metadata.

    Args:
        session: an open session; it must stay open until the last piece.
        video: a finished video.
        hidden: whether hidden faces are there, too.
    """
    import pyarrow as pa
    from pyarrow import parquet

    sink, schema = _Sink(), _schema()
    rows = shown.rows(session, video.id, hidden=hidden)
    with parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        while batches := list(islice(_batches(rows, video, schema), _GROUP_BATCHES)):
            writer.write_table(pa.Table.from_batches(batches), row_group_size=_BATCH_ROWS * _GROUP_BATCHES)
            del batches
            yield sink.take()
    yield sink.take()


def _schema() -> "pa.Schema":
    import pyarrow as pa

    word, single = pa.dictionary(pa.int32(), pa.string()), pa.float32()
    types: dict[str, Any] = dict.fromkeys(("frame", "face_id", "shot", "track_id"), pa.int32())
    types |= {"timestamp": pa.float64()}
    types |= dict.fromkeys(TEXT_COLUMNS, word)
    return pa.schema(
        [
            pa.field(column.name, types.get(column.name, single), metadata=_metadata(column.meaning, column.unit))
            for column in PARQUET.columns
        ]
    )


def _metadata(meaning: str, unit: str) -> dict[str, str]:
    return {"meaning": meaning} | ({"unit": unit} if unit else {})


def _batches(rows: Iterator[TimelineRow], video: Video, schema: "pa.Schema") -> "Iterator[pa.RecordBatch]":
    import pyarrow as pa

    while some := list(islice(rows, _BATCH_ROWS)):
        columns = zip(*(_values(row, video) for row in some), strict=True)
        arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
        yield pa.record_batch(arrays, schema=schema)


def _values(row: TimelineRow, video: Video) -> tuple[Any, ...]:
    """In the order of PARQUET's columns; None where there is nothing."""
    probabilities = row.probabilities or (None,) * len(EMOTIONS)
    place = most_probable(row.probabilities) if row.probabilities else None
    return (
        video.id,
        video.filename,
        row.frame,
        row.timestamp_s,
        row.face_id,
        row.face_name or None,
        row.status,
        row.confidence,
        *(row.box or (None,) * 4),
        *probabilities,
        None if place is None else EMOTIONS[place],
        None if place is None else probabilities[place],
        video.model_version,
        row.shot,
        row.track_id,
    )
