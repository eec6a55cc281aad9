"""Whose labels a network gives: FER+'s raters' or FER2013's own. They are named in the version on every row.

A network folder has one version, such as residual-1a2b3c4d. Where the network has a head for each set of labels, what
it makes of a recording by one of them is residual-1a2b3c4d-ferplus or residual-1a2b3c4d-fer2013: two analyses, side by
side. A version without such an ending is of a network with FER2013's labels only, or was given before there was a
choice; it means FER2013's.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from emotion_timeline.errors import ModelError


class Labels(StrEnum):
    """A set of labels; the order of members is that in which they are preferred."""

    FERPLUS = "ferplus"
    FER2013 = "fer2013"

    @property
    def meaning(self) -> str:
        """What a probability means: the one sentence for pages, files and documents."""
        return _MEANINGS[self]


_MEANINGS = {
    Labels.FERPLUS: "Each probability is the share of people who would call the expression this.",
    Labels.FER2013: (
        "Each probability is how likely it is that FER2013's labels, which a search engine gave, would call the "
        "expression this."
    ),
}


class Network(NamedTuple):
    """What is known of a network folder without loading it.

    Attributes:
        version: of the folder.
        labels: which sets it gives, in the order of its heads.
    """

    version: str
    labels: tuple[Labels, ...] = (Labels.FER2013,)

    def chosen(self, asked: Labels | None) -> Labels:
        """The labels to give.

        Args:
            asked: which are asked for; None for FER+'s where the network gives them, else FER2013's.

        Raises:
            ModelError: the network doesn't give those that are asked for.
        """
        if asked is None:
            return next(labels for labels in Labels if labels in self.labels)
        if asked not in self.labels:
            raise ModelError(
                f"The labels {asked} were asked for, but the network {self.version} gives {' and '.join(self.labels)} "
                f"only. Ask for {self.labels[0]}, or serve a network that gives {asked}."
            )
        return asked

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions on rows that it can make, that of the labels that are preferred first."""
        return tuple(self.version_by(labels) for labels in Labels if labels in self.labels)

    def version_by(self, labels: Labels) -> str:
        """The version on the rows that it makes by one of its sets of labels."""
        return self.version if len(self.labels) == 1 else f"{self.version}-{labels}"


def labels_of(version: str) -> Labels:
    """Whose labels the rows of a version have."""
    return next((labels for labels in Labels if version.endswith(f"-{labels}")), Labels.FER2013)


def network_of(version: str) -> str:
    """The version of the network folder that made the rows of a version."""
    for labels in Labels:
        version = version.removesuffix(f"-{labels}")
    return version


def read(names: Sequence[str]) -> tuple[Labels, ...]:
    """The sets of labels that a network's metadata.json lists.

    Raises:
        ValueError: one of them isn't known, or there is none.
    """
    if not names:
        raise ValueError("it lists no labels")
    return tuple(map(Labels, names))
