"""Which tracks are the same person: by what they look like, within one recording.

Average linkage: two groups are as alike as their tracks are on average, and the two that are most alike become one,
until none are alike enough. Two tracks that are in one frame together never come into one group. The average of all
pairs is the scalar product of the groups' sums, so no table of pairs is needed; and as neither the average nor the
constraint ever brings a group nearer to a third, chains of nearest neighbours find the same groups in time that grows
with the square of the tracks (Müllner 2011, "Modern hierarchical, agglomerative clustering algorithms").
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from emotion_timeline.faces.embedding import DIMENSIONS, Embedding

ALIKE = 0.55
"""From this similarity on, -1 to 1, two groups are one person.

Just above the most alike of 50 people, 0.53: `python -m benchmarks.person_threshold`, docs/persons.md.
"""

Key = TypeVar("Key")
_NEVER = -2.0  # below any similarity


def group(
    track_ids: Mapping[Key, int], embeddings: Mapping[Key, Embedding], together: Iterable[tuple[Key, Key]]
) -> dict[int, int]:
    """Number the person that each track shows.

    Args:
        track_ids: of every tracklet, 1-based by first appearance.
        embeddings: of those tracklets that can be told apart. A track without one is a person by itself.
        together: pairs of tracklets that are in one frame together.

    Returns:
        face id, 1-based by first appearance, for every track id. The order of what is given doesn't matter.
    """
    vectors = _mean_looks(track_ids, embeddings)
    places = {track_id: place for place, track_id in enumerate(vectors)}
    apart = np.zeros((len(places), len(places)), np.bool_)
    for a, b in together:
        one, other = places.get(track_ids[a]), places.get(track_ids[b])
        if one is not None and other is not None:
            apart[one, other] = apart[other, one] = True
    groups = linked(np.array(list(vectors.values())).reshape(-1, DIMENSIONS), apart, ALIKE)
    persons: dict[int, int] = {}
    return {
        track_id: persons.setdefault(groups[places[track_id]] if track_id in places else -track_id, len(persons) + 1)
        for track_id in sorted(set(track_ids.values()))
    }


def _mean_looks(track_ids: Mapping[Key, int], embeddings: Mapping[Key, Embedding]) -> dict[int, NDArray[np.float64]]:
    """What each track that can be told apart looks like: float64 (128,) of length 1, in order of the tracks."""
    own: dict[int, list[Embedding]] = {}
    for key, embedding in embeddings.items():
        own.setdefault(track_ids[key], []).append(embedding)
    means = {}
    for track_id, looks in sorted(own.items()):
        looks.sort(key=lambda embedding: embedding.tobytes())  # the last digits of a sum depend on the order
        total = np.sum(looks, axis=0, dtype=np.float64)
        means[track_id] = np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), np.float64)
    return means


def linked(vectors: NDArray[np.float64], apart: NDArray[np.bool_], alike: float) -> list[int]:
    """Group vectors of length 1 by average linkage under constraints.

    Args:
        vectors: float64 (n, d).
        apart: bool (n, n), symmetric: which two must not be in one group.
        alike: least similarity of two groups that become one.

    Returns:
        for each vector the place of the first one of its group.
    """
    sums, apart, sizes = vectors.copy(), apart.copy(), np.ones(len(vectors))
    open_ = np.ones(len(vectors), np.bool_)  # groups that may still grow
    groups = np.arange(len(vectors))
    chain: list[int] = []
    while open_.any():
        if not chain:
            chain.append(int(open_.argmax()))
        last = chain[-1]
        similarity = sums @ sums[last] / (sizes * sizes[last])
        similarity[~open_ | apart[last]] = _NEVER
        similarity[last] = _NEVER
        nearest = int(similarity.argmax())
        if similarity[nearest] < alike:
            open_[last] = False  # what others become is never nearer
            chain.pop()
        elif len(chain) > 1 and similarity[chain[-2]] >= similarity[nearest]:
            kept, gone = sorted(chain[-2:])
            del chain[-2:]
            sums[kept] += sums[gone]
            sizes[kept] += sizes[gone]
            apart[kept] |= apart[gone]
            apart[:, kept] = apart[kept]
            groups[groups == gone] = kept
            open_[gone] = False
        else:
            chain.append(nearest)
    return [int(place) for place in groups]
