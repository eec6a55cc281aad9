"""Networks that teach the next one."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotion_timeline.faces.classification import Classifier, read_metadata, read_network
from emotion_timeline.faces.preprocessing import Preprocessing
from tests.networks import TINY
from tests.services import REPOSITORY
from training import networks
from training.data.datasets import Dataset
from training.errors import TrainingError
from training.generations import main
from training.learning.run import Run
from training.learning.teaching import Teachers, lineage
from training.reports.card import card
from training.reports.export import export

PAPER = REPOSITORY / "models" / "paper"
OPTIONS = ("--batch-size=40", "--augmentation=none", "--mixup=0", "--epochs=2", "--votes=0", "--rate=0.02")
RECIPE = replace(networks.recipe(TINY), epochs=2, batch_size=40, mixup=0.0, votes=0.0, rate=0.02)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network with two heads."""
    folder = tmp_path_factory.mktemp("models") / TINY
    export(networks.build(TINY, ferplus=True), TINY, folder, Preprocessing(), {})
    return folder


def test_generations_begin_with_the_one_before_and_are_taught_by_it(
    tmp_path: Path, training_images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "models" / "mine"
    command = ["--data", str(training_images), "--output", str(output), "--networks", TINY, TINY, *OPTIONS]
    assert main(command) == 0
    first, second = (read_metadata(folder) for folder in (output.with_name("mine-1"), output))
    assert first.trained["teachers"] == {} and first.trained["begins_with"] is None
    assert second.trained["teachers"] == {"mine-1": first.version}
    assert second.trained["begins_with"] == "mine-1"
    assert second.trained["recipe"]["taught"] == networks.taught_options(TINY, [TINY])["taught"]
    # It goes on from what the first one knew.
    assert second.trained["epochs"][0]["loss"] < first.trained["epochs"][0]["loss"]
    card = (output / "README.md").read_text()
    assert f"answers of other networks: `{first.version}`" in card
    assert "--teachers models/mine-1 --begins-with models/mine-1" in card
    assert "training.generations" not in card  # which would train otherwise, without these options

    # The same command trains nothing anew, and with other teachers the checkpoint is not gone on with.
    assert main(command) == 0
    assert read_metadata(output).version == second.version
    assert main([*command, "--taught=0.4"]) == 2
    assert "differs in taught" in capsys.readouterr().err


def test_teachers_answers_are_mixed_into_the_targets(teacher: Path, training_data: tuple[Dataset, Dataset]) -> None:
    images = training_data[0].images[:20]
    labels, votes = np.eye(7, dtype=np.float32)[np.arange(20) % 7], np.full((20, 7), 1 / 7, np.float32)
    votes[3] = 0  # without votes
    targets = Teachers([teacher, teacher], 0.25).taught_once(np.hstack([labels, votes]), images)
    classifier = Classifier(teacher)
    answers = (classifier.answers(images) + classifier.answers(images[:, :, ::-1])) / 2
    np.testing.assert_allclose(targets[:, :7], 0.75 * labels + 0.25 * answers[0], atol=1e-5)
    expected = np.where(votes > 0, 0.75 * votes + 0.25 * answers[1], 0)
    np.testing.assert_allclose(targets[:, 7:], expected, atol=1e-5)


def test_teachers_answer_in_turn_for_what_is_shown(teacher: Path, training_data: tuple[Dataset, Dataset]) -> None:
    views = training_data[0].images[:4]
    labels = np.eye(7, dtype=np.float32)[:4]
    teachers, heads = Teachers([teacher, PAPER], 0.5), (Classifier(teacher), Classifier(PAPER))
    for turn in range(3):
        expected = 0.5 * labels + 0.5 * heads[turn % 2].answers(views)[0]
        np.testing.assert_allclose(teachers.taught_in_turn(labels, views, turn), expected, atol=1e-5)


def test_run_taught_on_views_goes_on_as_if_it_had_not_been_stopped(
    tmp_path: Path, teacher: Path, training_data: tuple[Dataset, Dataset]
) -> None:
    recipe = replace(RECIPE, taught=0.5, taught_on="views")
    other = tmp_path / "other"
    export(networks.build(TINY), TINY, other, Preprocessing(), {})

    def run(name: str) -> Run:
        return Run(TINY, recipe, tmp_path / name, *training_data, teachers=[teacher, other])

    undisturbed = list(run("undisturbed").epochs())
    next(run("stopped").epochs())
    assert [epoch["loss"] for epoch in run("stopped").epochs()] == [epoch["loss"] for epoch in undisturbed[1:]]


def test_what_is_taught_on_views_differs_from_what_is_taught_on_images(
    tmp_path: Path, teacher: Path, training_data: tuple[Dataset, Dataset]
) -> None:
    losses = set()
    for taught_on in ("images", "views"):
        recipe = replace(RECIPE, taught=0.5, taught_on=taught_on)
        run = Run(TINY, recipe, tmp_path / taught_on, *training_data, teachers=[teacher])
        losses.add(next(run.epochs())["loss"])
    assert len(losses) == 2


def test_one_head_learns_from_the_first_head_of_a_teacher_with_two(
    teacher: Path, training_data: tuple[Dataset, Dataset]
) -> None:
    targets = Teachers([teacher], 1.0).taught_once(training_data[0].one_hot(), training_data[0].images)
    assert targets.shape == (len(training_data[0]), 7)
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-5)


def test_run_begins_with_the_weights_of_another_network(
    tmp_path: Path, teacher: Path, training_data: tuple[Dataset, Dataset]
) -> None:
    votes = np.zeros((len(training_data[0]), 7), np.float32)
    run = Run(TINY, networks.recipe(TINY), tmp_path, *training_data, votes, begins_with=teacher)
    for value, expected in zip(run.model.get_weights(), read_network(teacher)[0], strict=True):
        np.testing.assert_array_equal(value, expected)


def test_what_does_not_fit_together_is_refused(
    tmp_path: Path, teacher: Path, training_data: tuple[Dataset, Dataset]
) -> None:
    recipe = replace(networks.recipe(TINY), votes=0.0)
    with pytest.raises(TrainingError, match=r"found 1 teachers and a part of 0\.0"):
        Run(TINY, recipe, tmp_path, *training_data, teachers=[teacher])
    with pytest.raises(TrainingError, match=r"found 0 teachers and a part of 0\.5"):
        Run(TINY, replace(recipe, taught=0.5), tmp_path, *training_data)
    with pytest.raises(TrainingError, match="name a network of the same kind, with as many heads"):
        Run(TINY, recipe, tmp_path, *training_data, begins_with=teacher)
    with pytest.raises(TrainingError, match=r"taught must be from 0 to 1, found 1\.5"):
        replace(recipe, taught=1.5)
    with pytest.raises(TrainingError, match="paper has no recipe for generation 2 of its kind"):
        networks.taught_options("paper", ["paper"])


def test_teacher_with_one_head_cannot_teach_two(tmp_path: Path, training_data: tuple[Dataset, Dataset]) -> None:
    export(networks.build("paper"), "paper", tmp_path, Preprocessing(), {})
    with pytest.raises(TrainingError, match="it has one head only"):
        Teachers([tmp_path], 0.5).taught_once(np.zeros((2, 14), np.float32), training_data[0].images[:2])


def test_network_of_another_kind_begins_untrained_and_is_taught() -> None:
    assert networks.taught_options("residual", []) == {}
    assert networks.taught_options("residual", ["paper"]).keys() == {"taught"}
    assert networks.taught_options("residual", ["residual", "paper"]).keys() > {"taught"}


def test_each_generation_of_a_kind_has_its_recipe() -> None:
    second, third = (networks.taught_options("residual", ["residual"] * number) for number in (1, 2))
    assert second != third == networks.taught_options("residual", ["residual", "residual", "efficientnet"])


def test_card_tells_what_it_began_with_and_the_command_that_makes_all_generations() -> None:
    metadata = json.loads((PAPER / "metadata.json").read_text())
    metadata["trained"] |= {
        "teachers": {"residual": "residual-0123abcd"},
        "pretrained": "another network",
        "generations": ["residual", "efficientnet"],
    }
    metadata["trained"]["recipe"] |= {"votes": 1.0, "taught": 0.3}
    text = card(metadata, "mine")
    assert "began with the weights of another network" in text
    assert "30% of what it learnt are answers of other networks: `residual-0123abcd`." in text
    command = "training.generations --data PATH --ferplus VOTES --output models/mine --networks residual efficientnet"
    assert command in text
    metadata["trained"] |= {"generations": None}
    assert "training.generations" not in card(metadata, "mine")


def test_lineage_is_known_only_where_one_command_makes_it(tmp_path: Path) -> None:
    def exported(folder: str, network: str, *generations: str) -> Path:
        trained: dict[str, Any] = {"generations": list(generations) or None}
        export(networks.build(network), network, tmp_path / folder, Preprocessing(), trained)
        return tmp_path / folder

    first = exported("first", "residual", "residual")
    options = networks.taught_options("efficientnet", ["residual"])
    assert lineage("residual", {}, []) == ["residual"]
    assert lineage("residual", {"epochs": 3}, []) is None
    assert lineage("efficientnet", options, [first]) == ["residual", "efficientnet"]
    assert lineage("efficientnet", options | {"epochs": 3}, [first]) is None
    assert lineage("efficientnet", options, [exported("own", "residual")]) is None  # whose own is not known
    again = networks.taught_options("residual", ["residual"])
    assert lineage("residual", again, [first], first) == ["residual", "residual"]
    assert lineage("residual", again, [first]) is None  # a generation begins with the last one of its kind

    second = exported("second", "efficientnet", "residual", "efficientnet")
    generations = ["residual", "efficientnet", "efficientnet"]
    options = networks.taught_options("efficientnet", generations[:-1])
    assert lineage("efficientnet", options, [first, second], second) == generations
    assert lineage("efficientnet", options, [second], second) is None  # the last one of each kind teaches
    assert lineage("efficientnet", options, [first, second], first) is None
    third = exported("third", "efficientnet", *generations)
    assert lineage("efficientnet", options, [first, third], third) is None  # there is no recipe for so late a one
    other = exported("other", "residual", "residual", "residual")
    assert lineage("efficientnet", options, [other, second], second) is None  # the second knew another
