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
from tests.website import Website
from web.http.openapi import document

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance",
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


@pytest.mark.services
@pytest.mark.timeout(900)
def test_the_service_answers_as_described(site: Website, tmp_path: Path) -> None:
    tally = tmp_path / "tally"
    known = {"KNOWN_FOLDER": str(tmp_path), "KNOWN_TALLY": str(tally)}
    known |= {"SCHEMATHESIS_HOOKS": "tests.openapi_hooks", "PYTHONPATH": str(REPOSITORY)}
    with Service(site.settings).web() as address:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/api/v1/openapi.json"]
        command += ["--checks", ",".join(CHECKS), "--max-examples", "12", "--seed", "1", "--no-color"]
        command += ["--request-timeout", "120"]  # recordings are examined meanwhile, and machines that test are busy
        done = subprocess.run(command, cwd=tmp_path, env=os.environ | known, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-4000:]
    print(done.stdout)
    paths = site.client.get("/api/v1/openapi.json").get_json()["paths"]
    operations = {(method.upper(), path) for path, item in paths.items() for method in item}
    answers = [line.split("\t") for line in tally.read_text().splitlines()]
    granted = {(method, path) for method, path, status in answers if int(status) < 300}
    assert operations - granted == {("GET", "/api/v1/openapi.json")}, "the code behind these was never reached"
