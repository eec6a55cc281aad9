"""Write every clip that tests read, and the demo clip, into a folder: `python -m tests.media FOLDER`."""

import sys
from pathlib import Path

from tests.media.demo import DEMO, make_demo
from tests.media.make import CLIPS, make_clip, make_sound

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for clip in CLIPS:
    make_clip(clip, folder / clip.name)
make_sound(folder / "sound.m4a")
make_demo(folder / DEMO.name)
