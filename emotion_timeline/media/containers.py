"""Open media files and list their packets: everything about a container that needs no decoding.

A file comes from a stranger. Only known demuxers and the `file` protocol are allowed, so that a playlist (HLS, DASH,
concat) that calls itself a video can't make the service open other files or addresses.
"""

from __future__ import annotations  # PyAV's Packet is generic for type checkers only

import os
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from emotion_timeline.errors import VideoError

UNREADABLE = (FFmpegError, IndexError, ValueError, OverflowError)
"""What PyAV raises where a file is damaged: FFmpeg's own errors, and those of its bindings at what they don't expect.

So an MPEG-TS in which another stream appears half-way is read to its end, and then an IndexError raised.
"""
NO_PTS = np.iinfo(np.int64).min
MAX_SIDE_PX = 16384  # the largest picture of H.264/HEVC level 6.2 is 8192x4320
MAX_PACKETS = 50_000_000  # 9 days at 60 frames/s; 17 bytes of memory each
MAX_READ_ERRORS = 64  # a demuxer can fail on one damaged packet and go on with the next

_VIDEO_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,asf,asf_o,ogg,mxf,nut,dv,ivf,"
    "rm,swf,wtv,nsv,amv,h264,hevc,vvc,evc,m4v,obu,av1,vc1,mjpeg,mpjpeg,yuv4mpegpipe,h263,h261,apng,gif,dhav,ifv,ivr,"
    "lmlm4,iv8,gxf,lxf,nc,cavsvideo,avs2,avs3,dirac,dnxhd,mpegtsraw,nuv,ty,xmv,smk,bink,flic,roq,viv,vivo,mv,mtv,cine,"
    "mlv,r3d,pmp,film_cpk,ipmovie,kux,smjpeg,vc1test"
)
_AUDIO_FORMATS = "mp3,wav,w64,flac,aac,ac3,eac3,aiff,amr,caf,au,ape,dts,tta,wv,xwma,aa,oma"
_IMAGE_FORMATS = (
    "image2,bmp_pipe,dds_pipe,exr_pipe,gif_pipe,hdr_pipe,ico,j2k_pipe,jpeg_pipe,jpegls_pipe,jpegxl_pipe,jpegxl_anim,"
    "pam_pipe,pbm_pipe,pcx_pipe,pgm_pipe,png_pipe,ppm_pipe,psd_pipe,qoi_pipe,sgi_pipe,svg_pipe,tiff_pipe,webp_pipe,"
    "webp,xbm_pipe,xpm_pipe"
)
_IMAGE_BRANDS = ("avif", "heic", "heix", "heim", "heis", "mif1")  # ISO base media files that hold a photograph
# Elementary streams and AVI hold no presentation times: ffmpeg makes them up from the packets' order.
_FORMATS_WITHOUT_PTS = ("avi", "h264", "hevc", "m4v", "mpegvideo", "vc1", "obu", "h263", "h261", "mjpeg")
_MAX_REORDER = 16  # frames; the decoded picture buffer of H.264 and HEVC holds no more


_Stream = TypeVar("_Stream", VideoStream, AudioStream)


@contextmanager
def open_video(
    path: str | os.PathLike[str], stream_index: int | None = None
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file and choose its video stream.

    Args:
        path: the file.
        stream_index: the stream's number in the file, as find_stream tells it; None for the first that may be meant.

    Raises:
        VideoError: missing, empty, not readable, not a media file, an image, audio only, or with absurd dimensions.
    """
    path = Path(path)
    _check_file(path)
    try:
        container = av.open(
            f"file:{path}",
            mode="r",
            metadata_errors="replace",
            container_options={
                "protocol_whitelist": "file",
                "format_whitelist": f"{_VIDEO_FORMATS},{_AUDIO_FORMATS},{_IMAGE_FORMATS}",
            },
        )
    except UNREADABLE as exc:
        raise _refused(path) from exc
    with container:
        streams = candidates(container, path)
        stream = next((stream for stream in streams if stream.index == stream_index), streams[0])
        # A stream that ffmpeg has no decoder for carries no codec context, whatever the type says.
        if getattr(stream, "codec_context", None) is None:
            raise VideoError(
                "unsupported_codec", f"No decoder is known for the video in {path.name}. Convert it to H.264."
            )
        check_size(stream.width, stream.height, path.name)
        yield container, stream


def _refused(path: Path) -> VideoError:
    """Why a file that no demuxer takes is none, as far as its first bytes tell."""
    with path.open("rb") as file:
        head = file.read(32)
    if head.startswith(b"PK\x03\x04"):
        return VideoError(
            "archive", f"{path.name} is a zip archive, not a video. Unpack it and upload the videos in it."
        )
    return VideoError(
        "not_a_video",
        f"{path.name} could not be opened as a video: it is in a format that is not supported, is damaged, "
        "or was cut off before its index. Upload a complete MP4, MOV, MKV, WebM or AVI file.",
    )


def _check_file(path: Path) -> None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise VideoError("not_found", f"{path} does not exist. Check the path.") from exc
    except (OSError, ValueError) as exc:
        raise VideoError("unreadable", f"{path} could not be read. Check its permissions and its name.") from exc
    if not path.is_file():
        raise VideoError("not_a_file", f"{path} is not a file. Give the path of one video file.")
    if status.st_size == 0:
        raise VideoError("empty", f"{path.name} is empty (0 bytes). Upload or copy the video again.")
    if not os.access(path, os.R_OK):
        raise VideoError("unreadable", f"{path} can't be read. Check its permissions.")


def _refused_picture(path: Path) -> VideoError:
    with path.open("rb") as file:
        head = file.read(32)
    if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and head[20] & 2:  # the animation flag of its extended header
        return VideoError(
            "animated_webp", f"{path.name} is an animated WebP picture, which can't be decoded. Convert it to MP4."
        )
    return VideoError("image", f"{path.name} is a still image, not a video. Choose a video file.")


def candidates(container: InputContainer, path: Path) -> list[VideoStream]:
    """Streams that may hold the recording's pictures; the one that the file marks as its default comes first.

    Raises:
        VideoError: there is none.
    """
    if _is_image(container):
        raise _refused_picture(path)
    cover = Disposition.attached_pic | Disposition.timed_thumbnails  # cover art in a music file is no video
    streams = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not streams:
        raise VideoError("no_video_stream", f"{path.name} has no video stream; is it sound only? Choose a video file.")
    return sorted(streams, key=lambda stream: not stream.disposition & Disposition.default)


def check_size(width: int, height: int, name: str) -> None:
    """Refuse pictures without an area and pictures larger than any camera's."""
    if width <= 0 or height <= 0:
        raise VideoError(
            "no_picture", f"{name} states pictures of {width}x{height} pixels; there is nothing to decode."
        )
    if max(width, height) > MAX_SIDE_PX:
        raise VideoError(
            "too_large_dimensions",
            f"{name} has pictures of {width}x{height} pixels; at most {MAX_SIDE_PX} a side can be processed. "
            "Convert it to a smaller size.",
        )


def _is_image(container: InputContainer) -> bool:
    names = container.format.name.split(",")
    if container.metadata.get("major_brand", "") in _IMAGE_BRANDS:
        return True
    return any(name.endswith("_pipe") or name in ("image2", "webp", "ico", "jpegxl_anim") for name in names)


def read_packets(container: InputContainer, *streams: _Stream) -> Iterator[Packet[_Stream]]:
    """Yield the streams' packets in decoding order without the empty ones; go on after read errors, up to a bound."""
    for _ in range(MAX_READ_ERRORS):
        try:
            for packet in container.demux(*streams):
                if packet.size:
                    yield packet  # type: ignore[misc]  # PyAV's stubs know one kind of stream only
            return
        except UNREADABLE:
            continue  # the demuxer keeps its place; a truncated file answers with the same error until the bound


@dataclass(frozen=True, eq=False)
class PacketIndex:
    """The packets of a video stream in decoding order, one per picture.

    Attributes:
        pts: int64 (n,), presentation timestamps in time base units; NO_PTS where the container gives none.
        dts: int64 (n,), decoding timestamps, likewise.
        keyframe: bool (n,), marked as a keyframe by the container.
        presented: bool (n,), False for pictures that are decoded and not shown.
        last_duration: of the packet with the latest pts, in time base units; 0 where unknown.
    """

    pts: NDArray[np.int64]
    dts: NDArray[np.int64]
    keyframe: NDArray[np.bool_]
    presented: NDArray[np.bool_]
    last_duration: int

    def reorder_depth(self) -> int:
        """How many pictures are decoded before, and shown after, another one: at most, over the whole stream."""
        rank = np.empty(len(self.pts), np.int64)
        rank[np.argsort(self.pts, kind="stable")] = np.arange(len(self.pts))
        # A picture shown at rank r and decoded i-th waits for i - r others that were decoded after it in time.
        return int(np.max(np.arange(len(rank)) - rank, initial=0))


def index_packets(container: InputContainer, stream: VideoStream, name: str) -> PacketIndex:
    """Read all packets of a stream and keep their timestamps and flags.

    Raises:
        VideoError: no packet at all, or more than MAX_PACKETS.
    """
    pts, dts, flags = array("q"), array("q"), bytearray()
    last_pts, last_duration = NO_PTS, 0
    for packet in read_packets(container, stream):
        packet_pts = NO_PTS if packet.pts is None else packet.pts
        pts.append(packet_pts)
        dts.append(NO_PTS if packet.dts is None else packet.dts)
        flags.append(packet.is_keyframe | is_shown(packet, stream) << 1)
        if packet_pts >= last_pts:
            last_pts, last_duration = packet_pts, packet.duration or 0
        if len(flags) > MAX_PACKETS:
            raise VideoError("too_many_packets", f"{name} has more than {MAX_PACKETS} frames. Split it into parts.")
    bits = np.frombuffer(flags, np.uint8)
    presented = bits & 2 > 0
    if not presented.any():
        raise VideoError("no_frames", f"{name} announces a video, but holds no frame of it. Upload or copy it again.")
    return PacketIndex(
        np.frombuffer(pts, np.int64), np.frombuffer(dts, np.int64), bits & 1 > 0, presented, last_duration
    )


def is_shown(packet: Packet[VideoStream], stream: VideoStream) -> bool:
    """Whether a packet's picture is presented.

    An edit list cuts pictures away. VP8 keeps alternate reference pictures, which are never shown, in packets of their
    own (RFC 6386, section 9.1).
    """
    if packet.is_discard:
        return False
    return stream.codec_context.name not in ("vp8", "libvpx") or bool(memoryview(packet)[0] & 0x10)


def timestamps_are_trusted(index: PacketIndex, container: InputContainer, stream: VideoStream) -> bool:
    """Whether every picture has its own true presentation time, by which a decoded frame can be recognised."""
    pts = index.pts
    shown = pts[index.presented]
    if (pts == NO_PTS).any() or len(np.unique(shown)) != len(shown):
        return False
    if (np.diff(pts[index.keyframe]) <= 0).any() or index.reorder_depth() > _MAX_REORDER:
        return False  # time steps back
    if container.format.name in _FORMATS_WITHOUT_PTS:  # what was made up is right only where nothing is reordered
        return not stream.codec_context.has_b_frames and bool((np.diff(pts) > 0).all())
    return True


def monotone_times(index: PacketIndex, nominal_step: int) -> NDArray[np.int64]:
    """Make one strictly increasing timeline for a stream whose timestamps are missing or step back.

    The decoding times give the pace: where they go forward they are followed; where they are missing, repeat or step
    back, the stream goes on by its usual step.

    Args:
        index: the packets.
        nominal_step: duration of a frame in time base units, used where the stream itself gives no pace.

    Returns:
        int64 (n,): time of the n presented pictures in order of presentation.
    """
    stated = np.where(index.dts == NO_PTS, index.pts, index.dts)[index.presented]
    known = stated != NO_PTS
    steps = np.diff(stated)
    valid = known[1:] & known[:-1] & (steps > 0)
    step = max(int(np.median(steps[valid])), 1) if valid.any() else max(nominal_step, 1)
    steps[~valid] = step
    start = int(stated[0]) if known[0] else 0
    return np.concatenate(([start], start + np.cumsum(steps)))
