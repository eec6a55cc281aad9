"""What the documents promise is so."""

import json
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pandas
import pytest

from emotion_timeline.config import Settings
from emotion_timeline.db.migrations import migrate
from emotion_timeline.db.session import Database
from emotion_timeline.db.tables import VideoStatus
from emotion_timeline.emotions import EMOTIONS
from emotion_timeline.exports.tidy import CSV_COLUMNS, DATA_DICTIONARY
from emotion_timeline.observations import Status
from scripts import experiments, formats, paper
from scripts.readme import updated
from tests.services import REPOSITORY
from training.reports.card import card
from web import create_app

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
CODE_BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)


def test_tables_of_the_readme_are_those_of_the_code() -> None:
    assert updated(README) == README, "run `make readme` and commit README.md"


def test_figures_of_the_paper_are_those_of_the_network() -> None:
    document = paper.DOCUMENT.read_text(encoding="utf-8")
    assert paper.updated(document) == document, "run `python -m scripts.paper` and commit docs/paper.md"


def test_formats_are_those_of_the_tests() -> None:
    written = formats.DOCUMENT.read_text(encoding="utf-8")
    assert formats.document() == written, "run `python -m scripts.formats` and commit docs/formats.md"


def test_table_of_training_runs_is_that_of_their_records() -> None:
    document = experiments.DOCUMENT.read_text(encoding="utf-8")
    assert experiments.updated(document) == document, "run `python -m scripts.experiments` and commit docs/"
    assert all(f"`{path.stem}`" in document for path in experiments.RECORDS.iterdir())


@pytest.mark.parametrize("folder", sorted((REPOSITORY / "models").glob("*/")), ids=lambda folder: folder.name)
def test_model_cards_are_made_from_their_figures(folder: Path) -> None:
    metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    assert (folder / "README.md").read_text(encoding="utf-8") == card(metadata, folder.name)


def test_every_column_and_setting_is_described() -> None:
    assert tuple(DATA_DICTIONARY) == CSV_COLUMNS
    assert all(field.description for field in Settings.model_fields.values())
    assert [f"TIMELINE_{name.upper()}" for name in Settings.model_fields] == re.findall(
        r"^\| `(TIMELINE_\w+)`", README, re.M
    )


@pytest.mark.parametrize(
    "name",
    [
        *("README.md", "CHANGELOG.md", "docs/paper.md", "docs/experiments.md", "docs/formats.md"),
        *("models/efficientnet/README.md", "models/residual/README.md"),
    ],
)
def test_relative_links_lead_to_files(name: str) -> None:
    document = REPOSITORY / name
    links = re.findall(r"\]\((?!https?:|#)([^)]+)\)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).is_file()] == []


def test_mentioned_variables_are_settings() -> None:
    documents = [*REPOSITORY.glob("docker*.yml"), REPOSITORY / "Dockerfile", REPOSITORY / "README.md", *_scripts()]
    mentioned = {name for path in documents for name in re.findall(r"TIMELINE_([A-Z_]+[A-Z])", path.read_text())}
    assert mentioned - {name.upper() for name in Settings.model_fields} == set()


def _scripts() -> list[Path]:
    return list((REPOSITORY / "scripts").glob("*.py"))


def test_mentioned_make_targets_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.M)
    code = " ".join([*re.findall(r"`([^`\n]+)`", README), *(block for _, block in CODE_BLOCKS)])
    assert set(re.findall(r"\bmake ([a-z]+)", code)) - set(targets) == set()


def test_mentioned_python_modules_exist() -> None:
    modules = re.findall(r"python -m ([\w.]+)", README)
    assert modules
    assert [name for name in modules if find_spec(name) is None] == []


def test_mentioned_requests_are_answered_by_the_service(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    database = Database(settings.resolved_database_url)
    migrate(database)
    database.close()
    rules = create_app(settings).url_map.iter_rules()
    answered = {f"{method} {re.sub('<.*?>', 'ID', rule.rule)}" for rule in rules for method in rule.methods or ()}
    mentioned = set(re.findall(r"^\| `([A-Z]+ /[^`]+)`", README, re.M))
    assert len(mentioned) >= 9
    assert mentioned - answered == set()


def test_every_state_and_status_is_explained() -> None:
    assert [state.value for state in VideoStatus if f"**{state.value}**" not in README] == []
    assert [status.name.lower() for status in Status if status.name.lower() not in DATA_DICTIONARY["status"]] == []


def test_example_in_python_runs_on_a_timeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [dict.fromkeys(CSV_COLUMNS, "") | {"frame": 0, "timestamp": "0.000000", "status": "no_face"}]
    for frame, happy in enumerate(("0.2", "0.4", "0.9"), 1):
        found = {"frame": frame, "timestamp": f"{frame * 0.4:.6f}", "status": "ok", "face_id": 1}
        rows.append(rows[0] | found | dict.fromkeys(EMOTIONS, "0.0") | {"happy": happy})
    pandas.DataFrame(rows).to_csv(tmp_path / "talk.csv", index=False)
    monkeypatch.chdir(tmp_path)
    *first, last = (
        next(b for language, b in CODE_BLOCKS if language == "python" and "read_csv" in b).strip().splitlines()
    )
    names = {"pandas": pandas}
    exec("\n".join(first), names)
    means = eval(last, names)
    assert means["happy"].tolist() == pytest.approx([0.3, 0.9])
    assert means.index.tolist() == [(1, 0), (1, 1)]


def test_changelog_begins_with_the_present_version() -> None:
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[([^]]+)\]", changelog, re.M)[0] in (version, "Unreleased")
