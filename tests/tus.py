"""What a tus client asks of a website, request by request; addresses are those of uploads."""

from base64 import b64encode
from pathlib import Path
from typing import Any

from tests.services import ASTRONAUT
from tests.website import Website

MP4 = ASTRONAUT.read_bytes()
UPLOADS = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}


def metadata(**texts: str) -> str:
    return ",".join(f"{name} {b64encode(text.encode()).decode()}" for name, text in texts.items())


def begin(site: Website, size: int = len(MP4), **texts: str) -> str:
    """Create an upload; its address."""
    headers = TUS | {"Upload-Length": str(size), "Upload-Metadata": metadata(**{"filename": "clip.mp4", **texts})}
    response = site.client.post(UPLOADS, headers=headers)
    assert response.status_code == 201, response.text
    assert response.headers["Upload-Offset"] == "0"
    return str(response.headers["Location"])


def send(site: Website, address: str, data: bytes, offset: int, **changes: str) -> Any:
    headers = TUS | {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    return site.client.patch(address, data=data, headers=headers)


def offset_of(site: Website, address: str) -> int:
    response = site.client.head(address, headers=TUS)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Tus-Resumable"] == "1.0.0"
    return int(response.headers["Upload-Offset"])


def shown(site: Website, address: str) -> dict[str, Any]:
    body: dict[str, Any] = site.client.get(address).get_json()
    return body


def part(site: Website, address: str) -> Path:
    return site.settings.recordings_dir / f"{address.rsplit('/', 1)[1]}.upload.part"


def complete(site: Website, **texts: str) -> str:
    address = begin(site, len(MP4), **texts)
    assert send(site, address, MP4, 0).status_code == 204
    return address
