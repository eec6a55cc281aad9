"""What can be exported of a video, and what every column means: the one place that says so.

The writers take their headers from here, the API and the pages show it, and the JSON sidecar and the Parquet file carry
it along. A test reads every file back and holds it to this.
"""

from dataclasses import dataclass

from emotion_timeline.emotions import EMOTIONS


@dataclass(frozen=True)
class Column:
    """One column of a file.

    Attributes:
        name: as in the header.
        meaning: what a value says.
        unit: of a value; empty for text and counts.
    """

    name: str
    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class Export:
    """One kind of file.

    Attributes:
        name: last part of its address.
        title: what people call it.
        about: what it is good for, one sentence.
        media_type: of its content.
        suffix: what follows the recording's name in the file's name.
        columns: in their order; of the sidecar, its entries.
        omits_hidden: whether faces that were hidden are left out of it unless asked for.
    """

    name: str
    title: str
    about: str
    media_type: str
    suffix: str
    columns: tuple[Column, ...]
    omits_hidden: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def kind(self) -> str:
        """The format, as people call it."""
        return {"csv": "CSV", "json": "JSON", "parquet": "Parquet"}[self.name.rpartition(".")[2]]


TEXT_COLUMNS = ("video_id", "source_file", "face_name", "status", "emotion", "model_version")
"""Columns of a timeline that hold text; the others hold numbers."""

_CSV = "text/csv; charset=utf-8"
_VIDEO_ID = Column("video_id", "the video's id in the service")
_SOURCE_FILE = Column("source_file", "the recording's name as uploaded")
_FRAME = Column("frame", "0-based index of the frame in presentation order, over all frames of the recording")
_TIMESTAMP = Column("timestamp", "presentation time in seconds from the recording's first frame", "s")
_FACE_ID = Column(
    "face_id",
    "1-based number of the person over the recording, by first appearance, one number for merged faces; blank where "
    "there is none. Where persons aren't grouped (persons in the JSON), each track is one",
)
_FACE_NAME = Column("face_name", "the name that a person gave the face; blank where there is none")
_SHOT = Column(
    "shot", "1-based number of the shot; a new one begins at every cut of the picture, and no track goes on over it"
)
_TRACK_ID = Column(
    "track_id",
    "1-based number of the track, by first appearance: a face followed from frame to frame without a break; blank "
    "where there is none",
)
_STATUSES = "ok; no_face; too_small (a face was found but is too small to classify); decode_error (no picture)"
_SHOWN_STATUS = Column("status", f"{_STATUSES}; hidden (all faces of the frame were hidden, so they are left out)")
_BOX_MEANING = (
    "left edge of the face's box, in pixels of the recording as displayed, origin top left. Its width and height stand "
    "in the JSON; pictures of another size are scaled to it, those of another shape fitted and centred"
)
_MODEL_VERSION = Column(
    "model_version", "version of the network that made the row, and whose labels it gave where it has more than one set"
)
_EMOTIONS = tuple(
    Column(emotion, f"probability that the expression shown is {emotion}, 0-1; the seven sum to 1", "0-1")
    for emotion in EMOTIONS
)

TIDY = Export(
    "timeline.csv",
    "Timeline, tidy",
    "One row for each frame and face, the seven probabilities side by side. The complete record, hidden faces too.",
    _CSV,
    ".csv",
    (
        _VIDEO_ID,
        _SOURCE_FILE,
        _FRAME,
        _TIMESTAMP,
        _FACE_ID,
        Column("status", _STATUSES),
        Column("confidence", "the face detector's score, 0-1; not the emotion's", "0-1"),
        Column("box_x", _BOX_MEANING, "px"),
        Column("box_y", "top edge of the face's box, pixels", "px"),
        Column("box_w", "width of the face's box, pixels", "px"),
        Column("box_h", "height of the face's box, pixels", "px"),
        *_EMOTIONS,
        Column("emotion", "the most probable of the seven"),
        Column("emotion_probability", "its probability", "0-1"),
        _MODEL_VERSION,
        _FACE_NAME,
        _SHOT,
        _TRACK_ID,
    ),
)

EXCEL = Export(
    "timeline-excel.csv",
    "Timeline, for Excel",
    "The tidy timeline with letters, numbers and separators as Excel expects them. It opens the first 1,048,575 rows.",
    _CSV,
    "-excel.csv",
    TIDY.columns,
)

LONG = Export(
    "timeline-long.csv",
    "Timeline, long",
    "One row for each frame, face and emotion: the form that ggplot, seaborn and mixed models ask for.",
    _CSV,
    "-long.csv",
    (
        _VIDEO_ID,
        _SOURCE_FILE,
        _FRAME,
        _TIMESTAMP,
        _FACE_ID,
        _FACE_NAME,
        _SHOWN_STATUS,
        Column("emotion", "which of the seven; blank in the one row of a frame or face without probabilities"),
        Column("value", "probability that the expression shown is this one; the seven of a face sum to 1", "0-1"),
        _MODEL_VERSION,
        _TRACK_ID,
    ),
    omits_hidden=True,
)

PER_SECOND = Export(
    "per-second.csv",
    "Means per second",
    "One row for each second and face. Frames without a face are counted in a row of their own, with a blank face_id.",
    _CSV,
    "-per-second.csv",
    (
        _VIDEO_ID,
        _SOURCE_FILE,
        Column("second", "whole seconds from the first frame; 3 stands for 3.0 up to 4.0. None without a frame", "s"),
        Column("face_id", "number of the face; blank in the row that counts frames without a face"),
        _FACE_NAME,
        Column("frames", "analysed frames of this second that show this face; the sum of the four counts that follow"),
        Column("frames_ok", "of these, frames with probabilities"),
        Column("frames_too_small", "of these, frames where the face is too small to classify"),
        Column("frames_no_face", "of these, frames without a face, or whose faces were all hidden"),
        Column("frames_decode_error", "of these, frames that could not be decoded"),
        *(
            Column(emotion, f"mean probability of {emotion} over frames_ok; blank where that is 0", "0-1")
            for emotion in EMOTIONS
        ),
        Column("dominant", "the emotion with the highest mean"),
        _MODEL_VERSION,
    ),
    omits_hidden=True,
)

PER_FACE = Export(
    "per-face.csv",
    "Summary per face",
    "One row for each face: how long it was seen, and which expressions it showed.",
    _CSV,
    "-per-face.csv",
    (
        _VIDEO_ID,
        _SOURCE_FILE,
        Column("face_id", "1-based number of the face; faces that were merged are one, and count once in a frame"),
        _FACE_NAME,
        Column("frames", "analysed frames that show the face"),
        Column("frames_ok", "of these, frames with probabilities"),
        Column("frames_too_small", "of these, frames where the face is too small to classify"),
        Column("first_timestamp", "time of the first of these frames", "s"),
        Column("last_timestamp", "time of the last of these frames", "s"),
        Column(
            "time_on_screen",
            "sum over these frames of the time to the next analysed one; of each at most 1 s or 2.5 usual intervals",
            "s",
        ),
        *(
            Column(f"mean_{emotion}", f"mean probability of {emotion} over frames_ok; blank where that is 0", "0-1")
            for emotion in EMOTIONS
        ),
        *(
            Column(f"share_{emotion}", f"share of frames_ok with {emotion} as the most probable of the seven", "0-1")
            for emotion in EMOTIONS
        ),
        Column("mean_confidence", "mean of the face detector's score; not the emotion's", "0-1"),
        _MODEL_VERSION,
    ),
    omits_hidden=True,
)

PARQUET = Export(
    "timeline.parquet",
    "Timeline, Parquet",
    "The tidy timeline with typed columns, for pandas, Polars, R's arrow and DuckDB; small, and quick to read.",
    "application/vnd.apache.parquet",
    ".parquet",
    tuple(
        part
        for column in TIDY.columns
        if column is not _FACE_NAME
        for part in {"face_id": (_FACE_ID, _FACE_NAME), "status": (_SHOWN_STATUS,)}.get(column.name, (column,))
    ),
    omits_hidden=True,
)

NOTES = Export(
    "notes.csv",
    "Notes",
    "Your own notes and marked ranges, in order of time.",
    _CSV,
    "-notes.csv",
    (
        _VIDEO_ID,
        _SOURCE_FILE,
        Column("start", "the moment, or the beginning of the range, from the recording's first frame", "s"),
        Column("end", "end of the range; blank for a moment", "s"),
        Column("text", "the note"),
        Column("created_at", "when it was written, RFC 3339 in UTC"),
        Column("updated_at", "when it was last changed, RFC 3339 in UTC"),
    ),
)

SIDECAR = Export(
    "timeline.json",
    "How it was made",
    "Settings, hashes, versions, counts, faces, notes and the meaning of every column: keep it beside the other files.",
    "application/json",
    ".json",
    (
        _VIDEO_ID,
        _SOURCE_FILE,
        Column("sha256", "of the recording, in hexadecimal"),
        Column("size_bytes", "of the recording", "bytes"),
        Column(
            "video",
            "what the recording is: format, picture, frame rate, length, rotation; width and height are the coordinate "
            "system of all boxes, picture_sizes those that its pictures came in",
        ),
        Column(
            "settings",
            "sample_hz: analysed frames per second, null for every frame; clip: the part, null for all; rotate: by how "
            "many degrees clockwise the pictures were turned by request, and with them the boxes",
        ),
        Column("model", "name and version of the network"),
        Column("labels", "whose labels these are: ferplus, of FER+'s raters, or fer2013, FER2013's own"),
        Column("labels_meaning", "what a probability means by these labels"),
        Column("detector", "the face detector's file: its name, and the first eight digits of its SHA-256"),
        Column(
            "persons",
            "grouped: whether tracks that look alike are one person, within this recording only; embedder: the network "
            "that told them apart, as detector, null for none; least_similarity: how alike they had to be, -1 to 1",
        ),
        Column("software", "name and version of this software"),
        Column("emotions", "the seven, in the order of their columns"),
        Column("frames_analyzed", "frames that were analysed"),
        Column("sample_interval_s", "usual time between them, the median", "s"),
        Column("frames_by_status", "how many of these have each status; one with several faces counts with its best"),
        Column(
            "emotion_shares",
            "share of the classified frames with each emotion as the most probable, over all faces that aren't hidden",
            "0-1",
        ),
        Column("faces", "how many persons were found"),
        Column(
            "face_tracks",
            "each face as it is shown: face_id, name, hidden, the numbers merged into it, the track_ids that show it, "
            "and time_on_screen and emotion_shares as in per-face.csv",
        ),
        Column("shots", "each shot: its number, and the frame and time that it begins with"),
        Column("notes", "notes and marked ranges: start_s, end_s (null for a moment), text"),
        Column("analyzed_at", "when the analysis was finished, ISO 8601"),
        Column("columns", "meaning of the columns of timeline.csv"),
        Column("exports", "for each other file, the meaning of its columns"),
        Column("warnings", "what makes the timeline doubtful, such as faces that stand turned; sentences"),
        Column("note", "what the probabilities can't tell"),
    ),
)

EXPORTS = (TIDY, EXCEL, LONG, PER_SECOND, PER_FACE, PARQUET, NOTES, SIDECAR)
"""Every file that can be had of a video that is done, in the order that they are offered."""
