"""`python -m scripts.picture RECORDING`: the README's picture, docs/video-page.png.

Analyses the recording by a service in a temporary folder, as the demo does, and takes a picture of its page with the
headless Chromium of the system.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urljoin

from scripts.demo import REPOSITORY, DemoFailed, analyze, running_service

PICTURE = REPOSITORY / "docs" / "video-page.png"
SIZE = "1200,1080"  # pixels of the window
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    """Take the picture."""
    parser = argparse.ArgumentParser(prog="picture", description="Take the README's picture.")
    parser.add_argument("recording", type=Path)
    recording = parser.parse_args().recording
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        print(f"A browser was expected on the path: one of {', '.join(_BROWSERS)}. Install one.", file=sys.stderr)
        return 2
    try:
        with tempfile.TemporaryDirectory() as folder, running_service(Path(folder)) as url:
            page = urljoin(url, analyze(url, recording)["links"]["page"])
            _take(browser, page, Path(folder))
    except DemoFailed as exc:
        print(f"The picture could not be taken: {exc}", file=sys.stderr)
        return 1
    print(f"Wrote {PICTURE.relative_to(REPOSITORY)}.")
    return 0


def _take(browser: str, page: str, folder: Path) -> None:
    PICTURE.parent.mkdir(exist_ok=True)
    options = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
        "--hide-scrollbars", "--virtual-time-budget=8000", f"--window-size={SIZE}",
        f"--user-data-dir={folder / 'profile'}",
    ]  # fmt: skip
    subprocess.run([browser, *options, f"--screenshot={PICTURE}", page], check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    sys.exit(main())
