"""The list of videos as the database searches, sorts and pages it, on SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta

import pytest

from emotion_timeline.db import videos
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import VideoStatus
from emotion_timeline.views import listing
from emotion_timeline.views.listing import Search, Sort
from tests.records import add, plan

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = {"a": "Zebra 100%.mp4", "b": "apple_pie.MP4", "c": "A\u0308PFEL.mov", "d": "100 apples.mp4", "e": "straße.mp4"}


@pytest.fixture
def filled(database: Database) -> Database:
    """Five videos, of one in every state, an hour apart."""
    for number, (name, status) in enumerate(zip(NAMES, VideoStatus, strict=True)):
        add(database, name, filename=NAMES[name], info={"duration_s": (30.0, 5.0, 90.0, 1.0, 5.0)[number]})
        with database.write() as session:
            video = videos.get(session, name)
            video.created_at, video.status = START + timedelta(hours=number), status
    return database


def found(database: Database, search: Search, limit: int = 50, offset: int = 0) -> tuple[str, int]:
    with database.read() as session:
        page, total = listing.page(session, search, limit, offset)
        return "".join(video.id for video in page), total


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (Sort.NEWEST, "edcba"),
        (Sort.OLDEST, "abcde"),
        (Sort.LENGTH, "cabed"),
        (Sort.STATE, "badce"),
    ],
)
def test_order(filled: Database, sort: Sort, order: str) -> None:
    assert found(filled, Search(sort=sort)) == (order, 5)
    assert found(filled, Search(sort=sort), limit=2, offset=2) == (order[2:4], 5)
    assert found(filled, Search(sort=sort), limit=2, offset=6) == ("", 5)


def test_order_by_name_takes_no_account_of_case(filled: Database) -> None:
    order, _ = found(filled, Search(sort=Sort.NAME))
    assert [name for name in order if name != "c"] == ["d", "b", "e", "a"]  # where umlauts go is the database's affair


def test_order_by_name_puts_numbers_by_their_size(database: Database) -> None:
    in_order = ["9 lives.mp4", "10 lives.mp4", "P0.mp4", "P2.mp4", "p003.mp4", "P9.mp4", "P10 take 3.mp4"]
    in_order += ["p10 take 12.mp4", "P11.mp4", f"P{'9' * 99}.mp4", f"P1{'0' * 99}.mp4", "Pilot.mp4"]
    for name in reversed(in_order):
        add(database, str(len(in_order) - in_order.index(name)).zfill(2), filename=name)  # ids the other way round
    with database.read() as session:
        pages = [listing.page(session, Search(sort=Sort.NAME), limit=4, offset=offset)[0] for offset in (0, 4, 8)]
    assert [video.filename for page in pages for video in page] == in_order


def test_longest_names_are_stored_and_sorted(database: Database) -> None:
    for video_id, name in (("b", "2b" * 127), ("a", "1b" * 127), ("c", "\ufdfa" * 255)):
        add(database, video_id, filename=name)
    assert found(database, Search(sort=Sort.NAME)) == ("abc", 3)


def test_states_are_sorted_by_what_needs_attention(filled: Database) -> None:
    order, _ = found(filled, Search(sort=Sort.STATE))
    with filled.read() as session:
        states = [videos.get(session, name).status.value for name in order]
    assert states == ["running", "queued", "failed", "done", "cancelled"]


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("APPLE", "db"),
        ("100%", "a"),
        ("e_p", "b"),
        ("%", "a"),
        ("_", "b"),
        ("/", ""),
        ("\u00e4pfel", "c"),  # composed otherwise than the name is
        ("STRASSE", "e"),
        ("'; DROP TABLE videos; --", ""),
    ],
)
def test_search_finds_the_text_as_it_stands_in_any_case(filled: Database, text: str, order: str) -> None:
    assert found(filled, Search(name=text)) == (order, len(order))


def test_filter_by_state(filled: Database) -> None:
    for name, status in zip(NAMES, VideoStatus, strict=True):
        assert found(filled, Search(status=status)) == (name, 1)
    assert found(filled, Search(name="apple", status=VideoStatus.RUNNING)) == ("b", 1)


def test_length_follows_what_planning_finds(database: Database) -> None:
    video_id = add(database, info={"duration_s": 3.0})
    plan(database, video_id)  # its description has no length
    with database.read() as session:
        assert videos.get(session, video_id).duration_s == 0
