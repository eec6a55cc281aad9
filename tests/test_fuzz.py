"""Damaged files: a small part of `python -m benchmarks.fuzz`, and whether it would notice."""

from benchmarks.fuzz import CLIPS, fuzz, mutated

_FILES = len(CLIPS)


def test_damaged_files_are_analysed_or_refused_in_a_sentence() -> None:
    """One of each clip; their frames are decoded, and no faces are looked for."""
    outcomes = list(fuzz(range(_FILES), seed=7, with_faces=False))
    assert [outcome.number for outcome in outcomes] == list(range(_FILES))
    assert [outcome for outcome in outcomes if outcome.is_fault] == []
    assert {outcome.what for outcome in outcomes} == {"analysed", "refused"}


def test_a_file_that_takes_too_long_is_told_and_the_next_one_tried() -> None:
    outcomes = list(fuzz(range(2), seed=7, with_faces=False, hang_s=0.0))
    assert [outcome.number for outcome in outcomes] == [0, 1]
    assert "hang" in {outcome.what for outcome in outcomes}


def test_a_file_is_damaged_in_the_same_way_every_time() -> None:
    clips = {"a.mp4": bytes(range(256)) * 40, "b.ts": b"G" * 5000}
    for number in range(40):
        how, content = mutated(number, 3, clips)
        assert (how, content) == mutated(number, 3, clips)
        assert how.split(", ")[0] == ("a.mp4", "b.ts")[number % 2]
    assert len({mutated(number, 3, clips)[1] for number in range(40)}) > 30
