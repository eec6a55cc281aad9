"""Find out which pictures damage makes worthless, from what went into the decoder and what came out.

A decoder goes on after damage and shows older pixels, moved about by differences that were meant for others. So damage
counts up to the next keyframe. What no decoder notices can't be found: HEVC and VP9 have no checksum, and altered bits
inside their entropy-coded data mostly decode to something.
"""

from dataclasses import dataclass, field


@dataclass
class PacketLog:
    """What went into the decoder, by keys: timestamps or, where those can't be trusted, numbers in decoding order.

    Attributes:
        packets: key and keyframe flag of every packet that should show a picture, in decoding order.
        damaged: keys of the packets that the decoder refused, or whose pictures it calls corrupt.
    """

    packets: list[tuple[int, bool]] = field(default_factory=list)
    damaged: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Damage:
    """Keys of packets.

    Attributes:
        undecodable: packets whose pictures are damaged, or are predicted from damaged ones.
        lost: packets that gave no picture, ascending.
    """

    undecodable: set[int]
    lost: list[int]


def assess_damage(
    log: PacketLog, ranks: dict[int, int], reorder_depth: int, by_order: bool, has_empty_pictures: bool
) -> Damage:
    """Work out the damage of a decoded span.

    Args:
        log: what went in.
        ranks: for the key of each picture that came out, its number in order of coming out.
        reorder_depth: pictures that the decoder holds back to put them in order.
        by_order: keys are numbers in decoding order, which don't say when a lost picture would have been shown.
        has_empty_pictures: the codec has packets that rightly give no picture.
    """
    lost = sorted(key for key, _ in log.packets if key not in ranks)
    # Before, and leading to, the first keyframe no picture is expected.
    first = next((key for key, is_keyframe in log.packets if is_keyframe), 0)
    damaged = log.damaged.union([] if has_empty_pictures else (key for key in lost if key >= first))
    if by_order:
        # Where among its neighbours a lost picture belongs is not known, so they can't be told apart.
        damaged |= {key - back for key in damaged for back in range(reorder_depth + 2)}
    else:
        ranks = {key: key for key, _ in log.packets}
    return Damage(_dependent(log.packets, damaged, ranks), lost)


def _dependent(packets: list[tuple[int, bool]], damaged: set[int], ranks: dict[int, int]) -> set[int]:
    """Add to the damaged packets those that are predicted from them.

    That is everything up to the next keyframe, in decoding order, and the pictures that lead to that keyframe; but not
    what follows it: nothing is predicted from leading pictures except each other.
    """
    undecodable: set[int] = set()
    keyframe_rank, damaged_now, damaged_before = -1, False, False
    for key, is_keyframe in packets:
        if is_keyframe:
            keyframe_rank, damaged_before, damaged_now = ranks.get(key, -1), damaged_now, False
        if key in ranks and ranks[key] < keyframe_rank:  # a leading picture
            damaged_before = damaged_before or damaged_now or key in damaged
            worthless = damaged_before
        else:
            worthless = damaged_now = damaged_now or key in damaged
        if worthless:
            undecodable.add(key)
    return undecodable
