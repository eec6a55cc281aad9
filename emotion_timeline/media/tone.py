"""Show pictures of high dynamic range (HDR) on usual screens, which would else be grey and dull: tone mapping.

The signal is turned into light (ITU-R BT.2100: PQ, or HLG on a display of 1,000 cd/m²). Highlights are rolled off to
203 cd/m², which is white in HDR (BT.2408), by BT.2390's curve on the largest of a pixel's three values, so that hues
stay. Then it goes from BT.2020's primaries to BT.709's (BT.2087), and to the signal of BT.1886. All of that is one
table of 65³ colours, made once, between whose entries FFmpeg's `lut3d` interpolates.
"""

import os
import tempfile
from fractions import Fraction
from functools import lru_cache

import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from numpy.typing import NDArray

PQ, HLG = 16, 18  # AVCOL_TRC_SMPTE2084, AVCOL_TRC_ARIB_STD_B67
_BT709_PRIMARIES = 1  # AVCOL_PRI_BT709
_SIDE = 65  # of the table
_WHITE_NITS, _PEAK_NITS = 203.0, 1000.0
_TO_BT709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
_BT2020_LUMA = np.array([0.2627, 0.6780, 0.0593])

_Light = NDArray[np.float64]
"""float64 of any shape: cd/m², or a signal of 0-1."""


def is_hdr(frame: VideoFrame) -> bool:
    """Whether a picture says that its signal is PQ or HLG."""
    return frame.color_trc in (PQ, HLG)


class ToneMapper:
    """Maps pictures of one recording, whose size may change. Holds a graph of filters; for one thread."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._key: tuple[int, ...] = ()

    def map(self, frame: VideoFrame, transfer: int, primaries: int) -> VideoFrame:
        """Map one picture.

        Args:
            frame: RGB of 16 bits, rgb48le, with the signal as it is stored.
            transfer: PQ or HLG.
            primaries: FFmpeg's number for them; other than BT.709's are taken for BT.2020's.

        Returns:
            The same picture as bgr24 with the signal that usual screens expect.
        """
        key = (frame.width, frame.height, transfer, primaries)
        if self._graph is None or key != self._key:
            self._graph, self._key = _graph(frame, table(transfer, primaries != _BT709_PRIMARIES)), key
        frame.pts = None
        self._graph.push(frame)
        mapped = self._graph.pull()
        assert isinstance(mapped, VideoFrame)
        return mapped


def _graph(frame: VideoFrame, colours: NDArray[np.float32]) -> Graph:
    graph = Graph()
    with tempfile.NamedTemporaryFile("w", suffix=".cube") as file:  # the filter reads it when it is made
        file.write(f"LUT_3D_SIZE {_SIDE}\n")
        np.savetxt(file, colours.reshape(-1, 3), "%.5f")
        file.flush()
        source = graph.add_buffer(
            template=None, width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25)
        )
        steps = [source, graph.add("lut3d", file=os.fspath(file.name)), graph.add("format", pix_fmts="bgr24")]
        graph.link_nodes(*steps, graph.add("buffersink")).configure()
    return graph


@lru_cache(maxsize=4)
def table(transfer: int, is_bt2020: bool) -> NDArray[np.float32]:
    """The colours shown for those stored: float32 (65, 65, 65, 3), by blue, green and red, each an RGB of 0-1."""
    axis = np.linspace(0, 1, _SIDE)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    light = (_light_of_pq if transfer == PQ else _light_of_hlg)(np.stack([red, green, blue], axis=-1))
    largest = np.maximum(light.max(axis=-1, keepdims=True), 1e-6)
    light = light * (_roll_off(largest) / largest) / _WHITE_NITS
    if is_bt2020:
        light = light @ _TO_BT709.T
    return np.asarray(np.clip(light, 0, 1) ** (1 / 2.4), np.float32)


def _light_of_pq(signal: _Light) -> _Light:
    """BT.2100, table 4: the EOTF."""
    power = signal ** (32 / 2523)
    return 10_000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (16384 / 2610)


def _pq_of_light(nits: _Light) -> _Light:
    power = (nits / 10_000) ** (2610 / 16384)
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** (2523 / 32)


def _light_of_hlg(signal: _Light) -> _Light:
    """BT.2100, table 5: the inverse OETF, and the OOTF of a display of 1,000 cd/m²."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luma = np.sum(scene * _BT2020_LUMA, axis=-1, keepdims=True)
    return np.asarray(_PEAK_NITS * luma**0.2 * scene)


def _roll_off(nits: _Light) -> _Light:
    """BT.2390, section 5.4.1: the EETF from black to _PEAK_NITS onto black to _WHITE_NITS."""
    peak = _pq_of_light(np.array(_PEAK_NITS))
    most = _pq_of_light(np.array(_WHITE_NITS)) / peak
    knee = 1.5 * most - 0.5
    stated = np.minimum(_pq_of_light(nits) / peak, 1)
    t = (stated - knee) / (1 - knee)
    curve = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return _light_of_pq(np.where(stated < knee, stated, curve) * peak)
