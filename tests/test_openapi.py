"""The API's description is true: every route is in it, and the service answers nothing that isn't."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.services import REPOSITORY, Service
from tests.website import HAPPY, NEUTRAL, Website, observations
from web.openapi import document

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "negative_data_rejection", "unsupported_method",
)  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Website]:
    website = Website(tmp_path)
    yield website
    website.database.close()


def test_every_route_is_described(site: Website) -> None:
    described = site.client.get("/api/v1/openapi.json").get_json()
    assert described["openapi"] == "3.1.0"
    operations = {(path, method.upper()) for path, item in described["paths"].items() for method in item}
    routes = {
        (re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in site.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    assert routes - operations == set()
    assert all(item["summary"] for path in described["paths"].values() for item in path.values())


def test_a_route_without_a_description_is_an_error() -> None:
    app = Flask(__name__)
    app.add_url_rule("/api/v1/secret", view_func=lambda: "")
    with pytest.raises(LookupError, match="/api/v1/secret is not described"):
        document(app, "1")


@pytest.mark.timeout(900)
def test_the_service_answers_as_described(site: Website, tmp_path: Path) -> None:
    rows = observations({0: [(0, HAPPY)], 1: [(0, HAPPY), (1, NEUTRAL)], 2: [], 3: [(0, NEUTRAL)]})
    site.done(rows, "done")
    site.queued("queued")
    site.failed("failed")
    site.queued("cancelled")
    site.client.post("/api/v1/videos/cancelled/cancel")
    webhook = site.client.post("/api/v1/webhooks", json={"url": "https://example.org"}).get_json()["id"]
    note = site.client.post("/api/v1/videos/done/notes", json={"start_s": 0, "text": "task 1"}).get_json()["id"]
    announced = {"Tus-Resumable": "1.0.0", "Upload-Length": "100"}
    upload = site.client.post("/api/v1/uploads", headers=announced).headers["Location"].rpartition("/")[2]
    known = {"KNOWN_WEBHOOK": webhook, "KNOWN_UPLOAD": upload, "KNOWN_NOTE": note}
    known |= {"SCHEMATHESIS_HOOKS": "tests.openapi_hooks", "PYTHONPATH": str(REPOSITORY)}
    with Service(site.settings).web() as address:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/api/v1/openapi.json"]
        command += ["--checks", ",".join(CHECKS), "--max-examples", "12", "--seed", "1", "--no-color"]
        command += ["--phases", "examples,coverage,fuzzing", "--exclude-checks", "unsupported_method"]
        done = subprocess.run(command, cwd=tmp_path, env=os.environ | known, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-4000:]
    print(done.stdout)
