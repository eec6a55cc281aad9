"""Kinds of recordings that people bring: what is special about each clip of make.CLIPS, and clips of more kinds, as
phones, cameras, recorders, broadcasters and conferences write them. docs/formats.md is made from here.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.media.make import Clip

WHAT = {
    "b_frames.mp4": "pictures are decoded in another order than they are shown in",
    "open_gop.mp4": "pictures that lead to a keyframe and are predicted across it (open GOP)",
    "open_gop.mkv": "open GOP",
    "open_gop.ts": "open GOP, as cameras and receivers store it",
    "no_b_frames.flv": "a stream of a conference",
    "variable_rate.mp4": "every frame stands for another time, as phones record",
    "edit_list.mp4": "the beginning was cut off without encoding anew (edit list)",
    "start_offset.mp4": "the first frame comes later than the file begins",
    "start_offset.mkv": "the first frame comes later than the file begins; times in milliseconds",
    "rotated_90.mp4": "the phone was upright",
    "rotated_180.mp4": "the phone was upside down",
    "rotated_270.mp4": "the phone was upright the other way",
    "mirrored_90.mp4": "a selfie: mirrored and turned",
    "wide_pixels.mp4": "pixels are wider than high (16:11)",
    "tall_pixels_90.mkv": "pixels are higher than wide, and the picture is turned",
    "full_range.mp4": "brightness uses all of 0-255",
    "odd_size.mp4": "163x97 pixels, colour at full resolution",
    "one_frame.mp4": "a single frame",
    "sound_goes_on.mp4": "the sound is longer than the pictures",
    "index_first.mp4": "made for streaming: the index comes first",
    "interlaced.ts": "interlaced, coded by frames",
    "open_gop_hevc.mov": "open GOP",
    "ten_bit_hevc.mp4": "10 bits",
    "hdr_pq.mp4": "HDR (PQ), 10 bits",
    "hdr_hlg.mov": "HDR (HLG), 10 bits",
    "vp9_odd_size.webm": "159x93 pixels",
    "vp8_hidden_frames.webm": "some packets hold pictures that are never shown",
    "mpeg4.avi": "an older camera",
    "mpeg4_b_frames.avi": "pictures out of order, for which AVI has no times",
    "h264_b_frames.avi": "pictures out of order, for which AVI has no times",
    "dropped_frames.avi": "a webcam that dropped frames",
    "dropped_b_frames.avi": "dropped frames, and pictures out of order",
    "dropped_b_frames_mpeg4.avi": "dropped frames, and pictures out of order",
    "mjpeg.avi": "a compact camera",
    "mpeg2.mpg": "a programme stream with an open GOP",
    "wmv.asf": "Windows Media",
    "elementary.h264": "no container: without times, 25 frames/s are assumed",
    "animation.gif": "an animation",
}
"""What is special about each of make.CLIPS."""


@dataclass(frozen=True)
class Kind:
    """A clip, and what is special about it."""

    clip: Clip
    what: str


_H264 = {"preset": "veryfast", "crf": "20", "g": "12", "threads": "1", "bf": "0"}
_REORDERED = {**_H264, "bf": "3", "x264-params": "b-adapt=0:b-pyramid=normal:scenecut=0"}
_OPEN_GOP = {**_H264, "bf": "3", "x264-params": "b-adapt=0:open-gop=1:scenecut=0"}
_HEVC = {
    "preset": "ultrafast",
    "crf": "20",
    "x265-params": "keyint=12:min-keyint=12:bframes=3:b-adapt=0:pools=none:frame-threads=1:log-level=none",
}
_VP = {"deadline": "realtime", "cpu-used": "8", "g": "12", "crf": "20", "b:v": "0", "threads": "1"}
_AV1 = {"preset": "8", "crf": "10", "g": "12", "svtav1-params": "enable-tf=0:lp=1"}
_MPEG = {"g": "12", "bf": "2", "qmin": "2", "qmax": "4"}
_OLD = {"g": "12", "qmin": "2", "qmax": "4"}
_MPEG4 = {"g": "12", "qscale": "3", "flags": "+qscale"}
_NO_LENGTH = {"live": "1"}
_SLIDES = [0, *range(120_000, 120_600, 40), *range(360_000, 360_400, 40)]
_FROZEN = [0, 33, 66, 500, 540, 1200, 1233, 1290, 1400, 2600]
_NTSC = [number * 1001 for number in range(30)]

KINDS = (
    Kind(
        Clip("phone.mov", "libx265", 30, options=_HEVC, pix_fmt="yuv420p10le", rotation=(-90, False), transfer=18,
             sound_s=1),
        "an iPhone's: HDR, 10 bits, upright, with sound",
    ),
    Kind(Clip("slow_motion.mp4", frames=60, rate=240, options=_REORDERED), "slow motion: 240 frames/s"),
    Kind(
        Clip("time_lapse.mp4", frames=12, options=_H264, pts=range(0, 60, 5), time_base=1),
        "a time-lapse: a frame every 5 s",
    ),
    Kind(
        Clip("action_camera.mp4", frames=30, options=_REORDERED, sound_s=1, data_tracks=2),
        "an action camera's: tracks of positions and sensors beside it",
    ),
    Kind(
        Clip("time_code.mov", "prores_ks", 30, 25, {"profile": "hq"}, "yuv422p10le", time_code="10:59:59:12"),
        "a cinema camera's: 10 bits, with a track of time codes",
    ),
    Kind(Clip("ntsc.mp4", frames=30, rate=30, options=_REORDERED, pts=_NTSC, time_base=30_000), "29.97 frames/s"),
    Kind(
        Clip("camcorder.m2ts", frames=30, options=_OPEN_GOP, container_options={"mpegts_m2ts_mode": "1"}, sound_s=1),
        "AVCHD, as on a camcorder's card",
    ),
    Kind(Clip("tape.dv", "dvvideo", 10, 25, size=(720, 576)), "a DV tape"),
    Kind(
        Clip("screen_recorder.mkv", frames=30, options=_REORDERED, container_options=_NO_LENGTH),
        "a screen recorder's that was not ended: no length, no index",
    ),
    Kind(
        Clip("slides.mkv", frames=len(_SLIDES), options=_H264, pts=_SLIDES, time_base=1000),
        "slides that stand for minutes",
    ),
    Kind(Clip("screen.mov", "qtrle", 30, pix_fmt="rgb24"), "a screen recording without loss"),
    Kind(Clip("screen.avi", "zmbv", 30, pix_fmt="bgr0"), "a screen recording without loss, keyframes far apart"),
    Kind(
        Clip("fragmented.mp4", frames=30, options=_REORDERED,
             container_options={"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
        "fragments without a length, as browsers and services record",
    ),
    Kind(
        Clip("browser.webm", "libvpx", 30, options=_VP, container_options=_NO_LENGTH),
        "a browser's MediaRecorder: no length, no index",
    ),
    Kind(Clip("conference.flv", frames=10, options=_H264, pts=_FROZEN, time_base=1000), "frames that freeze"),
    Kind(Clip("late_camera.mkv", frames=30, options=_REORDERED, shift=120, sound_s=6), "sound long before pictures"),
    Kind(
        Clip("wraps.ts", frames=60, options=_OPEN_GOP, container_options={"output_ts_offset": "95442.5"}),
        "the clock of MPEG begins anew within it, as it does every 26.5 h",
    ),
    Kind(
        Clip("broadcast.ts", "mpeg2video", 30, 25, {**_MPEG, "flags": "+ildct+ilme"}),
        "interlaced television",
    ),
    Kind(Clip("recorder.wtv", "mpeg2video", 30, 25, _MPEG), "television recorded by Windows"),
    Kind(Clip("disc.vob", "mpeg2video", 30, 25, _MPEG), "from a DVD"),
    Kind(Clip("video_cd.mpg", "mpeg1video", 30, 25, _MPEG), "from a Video CD"),
    Kind(Clip("broadcast.mxf", "mpeg2video", 30, 25, _MPEG, "yuv422p"), "a studio's"),
    Kind(Clip("studio.mxf", "dnxhd", 10, 25, {"profile": "dnxhr_hqx"}, "yuv422p10le", (320, 192)), "10 bits"),
    Kind(Clip("feature_phone.3gp", "h263", 30, 25, _MPEG4, size=(176, 144)), "an early phone's"),
    Kind(Clip("feature_phone_mpeg4.3gp", "mpeg4", 30, 25, _MPEG4), "an early phone's"),
    Kind(Clip("flash.flv", "flv", 30, 25, _MPEG4), "an early web camera's"),
    Kind(Clip("msmpeg4.avi", "msmpeg4", 30, options=_OLD), "an early encoder of Windows"),
    Kind(Clip("movie_maker.wmv", "wmv1", 30, options=_OLD), "Windows Movie Maker's"),
    Kind(Clip("h264.asf", frames=30, options=_H264), "a surveillance recorder's"),
    Kind(Clip("av1.mp4", "libsvtav1", 30, options=_AV1), "a recent phone's or browser's"),
    Kind(Clip("av1_ten_bit.webm", "libsvtav1", 30, options=_AV1, pix_fmt="yuv420p10le"), "10 bits"),
    Kind(Clip("vp9_alpha.webm", "libvpx-vp9", 30, options=_VP, pix_fmt="yuva420p"), "transparent"),
    Kind(Clip("vp9.mp4", "libvpx-vp9", 30, options=_VP), "a recorder's"),
    Kind(Clip("vp9.ivf", "libvpx-vp9", 30, options=_VP), "a test tool's container"),
    Kind(Clip("vp8.ogv", "libvpx", 30, options=_VP), "Ogg, as free software writes it"),
    Kind(Clip("high_10.mkv", frames=30, options=_REORDERED, pix_fmt="yuv420p10le"), "10 bits"),
    Kind(Clip("lossless.mp4", frames=30, options={**_REORDERED, "qp": "0"}, pix_fmt="yuv444p"), "without loss"),
    Kind(Clip("hevc_422.mp4", "libx265", 30, options=_HEVC, pix_fmt="yuv422p10le"), "4:2:2 with 10 bits"),
    Kind(Clip("hevc.ts", "libx265", 30, options=_HEVC), "a receiver's or drone's"),
    Kind(Clip("elementary.hevc", "libx265", 30, 25, _HEVC), "no container: without times, 25 frames/s are assumed"),
    Kind(Clip("archive.mkv", "ffv1", 30, options={"g": "1"}), "an archive's, without loss"),
    Kind(Clip("archive.avi", "huffyuv", 30, pix_fmt="yuv422p"), "an older archive's, without loss"),
    Kind(Clip("uncompressed.avi", "rawvideo", 10, pix_fmt="bgr24"), "not compressed"),
    Kind(Clip("uncompressed.nut", "rawvideo", 10, pix_fmt="yuv420p"), "not compressed"),
    Kind(Clip("cd_rom.mov", "cinepak", 10, pix_fmt="rgb24"), "a CD-ROM's"),
    Kind(Clip("camera.mov", "mjpeg", 30, options={"qmin": "2", "qmax": "3"}, pix_fmt="yuvj422p"), "a compact camera's"),
    Kind(Clip("cinema.mkv", "jpeg2000", 10), "as in cinemas"),
    Kind(Clip("animation.apng", "apng", 20, 25, pix_fmt="rgb24"), "an animated picture"),
    Kind(Clip("animation.avif", "libsvtav1", 20, 25, _AV1), "an animated picture"),
)  # fmt: skip
"""Each is read from its first frame to its last: which frame it is, and when it is shown."""

OTHERS = (
    (
        "MPEG-TS",
        "H.264",
        "interlaced, coded by fields (PAFF), with a time for each field or each frame",
        "each frame and its time",
    ),
    ("MP4", "H.264", "interlaced, coded by fields", "each frame and its time; damage"),
    ("Matroska", "H.264", "interlaced, coded by fields", "each frame and its time"),
    ("Matroska", "H.264", "frames that have the time of the one before", "each frame and its time"),
    ("FLV", "H.264", "pictures out of order, with times of decoding only", "each frame and its time"),
    ("FLV", "H.264", "a frame whose time is hours off", "each frame and its time"),
    ("MPEG-TS", "H.264", "two recordings, one after the other; the clock begins anew", "each frame; times go on"),
    ("MPEG-TS", "H.264", "the size of the picture changes", "each frame"),
    ("MP4", "H.264", "a thumbnail, or another track, comes first", "the moving picture is chosen; each frame"),
    *(
        (container, codec, "cut off", "each frame that is left, and its time")
        for container, codec in (
            ("MP4", "H.264"),
            ("Matroska", "H.264"),
            ("MPEG-TS", "H.264"),
            ("MPEG-PS", "MPEG-2"),
            ("AVI", "MPEG-4"),
        )
    ),
    *(
        (container, codec, "damaged", "no frame is lost; what can't be decoded is said; the others are right")
        for container, codec in (
            ("MP4", "H.264"),
            ("Matroska", "H.264"),
            ("AVI", "MPEG-4"),
            ("AVI", "H.264"),
            ("MOV", "HEVC"),
        )
    ),
)
"""What tests make of the clips above: container, codec, what is special, what is checked."""

REFUSED = {
    "not_a_video": "text, programs, noise, playlists, files cut off before their index",
    "empty": "a file of 0 bytes",
    "archive": "a zip archive",
    "image": "a still image",
    "animated_webp": "an animated WebP picture",
    "no_video_stream": "sound only",
    "no_moving_picture": "a song with its cover",
    "no_frames": "a video of which no frame is left",
    "no_picture": "pictures without an area",
    "too_large_dimensions": "pictures of more than 16384 pixels a side",
    "undecodable": "a video of which nothing can be decoded",
    "unsupported_codec": "a codec without a decoder",
    "encrypted": "an encrypted video",
}
"""What is said no to, by the code of the refusal."""
