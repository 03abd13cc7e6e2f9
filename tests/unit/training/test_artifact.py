"""The artifact: what goes in comes out, quickly, and damage is noticed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from matinee.data.actions import ActionEvents
from matinee.data.interactions import Histories, InteractionLog, Interactions
from matinee.errors import ArtifactProblem
from matinee.models.next_best_action import NextBestAction
from matinee.models.popularity import Popularity
from matinee.training.artifact import (
    HISTORY_LIMIT,
    ActionsToWrite,
    Artifact,
    write_artifact,
    write_without_users,
)
from matinee.training.columns import ColumnEncoder


def write(folder: Path, log: InteractionLog) -> Artifact:
    """A popularity model of the log, written and opened again."""
    model = Popularity().fit(log.interactions)
    write_artifact(folder, model=model, log=log, manifest={"recipe": "arn", "seed": 0})
    return Artifact.open(folder)


def test_the_model_scores_as_before(folder: Path, log: InteractionLog) -> None:
    model = Popularity().fit(log.interactions)
    histories = Histories.one(log.interactions.item[:3], log.interactions.timestamp[:3])
    np.testing.assert_array_equal(write(folder, log).model.score(histories), model.score(histories))


def test_items_have_ids_and_numbers(folder: Path, log: InteractionLog) -> None:
    artifact = write(folder, log)
    assert list(artifact.item_ids) == list(log.item_ids)
    assert artifact.item_index("film-7") == 7
    assert artifact.item_index("film-unknown") is None


def test_a_users_history_comes_back(folder: Path, log: InteractionLog) -> None:
    history = write(folder, log).user_history("u5")
    rows = log.interactions.user == 5
    np.testing.assert_array_equal(history.items, log.interactions.item[rows])
    np.testing.assert_array_equal(history.timestamps, log.interactions.timestamp[rows])
    assert set(history.event_types) == {0}


def test_an_unknown_user_has_an_empty_history(folder: Path, log: InteractionLog) -> None:
    history = write(folder, log).user_history("nobody")
    assert len(history) == 0
    assert len(history.as_histories()) == 1


def test_only_the_newest_events_of_a_user_are_kept(folder: Path) -> None:
    count = HISTORY_LIMIT + 100
    user = np.concatenate([np.zeros(count), np.ones(3)]).astype(np.int32)
    item = np.zeros(count + 3, np.int32)
    data = Interactions.of(user, item, np.arange(count + 3), n_users=2, n_items=1)
    artifact = write(folder, InteractionLog(data, ("long", "short"), ("film",), ()))
    np.testing.assert_array_equal(artifact.user_history("long").timestamps, np.arange(100, count))
    np.testing.assert_array_equal(artifact.user_history("short").timestamps, np.arange(count, count + 3))


def test_events_without_a_type_are_marked(folder: Path) -> None:
    user = np.zeros(2, np.int32)
    data = Interactions.of(user, user, np.arange(2), n_users=1, n_items=1)
    artifact = write(folder, InteractionLog(data, ("a",), ("x",), ()))
    assert artifact.user_history("a").event_types.tolist() == [-1, -1]


def test_popularity_counts_distinct_users(folder: Path) -> None:
    user, item = np.array([0, 0, 1, 1], np.int32), np.array([0, 0, 0, 1], np.int32)
    data = Interactions.of(user, item, np.arange(4), n_users=2, n_items=3)
    artifact = write(folder, InteractionLog(data, ("a", "b"), ("x", "y", "z"), ()))
    assert artifact.popularity.tolist() == [2, 1, 0]
    assert artifact.newest_event.tolist() == [2, 3, -1]


def test_creation_times_default_to_the_oldest_event(folder: Path) -> None:
    user, item = np.array([0, 1], np.int32), np.array([0, 1], np.int32)
    data = Interactions.of(user, item, np.array([50, 60]), n_users=2, n_items=3)
    log = InteractionLog(data, ("a", "b"), ("x", "y", "z"), ())
    created = np.array([-1, 40, -1])
    write_artifact(folder, model=Popularity().fit(data), log=log, manifest={}, created=created)
    assert Artifact.open(folder).created.tolist() == [50, 40, 60]


def test_arrays_are_memory_mapped(folder: Path, log: InteractionLog) -> None:
    base = write(folder, log).popularity
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        assert base.base is not None
        base = base.base
    assert isinstance(base, np.memmap)


def test_the_same_model_and_log_write_the_same_files(tmp_path: Path, log: InteractionLog) -> None:
    first, second = write(tmp_path / "a", log), write(tmp_path / "b", log)
    assert first.manifest["files"] == second.manifest["files"]


def test_writing_again_replaces_what_was_there(folder: Path, log: InteractionLog) -> None:
    write(folder, log)
    (folder / "model" / "left-over.bin").write_bytes(b"x")
    assert "model/left-over.bin" not in write(folder, log).manifest["files"]


@pytest.mark.parametrize("name", ["items.safetensors", "users.safetensors", "model/model.safetensors"])
def test_a_file_cut_short_is_noticed(folder: Path, log: InteractionLog, name: str) -> None:
    write(folder, log)
    path = folder / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArtifactProblem, match=rf"{path.name} has \d+ bytes, not"):
        Artifact.open(folder, verify=False)


@pytest.mark.parametrize("name", ["items.safetensors", "users.safetensors", "model/model.safetensors"])
def test_an_altered_file_is_noticed(folder: Path, log: InteractionLog, name: str) -> None:
    write(folder, log)
    path = folder / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactProblem, match=f"{path.name} was altered"):
        Artifact.open(folder)


def test_a_missing_file_is_noticed(folder: Path, log: InteractionLog) -> None:
    write(folder, log)
    (folder / "users.safetensors").unlink()
    with pytest.raises(ArtifactProblem, match=r"users\.safetensors is missing"):
        Artifact.open(folder)


def _newer(text: str) -> str:
    from matinee.training.artifact import _checksum

    manifest = json.loads(text) | {"format": 99}
    del manifest["checksum"]
    return json.dumps(manifest | {"checksum": _checksum(manifest)})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace('"seed": 0', '"seed": 1'), "has been altered"),
        (lambda text: text[: len(text) // 2], "cannot be read"),
        (lambda _: "[]", "cannot be read"),
        (_newer, "has format 99"),
    ],
)
def test_a_manifest_that_cannot_be_trusted_is_refused(
    folder: Path, log: InteractionLog, change: Callable[[str], str], words: str
) -> None:
    write(folder, log)
    path = folder / "manifest.json"
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ArtifactProblem, match=words):
        Artifact.open(folder)


def test_an_unfinished_artifact_has_no_manifest(folder: Path, log: InteractionLog) -> None:
    write(folder, log)
    (folder / "manifest.json").unlink()
    with pytest.raises(ArtifactProblem, match="never finished"):
        Artifact.open(folder)


def test_opening_and_scoring_imports_no_torch(folder: Path, log: InteractionLog) -> None:
    write(folder, log)
    program = (
        "import sys; from pathlib import Path; from matinee.training.artifact import Artifact;"
        "artifact = Artifact.open(Path(sys.argv[1])); artifact.model.score(artifact.user_history('u1').as_histories());"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_artifact_without_some_users_is_whole_and_otherwise_the_same(folder: Path, log: InteractionLog) -> None:
    before = write(folder / "with", log)
    write_without_users(folder / "with", folder / "without", {"u5", "u7", "never seen"})
    after = Artifact.open(folder / "without")
    assert list(after.user_ids) == [user for user in log.user_ids if user not in ("u5", "u7")]
    for user in ("u4", "u6", "u8"):
        np.testing.assert_array_equal(after.user_history(user).items, before.user_history(user).items)
        np.testing.assert_array_equal(after.user_history(user).timestamps, before.user_history(user).timestamps)
    assert len(after.user_history("u5")) == 0
    assert list(after.item_ids) == list(before.item_ids)
    assert after.manifest["seed"] == before.manifest["seed"]


def about_actions(log: InteractionLog) -> ActionsToWrite:
    """Two actions; user number n saw the second one n times."""
    seen = np.arange(len(log.user_ids))
    user = np.repeat(seen, seen).astype(np.int32)
    events = ActionEvents.of(
        user,
        np.ones(len(user), np.int32),
        np.arange(len(user), dtype=np.int64),
        np.zeros(len(user), np.int8),
        n_users=len(seen),
        n_actions=2,
    )
    model = NextBestAction()
    model.bias = model.shown = np.zeros(2, np.float32)
    return ActionsToWrite(model, ("call", "join"), ColumnEncoder(numbers=(("AGE", 30.0, 5.0),)), events)


def test_actions_come_back(folder: Path, log: InteractionLog) -> None:
    model = Popularity().fit(log.interactions)
    write_artifact(folder, model=model, log=log, manifest={}, actions=about_actions(log))
    artifact = Artifact.open(folder)
    assert artifact.actions is not None
    assert list(artifact.actions.ids) == ["call", "join"]
    assert artifact.actions.columns.encode([{"AGE": 35}]).tolist() == [[1.0]]
    assert artifact.actions.model.n_actions == 2
    number = log.user_ids.index("u5")
    assert artifact.action_history("u5").actions.tolist() == [1] * number
    assert len(artifact.action_history("stranger").actions) == 0
    assert write(folder, log).actions is None


def test_what_deleted_users_did_about_actions_goes_too(folder: Path, log: InteractionLog) -> None:
    model = Popularity().fit(log.interactions)
    write_artifact(folder / "with", model=model, log=log, manifest={}, actions=about_actions(log))
    write_without_users(folder / "with", folder / "without", {"u5", "u7"})
    before, after = Artifact.open(folder / "with"), Artifact.open(folder / "without")
    for user in ("u4", "u6", "u8"):
        np.testing.assert_array_equal(after.action_history(user).timestamps, before.action_history(user).timestamps)
    assert len(before.action_history("u5").actions) == 5
    assert len(after.action_history("u5").actions) == 0
    assert after.actions is not None
