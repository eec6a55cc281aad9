"""Open media files and read their packets: everything about a container that needs no decoding.

A file comes from a stranger. Only known demuxers and the `file` protocol are allowed, so that a playlist (HLS, DASH,
concat) that calls itself a video can't make the service open other files or addresses.
"""

from __future__ import annotations  # PyAV's Packet is generic for type checkers only

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from emotion_timeline.errors import VideoError

UNREADABLE = (FFmpegError, IndexError, ValueError, OverflowError)
"""What PyAV raises where a file is damaged: FFmpeg's own errors, and those of its bindings at what they don't expect.

So an MPEG-TS in which another stream appears half-way is read to its end, and then an IndexError raised.
"""
MAX_SIDE_PX = 16384  # the largest picture of H.264/HEVC level 6.2 is 8192x4320
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

_Stream = TypeVar("_Stream", VideoStream, AudioStream)


@contextmanager
def open_video(
    path: str | os.PathLike[str], stream_index: int | None = None
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file and choose its video stream.

    Args:
        path: the file.
        stream_index: the stream's number in the file, as Tracks tells it; None for the first that may be meant.

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
        yield container, choose_stream(container, path, stream_index)


def choose_stream(container: InputContainer, path: Path, stream_index: int | None = None) -> VideoStream:
    """One of the file's video streams; arguments and errors are those of open_video."""
    streams = candidates(container, path)
    stream = next((stream for stream in streams if stream.index == stream_index), streams[0])
    # A stream that ffmpeg has no decoder for carries no codec context, whatever the type says.
    if getattr(stream, "codec_context", None) is None:
        raise VideoError("unsupported_codec", f"No decoder is known for the video in {path.name}. Convert it to H.264.")
    check_size(stream.width, stream.height, path.name)
    return stream


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
    if not container.streams.video and not container.streams.audio:
        raise _refused(path)  # all that is left of a file that was cut off may be its first bytes
    cover = Disposition.attached_pic | Disposition.timed_thumbnails  # cover art in a music file is no video
    streams = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not streams:
        raise VideoError("no_video_stream", f"{path.name} has no video stream; is it sound only? Choose a video file.")
    return sorted(streams, key=lambda stream: not stream.disposition & Disposition.default)


def check_size(width: int, height: int, name: str) -> None:
    """Refuse pictures without an area and pictures larger than any camera's."""
    if width <= 0 or height <= 0:
        raise VideoError(
            "no_picture",
            f"{name} states pictures of {width}x{height} pixels; there is nothing to decode. "
            "Upload or copy it again, or convert it to H.264 MP4.",
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
    """Yield the streams' packets in decoding order without the empty ones; go on after read errors, up to a bound.

    AVI numbers its slots, which all last equally long, and an empty one is a picture that was dropped. ffmpeg gives
    that number as the decoding time and makes up a presentation time, which goes wrong after a gap; so it is replaced.
    """
    has_slots = container.format.name == "avi"
    for _ in range(MAX_READ_ERRORS):
        try:
            for packet in container.demux(*streams):
                if has_slots and packet.dts is not None:
                    packet.pts = packet.dts
                if packet.size:
                    yield packet  # type: ignore[misc]  # PyAV's stubs know one kind of stream only
            return
        except UNREADABLE:
            continue  # the demuxer keeps its place; a truncated file answers with the same error until the bound
