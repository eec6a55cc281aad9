"""Tracks grouped into persons, on made-up embeddings, and held to a plain search for the nearest two groups."""

import time
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from emotion_timeline.faces.embedding import DIMENSIONS, Embedding, normalized
from emotion_timeline.faces.persons import ALIKE, group, linked

Vectors = NDArray[np.float64]


def looks_of(person: int, picture: int, noise: float = 0.03) -> Embedding:
    """One picture of a person: two of the same are alike, two of different people aren't."""
    own = np.random.default_rng(person).normal(size=DIMENSIONS) / DIMENSIONS**0.5
    own += np.random.default_rng((person, picture)).normal(size=DIMENSIONS) * noise
    return normalized(own.astype(np.float32))


def plain(vectors: Vectors, apart: NDArray[np.bool_], alike: float) -> list[int]:
    """The same groups, by definition: the nearest two that may be one, again and again."""
    groups = [[place] for place in range(len(vectors))]
    while True:
        best = max(
            (
                (float(np.mean(vectors[a] @ vectors[b].T)), -i, -j)
                for (i, a), (j, b) in combinations(enumerate(groups), 2)
                if not apart[np.ix_(a, b)].any()
            ),
            default=(-1.0, 0, 0),
        )
        if best[0] < alike:
            return [min(next(g for g in groups if place in g)) for place in range(len(vectors))]
        groups[-best[1]] += groups.pop(-best[2])


@pytest.mark.parametrize("seed", range(20))
def test_chains_of_neighbours_find_the_groups_of_average_linkage(seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(24, 4)) + np.repeat(random.normal(size=(6, 4)) * 2, 4, axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    apart = np.triu(random.random((24, 24)) < 0.1, 1)
    apart |= apart.T
    found = linked(vectors, apart, ALIKE)
    assert found == plain(vectors, apart, ALIKE)
    assert not any(apart[a, b] for a, b in combinations(range(24), 2) if found[a] == found[b])


def test_who_comes_back_has_the_same_number_by_first_appearance() -> None:
    shown = [0, 1, 0, 2, 1, 0]
    track_ids = {place: place + 1 for place in range(len(shown))}
    embeddings = {place: looks_of(person, place) for place, person in enumerate(shown)}
    assert group(track_ids, embeddings, []) == {1: 1, 2: 2, 3: 1, 4: 3, 5: 2, 6: 1}


def test_two_who_are_seen_together_are_never_one_however_alike() -> None:
    twins = {place: looks_of(7, 0) for place in range(3)}
    persons = group({0: 1, 1: 2, 2: 3}, twins, [(0, 1)])
    assert persons[1] != persons[2]
    assert persons[3] in (persons[1], persons[2])


def test_constraint_holds_for_the_whole_group() -> None:
    """The second track is the first's, whom the third has been seen with: so the third is neither."""
    track_ids, embeddings = {0: 1, 1: 2, 2: 3}, {0: looks_of(7, 0), 1: looks_of(7, 0), 2: looks_of(7, 1)}
    assert group(track_ids, embeddings, [(0, 2)]) == {1: 1, 2: 1, 3: 2}


def test_track_without_an_embedding_is_a_person_by_itself() -> None:
    assert group({0: 1, 1: 2, 2: 3}, {0: looks_of(7, 0), 2: looks_of(7, 1)}, []) == {1: 1, 2: 2, 3: 1}


def test_track_of_several_tracklets_looks_like_their_mean() -> None:
    track_ids = {(0, 0): 1, (1, 0): 1, (2, 0): 2}
    embeddings = {(0, 0): looks_of(1, 0), (1, 0): looks_of(1, 1), (2, 0): looks_of(1, 2)}
    assert group(track_ids, embeddings, []) == {1: 1, 2: 1}


def test_order_of_segments_does_not_matter() -> None:
    random = np.random.default_rng(3)
    people = random.integers(0, 9, 60).tolist()
    track_ids = {place: place // 2 + 1 for place in range(60)}
    embeddings = {place: looks_of(people[place // 2], place, noise=0.07) for place in range(60)}
    together = [(place, place + 2) for place in range(0, 50, 6)]
    expected = group(track_ids, embeddings, together)
    for _ in range(5):
        order = random.permutation(60).tolist()
        shuffled = {place: embeddings[place] for place in order}
        swapped = [(b, a) for a, b in reversed(together)]
        assert group({place: track_ids[place] for place in order}, shuffled, swapped) == expected


def test_nothing_is_grouped_where_nothing_is_known() -> None:
    assert group({}, {}, []) == {}
    assert group({"a": 1, "b": 2}, {}, [("a", "b")]) == {1: 1, 2: 2}


def test_a_thousand_tracks_are_grouped_in_well_under_a_second() -> None:
    track_ids = {place: place + 1 for place in range(1000)}
    embeddings = {place: looks_of(place % 40, place) for place in range(1000)}
    start_s = time.process_time()
    persons = group(track_ids, embeddings, [])
    assert time.process_time() - start_s < 2
    assert persons == {place + 1: place % 40 + 1 for place in range(1000)}
