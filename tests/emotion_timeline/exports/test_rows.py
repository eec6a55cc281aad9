"""The other files, on both databases, held to the tidy CSV and to what is said of their columns."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import emotion_timeline
from emotion_timeline.db import notes, videos
from emotion_timeline.db.notes import Written
from emotion_timeline.db.session import Database
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports import parquet, tidy
from emotion_timeline.exports.dictionary import (
    EXPORTS,
    LONG,
    NOTES,
    PARQUET,
    PER_FACE,
    PER_SECOND,
    SIDECAR,
    TIDY,
    Export,
)
from emotion_timeline.observations import blank
from emotion_timeline.views import cast
from tests.records import rows
from tests.session import FILENAME, FRAMES, finished, read_back, session_rows

TABLES = (TIDY, LONG, PER_SECOND, PER_FACE, PARQUET, NOTES)


def test_header_of_the_tidy_csv_only_grows_at_its_end() -> None:
    assert ",".join(TIDY.header) == (
        "video_id,source_file,frame,timestamp,face_id,status,confidence,box_x,box_y,box_w,box_h,"
        "angry,disgust,fear,happy,sad,surprise,neutral,emotion,emotion_probability,model_version,face_name,shot,"
        "track_id"
    )


@pytest.mark.parametrize("export", TABLES, ids=lambda export: export.name)
def test_columns_are_those_that_are_described(database: Database, export: Export) -> None:
    video_id = finished(database, session_rows())
    with database.write() as session:
        notes.add(session, videos.get(session, video_id), Written(1.0, 2.5, "task 1"))
    table = read_back(database, video_id, export)
    assert tuple(table.columns) == export.header
    assert len(set(export.header)) == len(export.header)
    assert all(column.meaning for column in export.columns)
    for name, raw in {"video_id": "+first", "source_file": FILENAME, "model_version": "@paper-1"}.items():
        if name in export.header:
            (value,) = table[name].unique()
            assert value == (raw if export is PARQUET else f"'{raw}"), "only a spreadsheet runs formulas"
    for column in export.columns:
        if most := {"0-1": 1, "s": 5}.get(column.unit):
            values = table[column.name].dropna().astype(float)
            assert len(values) and ((values >= 0) & (values <= most)).all()


def test_ids_are_text_to_whoever_reads_a_csv() -> None:
    """57e4831709241764200019 would be read as infinity."""
    like_numbers = [f"57e{number:061d}" for number in (4831709241764200019, 0)]
    for identifier in [videos.id_of(sha256) for sha256 in like_numbers] + [videos.new_id() for _ in range(200)]:
        assert pd.read_csv(io.StringIO(f"video_id\n{identifier}\n"))["video_id"].tolist() == [identifier]
        assert identifier[0].isalpha() and len(identifier) == 22


def test_a_renamed_face_has_its_name_in_the_last_column(database: Database) -> None:
    video_id = finished(database, session_rows())
    with database.write() as session:
        cast.rename(session, video_id, 2, "=Ada")
        cast.merge(session, video_id, 3, into=2)
    table = read_back(database, video_id, TIDY)
    assert set(table.loc[table["face_id"] == 2, "face_name"]) == {"'=Ada"}
    assert table.loc[table["face_id"] != 2, "face_name"].isna().all()


def test_sidecar_describes_its_entries_and_every_file(database: Database) -> None:
    video_id = finished(database, session_rows())
    with database.write() as session:
        cast.rename(session, video_id, 2, "Ada")
        cast.merge(session, video_id, 3, into=2)
        cast.hide(session, video_id, 1)
    with database.read() as session:
        sidecar = json.loads(json.dumps(tidy.sidecar(session, videos.get(session, video_id), "1.0")))
    assert tuple(sidecar) == SIDECAR.header
    assert sidecar["faces"] == 3
    assert [tuple(track.values())[:4] for track in sidecar["face_tracks"]] == [
        (1, None, True, []), (2, "Ada", False, [3]),
    ]  # fmt: skip
    described = {TIDY.name: sidecar["columns"]} | sidecar["exports"]
    assert {name: tuple(columns) for name, columns in described.items()} == {
        export.name: export.header for export in EXPORTS if export is not SIDECAR
    }


def test_long_csv_has_what_the_tidy_one_has(database: Database) -> None:
    video_id = finished(database, session_rows())
    with database.write() as session:
        cast.rename(session, video_id, 2, "@Ada")
    long, tidy = read_back(database, video_id, LONG), read_back(database, video_id, TIDY)
    keys = ["frame", "timestamp", "face_id", "status"]
    melted = tidy.melt(keys, list(EMOTIONS), "emotion", "value").dropna(subset="value")
    joined = long.merge(melted, on=[*keys, "emotion"], suffixes=("", "_tidy"))
    assert len(joined) == len(melted) == 7 * (tidy["status"] == "ok").sum()
    assert joined["value"].tolist() == joined["value_tidy"].tolist()
    blank_rows = long[long["emotion"].isna()]
    assert blank_rows["value"].isna().all()
    assert blank_rows[keys].reset_index(drop=True).equals(tidy.loc[tidy["status"] != "ok", keys].reset_index(drop=True))
    assert set(long.loc[long["face_id"] == 2, "face_name"]) == {"'@Ada"}
    assert set(long["frame"]) == set(range(FRAMES))


def test_parquet_has_what_the_tidy_csv_has_with_its_types(database: Database) -> None:
    video_id = finished(database, session_rows())
    with database.write() as session:
        cast.rename(session, video_id, 2, "Ada")
    table, tidy = read_back(database, video_id, PARQUET), read_back(database, video_id, TIDY)
    assert table["frame"].tolist() == tidy["frame"].tolist()
    np.testing.assert_allclose(table["timestamp"], tidy["timestamp"], atol=1e-6)
    for name in ("status", "emotion"):
        assert table[name].astype(object).fillna("").tolist() == tidy[name].fillna("").tolist()
    for name in ("face_id", "confidence", "box_x", "box_y", "box_w", "box_h", *EMOTIONS, "emotion_probability"):
        np.testing.assert_allclose(table[name], tidy[name], atol=1e-4 if name == "confidence" else 6e-3)
    np.testing.assert_allclose(table[list(EMOTIONS)], tidy[list(EMOTIONS)], atol=1e-6)
    assert set(table.loc[table["face_id"] == 2, "face_name"]) == {"Ada"}
    assert table.loc[table["face_id"] != 2, "face_name"].isna().all()
    types = {name: str(dtype) for name, dtype in table.dtypes.items()}
    assert types["frame"] == "int32"
    assert types["timestamp"] == "float64"
    assert {types[name] for name in ("confidence", "box_x", *EMOTIONS)} == {"float32"}
    assert {types[name] for name in ("status", "emotion", "source_file", "face_name")} == {"category"}


def test_parquet_is_written_in_row_groups_and_describes_itself(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(parquet, "_BATCH_ROWS", 7)
    monkeypatch.setattr(parquet, "_GROUP_BATCHES", 2)
    video_id = finished(database, session_rows())
    path = tmp_path_factory.mktemp("parquet") / "file"
    with database.read() as session, path.open("wb") as file:
        pieces = list(parquet.parquet(session, videos.get(session, video_id), hidden=False))
        file.writelines(pieces)
    with pq.ParquetFile(path) as written:
        metadata, schema = written.metadata, written.schema_arrow
    assert metadata.num_row_groups == -(-metadata.num_rows // 14) > 3
    assert len(pieces) == metadata.num_row_groups + 1, "each row group is sent when it is full"
    described = {field.name: field.metadata[b"meaning"].decode() for field in schema}
    assert described == {column.name: column.meaning for column in PARQUET.columns}
    assert schema.field("timestamp").metadata[b"unit"] == b"s"
    tidy = read_back(database, video_id, TIDY)
    assert pd.read_parquet(path)["status"].tolist() == tidy["status"].tolist()


@pytest.mark.parametrize("export", [LONG, PARQUET], ids=lambda export: export.name)
def test_hidden_faces_leave_a_row_behind_where_no_other_is(database: Database, export: Export) -> None:
    video_id = finished(database, session_rows())
    whole = read_back(database, video_id, export)
    with database.write() as session:
        cast.hide(session, video_id, 1)
    shown, tidy = read_back(database, video_id, export), read_back(database, video_id, TIDY)
    assert set(shown["face_id"].dropna()) == {2, 3}
    assert set(shown["frame"]) == set(range(FRAMES)), "no frame is lost"
    alone = tidy.groupby("frame")["face_id"].agg(set) == {1.0}
    hidden = shown[shown["status"] == "hidden"]
    assert hidden["frame"].tolist() == alone.index[alone].tolist()
    assert hidden[["face_id", "face_name", "emotion"]].isna().all().all()
    pd.testing.assert_frame_equal(read_back(database, video_id, export, hidden=True), whole)


def test_files_of_a_recording_without_faces(database: Database) -> None:
    nobody = blank(4)
    nobody["frame"], nobody["timestamp_s"] = np.arange(4), np.arange(4) / 10
    video_id = finished(database, nobody, segments=1)
    for export in (TIDY, LONG, PARQUET):
        table = read_back(database, video_id, export)
        assert tuple(table.columns) == export.header
        assert table["status"].tolist() == ["no_face"] * 4
    (second,) = read_back(database, video_id, PER_SECOND).to_dict("records")
    assert (second["second"], second["frames"], second["frames_no_face"]) == (0, 4, 4)
    assert len(read_back(database, video_id, PER_FACE)) == len(read_back(database, video_id, NOTES)) == 0


def test_a_single_frame_is_exported(database: Database) -> None:
    video_id = finished(database, rows([0]), segments=1)
    assert len(read_back(database, video_id, LONG)) == 7
    (face,) = read_back(database, video_id, PER_FACE).to_dict("records")
    assert (face["frames"], face["time_on_screen"]) == (1, 1.0)  # of the recording's five seconds


def test_embeddings_are_in_no_file_and_no_answer() -> None:
    """Whoever makes files, pages and answers doesn't read them: they are biometric data."""
    root = Path(emotion_timeline.__file__).parent
    folders = (root / "exports", root / "views", root.parent / "web")
    reading = [path for folder in folders for path in folder.rglob("*.py") if "embedding" in path.read_text()]
    assert reading == []
