"""Headers on every answer, requests of other sites refused, and nothing heavy or hostile in the web process."""

import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from emotion_timeline.config import load
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.errors import SettingsError
from tests.services import REPOSITORY
from tests.website import TWO_FACES, Website, assert_problem


@pytest.mark.parametrize("path", ["/", "/videos/nobody", "/api/v1/videos", "/api/v1/nothing", "/static/http/style.css"])
def test_every_answer_carries_the_headers(site: Website, path: str) -> None:
    with site.client.get(path) as response:
        headers = response.headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert policy["media-src"] == "'self' blob:"
    allowed = dict(part.split("=") for part in headers["Permissions-Policy"].split(", "))
    assert {name for name, who in allowed.items() if who != "()"} == {"camera", "microphone"}
    assert allowed["camera"] == allowed["microphone"] == "(self)"
    assert "Set-Cookie" not in headers


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:9999"},
    {"Origin": "null"},
]
OWN = [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://localhost"}]


@pytest.mark.parametrize("headers", FOREIGN)
def test_change_asked_for_by_another_site_is_refused(site: Website, headers: dict[str, str]) -> None:
    site.queued()
    for method, path in (
        ("POST", "/api/v1/videos"),
        ("POST", "/api/v1/videos/v/cancel"),
        ("POST", "/api/v1/videos/v/reanalyze"),
        ("POST", "/videos/v/reanalyze"),
        ("DELETE", "/api/v1/videos/v"),
        ("POST", "/videos/v/delete"),
        ("POST", "/videos"),
    ):
        assert site.client.open(path, method=method, headers=headers).status_code == 403
    assert site.client.get("/api/v1/videos/v", headers=headers).get_json()["status"] == "queued"
    assert site.rows() == 1


@pytest.mark.parametrize("headers", OWN)
def test_change_asked_for_here_or_by_a_program_is_done(site: Website, headers: dict[str, str]) -> None:
    site.queued()
    assert site.client.post("/api/v1/videos/v/cancel", headers=headers).status_code == 200


SERVED = ["localhost", "localhost:8000", "LOCALHOST.", "127.0.0.1", "127.8.9.1:80", "[::1]:8000", "[::1]"]
NAMED = ["faces.example", "FACES.example:9", "other.example", "[2001:db8::7]:80"]
REFUSED = ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "192.168.1.7", "[fe80::1]:80"]


@pytest.mark.parametrize("host", [*SERVED, *NAMED])
def test_names_of_this_machine_and_those_of_the_setting_are_served(tmp_path: Path, host: str) -> None:
    site = Website(tmp_path, hosts="Faces.example, other.example.,[2001:db8::7]")
    for path in ("/", "/healthz", "/api/v1/videos", "/static/http/style.css"):
        with site.client.get(path, headers={"Host": host}) as answer:
            assert answer.status_code == 200
    site.database.close()


@pytest.mark.parametrize("host", REFUSED)
def test_foreign_name_that_was_turned_to_this_machine_is_refused(site: Website, host: str) -> None:
    site.done(TWO_FACES)
    for path in ("/", "/videos/v", "/healthz", "/static/http/style.css", "/nothing"):
        page = site.client.get(path, headers={"Host": host})
        assert page.status_code == 421
        assert "TIMELINE_HOSTS" in page.text
    for method, path in (
        ("GET", "/api/v1/videos"),
        ("GET", "/api/v1/videos/v/recording"),
        ("POST", "/api/v1/videos/v/notes"),
        ("POST", "/api/v1/uploads"),
        ("DELETE", "/api/v1/videos/v"),
    ):
        answer = site.client.open(path, method=method, headers={"Host": host})
        assert "TIMELINE_HOSTS" in assert_problem(answer, 421, "unknown_host")
    assert site.rows() == 1


@pytest.mark.parametrize("value", ["https://faces.example", "faces.example/", "*"])
def test_what_is_no_name_of_a_host_is_told_at_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TIMELINE_HOSTS", value)
    with pytest.raises(SettingsError, match="TIMELINE_HOSTS"):
        load()


@pytest.mark.slow
def test_importing_web_loads_no_decoder_and_no_network() -> None:
    heavy = (
        "tensorflow",
        "keras",
        "cv2",
        "av",
        "onnxruntime",
        "pandas",
        "pyarrow",
        "emotion_timeline.media.plan",
        "worker.tasks",
    )
    code = f"import sys, web; web.create_app; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.slow
def test_importing_web_touches_no_file(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(REPOSITORY), "PATH": "", "TIMELINE_DATA_DIR": str(tmp_path / "data")}
    subprocess.run([sys.executable, "-c", "import web"], cwd=tmp_path, env=environment, check=True, timeout=120)
    assert list(tmp_path.iterdir()) == []


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colours_of(theme: int) -> dict[str, str]:
    """The style sheet's colours by name, of the light theme (0) or the dark one (1)."""
    sheet = (REPOSITORY / "web" / "static" / "http" / "style.css").read_text()
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", sheet.split("prefers-color-scheme")[theme]))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_have_the_contrast_of_wcag_aa(theme: int) -> None:
    colours = colours_of(theme)
    texts = [(ink, paper) for ink in ("ink", "soft", "accent", "bad") for paper in ("paper", "card")]
    texts += [(name, f"{name}-soft") for name in ("good", "bad", "wait", "accent")] + [("accent-ink", "accent")]
    for ink, paper in texts:
        assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    for line in EMOTIONS:
        assert contrast(colours[line], colours["card"]) >= 3, line


# G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", IEEE TVCG 15 (2009), severity 1.0; on linear red, green and blue.
SEEN_BY = {
    "trichromats": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopes": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopes": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
}


@pytest.mark.parametrize("people", SEEN_BY)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_of_emotions_differ_for_everybody(theme: int, people: str) -> None:
    """By ten times what can just be told apart (CIEDE2000)."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    colours = colours_of(theme)
    rgb = np.array([[int(colours[emotion][i : i + 2], 16) / 255 for i in (1, 3, 5)] for emotion in EMOTIONS])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(SEEN_BY[people]).T, 0, 1)
    shown = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(shown[None])[0]
    for (i, first), (j, second) in combinations(enumerate(EMOTIONS), 2):
        assert deltaE_ciede2000(lab[i], lab[j]) >= 10, (first, second)  # type: ignore[no-untyped-call]
