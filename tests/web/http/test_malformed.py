"""Requests that no browser sends: each is answered with a sentence, by either database, and never with a 500."""

import re
import shutil
from collections.abc import Iterator

import pytest
from werkzeug.routing import Rule

from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from tests.services import ASTRONAUT
from tests.website import TWO_FACES, Website, assert_problem


@pytest.fixture(scope="module")
def site(postgres_maintenance_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    """A website on PostgreSQL, which is stricter than SQLite, with one video."""
    database = Database(postgres_maintenance_url.replace("postgresql://", "postgresql+psycopg://"))
    migrate(database)
    website = Website(
        tmp_path_factory.mktemp("site"), database_url=database.engine.url.render_as_string(hide_password=False)
    )
    website.app.config["PROPAGATE_EXCEPTIONS"] = False
    website.done(TWO_FACES)
    yield website
    website.database.close()
    database.close()


def address(rule: Rule, odd: str, odd_text: str) -> str:
    """The rule's address with this in the place of one of its parts, and what fits in the others."""

    def value(match: re.Match[str]) -> str:
        converter, _, name = match[1].rpartition(":")
        return odd_text if name == odd else "0" if converter.startswith("int") else "v"

    return re.sub(r"<([^>]+)>", value, rule.rule)


@pytest.mark.parametrize("text", ["%00", "v%00"])
def test_id_with_nul_is_that_of_nothing(site: Website, text: str) -> None:
    answers = {}
    for rule in site.app.url_map.iter_rules():
        for odd in rule.arguments:
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                path = address(rule, odd, text)
                with site.client.open(path, method=method, headers={"Tus-Resumable": "1.0.0"}) as answer:
                    answers[method, path] = answer.status_code
    assert len(answers) > 50
    assert {asked: status for asked, status in answers.items() if status not in (404, 405)} == {}


ODD = ["x" * 3000, "%F0%9F%98%80", "%ff%fe", "%ED%A0%80", "v%0a", "99999999999999999999999", "2147483648", "..%2f.."]


@pytest.mark.parametrize("text", ODD)
def test_odd_id_is_refused_in_a_sentence(site: Website, text: str) -> None:
    for rule in site.app.url_map.iter_rules():
        for odd in rule.arguments if "GET" in (rule.methods or set()) else ():
            with site.client.get(address(rule, odd, text)) as answer:
                assert answer.status_code < 500, rule.rule


PASSED_OVER = ["/?q=%00", "/?%00=1", "/?did=delete&gone=1&kept=%00"]
QUERIES = [*((path, 200) for path in PASSED_OVER), ("/api/v1/videos?q=a%00b", 400), ("/api/v1/videos.zip?id=%00", 400)]


@pytest.mark.parametrize(("path", "status"), QUERIES)
def test_query_with_nul_is_passed_over_by_pages_and_refused_by_the_api(site: Website, path: str, status: int) -> None:
    assert site.client.get(path).status_code == status


@pytest.mark.parametrize("path", ["/selection/zip", "/selection/cancel"])
def test_form_with_nul_is_refused(site: Website, path: str) -> None:
    assert site.client.post(path, data={"id": ["v", "\0"]}).status_code == 400


DATES = [
    "Sat, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Thu, 01 Jan 1970 00:00:00 +99999999999",
    "Sat, 31 Feb 2020 25:61:61 GMT",
]


@pytest.mark.parametrize("header", ["If-Modified-Since", "If-Unmodified-Since", "If-Range"])
@pytest.mark.parametrize("date", DATES)
def test_impossible_date_is_ignored(site: Website, header: str, date: str) -> None:
    for path in ("/", "/api/v1/videos/v", "/api/v1/videos/v/recording", "/static/http/style.css"):
        with site.client.get(path, headers={header: date, "Range": "bytes=0-1"}) as answer:
            assert answer.status_code in (200, 206), path


def test_upload_while_the_network_is_gone_is_told_so(site: Website) -> None:
    head = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
    whole = ASTRONAUT.read_bytes()
    begun = head | {"Upload-Length": str(len(whole))}
    upload = site.client.post("/api/v1/uploads", headers=begun).headers["Location"]
    shutil.rmtree(site.settings.model_dir)
    try:
        sentence = assert_problem(site.upload(), 503, "network_unavailable")
        assert "operator" in sentence
        assert str(site.settings.data_dir) not in sentence
        assert_problem(site.client.post("/api/v1/uploads", headers=begun), 503, "network_unavailable")
        sent = site.client.patch(upload, data=whole, headers=head | {"Upload-Offset": "0"})
        assert_problem(sent, 503, "network_unavailable")
        assert_problem(site.client.post("/api/v1/videos/v/reanalyze"), 503, "network_unavailable")
    finally:
        site.serve("paper-test")
    assert site.client.get(upload).get_json()["status"] == "accepted"  # what came was kept
