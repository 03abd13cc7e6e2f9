"""The artifact of a solution version: a folder that training writes once and serving maps into memory.

card.json            the model card: curves, hardware, times; not in the manifest, since it differs each time
manifest.json        format, recipe, model and its configuration, seed, data summary, metrics, checksum of every file
items.safetensors    IDs, users per item, newest event, CREATION_TIMESTAMP
users.safetensors    IDs and histories in CSR form, the newest events of each user
model/…              what the model's own `save` wrote
actions/…            of a version that recommends actions: their IDs, and what the model of actions wrote
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from matinee.data.actions import ActionEvents
from matinee.data.interactions import Histories, IntArray, InteractionLog, LongArray
from matinee.errors import ArtifactProblem
from matinee.models.arrays import AnyArray, read_arrays, write_arrays
from matinee.models.artifact import MANIFEST, describe_files, verify_files
from matinee.models.base import Model
from matinee.models.next_best_action import NextBestAction
from matinee.models.registry import model_class
from matinee.training.card import CARD
from matinee.training.columns import ColumnEncoder
from matinee.training.ids import IdTable
from matinee.training.inputs import InputColumns

FORMAT = 1
#: Events of a user that the artifact keeps, the newest; a longer history changes no score noticeably.
HISTORY_LIMIT = 500

#: Events about actions that the artifact keeps of each user, the newest: what filters look back at (spec 8.6).
ACTION_HISTORY_LIMIT = 300

_ITEMS, _USERS, _MODEL = "items.safetensors", "users.safetensors", "model"
_ACTIONS, _ACTION_IDS = "actions", "actions/ids.safetensors"
#: In users.safetensors: what each user did about actions, in CSR form like their history.
_ACTION_HISTORY = ("action", "action_timestamps", "action_answers")
_NO_CREATION = np.iinfo(np.int64).min


@dataclass(frozen=True)
class UserHistory:
    """One user's events, oldest first: item numbers, epoch seconds and event types (-1: none); each (events,)."""

    items: IntArray
    timestamps: LongArray
    event_types: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.items)

    def as_histories(self) -> Histories:
        """The batch of one that a model scores."""
        return Histories.one(self.items, self.timestamps)


@dataclass(frozen=True)
class ActionHistory:
    """What one user did about actions, oldest first: action numbers, epoch seconds and `Answer`s; each (events,)."""

    actions: IntArray
    timestamps: LongArray
    answers: NDArray[np.int8]


@dataclass(frozen=True)
class TrainedActions:
    """What a version knows of actions: the model of them, their IDs by number, and how a user's record is read."""

    model: NextBestAction
    ids: IdTable
    columns: ColumnEncoder


class Artifact:
    """A stored model with its items and users, memory-mapped. Cheap to open; imports no torch.

    `item_ids` and `user_ids` are sequences of IDs by number; `popularity` (n_items,) int32 counts the distinct users of
    each item; `newest_event` and `created` (n_items,) int64 are epoch seconds; `event_types` names the type numbers;
    `trained_types` are those of them that were trained on.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.folder, self.manifest = folder, manifest
        items, users = _map(folder / _ITEMS), _map(folder / _USERS)
        try:
            self.item_ids, self.user_ids = IdTable.from_tensors(items), IdTable.from_tensors(users)
            #: IDs of items by number, as far as they were needed so far.
            self.item_names: dict[int, str] = {}
            self.popularity: IntArray = items["popularity"]
            self.newest_event: LongArray = items["newest_event"]
            self.created: LongArray = items["created"]
            self._indptr: LongArray = users["indptr"]
            self._items: IntArray = users["items"]
            self._timestamps: LongArray = users["timestamps"]
            self._event_types: NDArray[np.int16] = users["event_types"]
            self._action_indptr: LongArray | None = users.get("action_indptr")
            self._action_history = [users[name] for name in _ACTION_HISTORY if name in users]
            self.event_types: tuple[str, ...] = tuple(manifest["data"]["event_types"])
            self.trained_types: tuple[str, ...] = tuple(manifest["data"].get("trained_event_types", self.event_types))
        except KeyError as missing:
            raise ArtifactProblem(
                f"The artifact in {folder} lacks {missing}. Train the solution version again."
            ) from None

    @classmethod
    def open(cls, folder: Path, *, verify: bool = True) -> Self:
        """The artifact in `folder`. Sizes are always compared with the manifest's, checksums when `verify`.

        Raises `ArtifactProblem` naming the file that is missing, cut short or altered.
        """
        manifest = _read_manifest(folder)
        verify_files(folder, manifest["files"], sums=verify)
        return cls(folder, manifest)

    @property
    def n_items(self) -> int:
        """The number of items that the model knows."""
        return len(self.item_ids)

    @property
    def n_users(self) -> int:
        """The number of users whose histories the artifact holds."""
        return len(self.user_ids)

    @cached_property
    def model(self) -> Model:
        """The model, loaded on first use by its own `load`."""
        entry = self.manifest["model"]
        return model_class(entry["name"]).load(self.folder / _MODEL, entry["config"])

    @cached_property
    def inputs(self) -> InputColumns:
        """How the context of a request and the record of a user are read."""
        return InputColumns.from_dict(self.manifest.get("inputs") or {})

    @cached_property
    def actions(self) -> TrainedActions | None:
        """What it knows of actions; None for a version that recommends items."""
        entry = self.manifest.get("actions")
        if entry is None:
            return None
        return TrainedActions(
            model=NextBestAction.load(self.folder / _ACTIONS, entry["config"]),
            ids=IdTable.from_tensors(_map(self.folder / _ACTION_IDS)),
            columns=ColumnEncoder.from_dict(entry["columns"]),
        )

    def item_index(self, item_id: str) -> int | None:
        """The number of an item, or None when the model does not know it."""
        return self.item_ids.find(item_id)

    def user_index(self, user_id: str) -> int | None:
        """The number of a user, or None when the training saw no event of theirs."""
        return self.user_ids.find(user_id)

    def user_history(self, user_id: str) -> UserHistory:
        """The newest events of a user that the training saw; empty for an unknown user."""
        user = self.user_index(user_id)
        begin, end = (0, 0) if user is None else (int(self._indptr[user]), int(self._indptr[user + 1]))
        return UserHistory(self._items[begin:end], self._timestamps[begin:end], self._event_types[begin:end])

    def histories(self, begin: int, end: int) -> Histories:
        """The histories of the users numbered `begin` to `end`."""
        indptr = self._indptr[begin : end + 1]
        own = slice(int(indptr[0]), int(indptr[-1]))
        return Histories(indptr - indptr[0], self._items[own], self._timestamps[own])

    def histories_of(self, user_ids: Sequence[str]) -> Histories:
        """The histories of these users, empty for unknown ones, with the numbers of their event types."""
        users = self.user_ids.find_all(user_ids)
        begin = np.where(users >= 0, self._indptr[users], 0)
        lengths = np.where(users >= 0, self._indptr[users + 1], 0) - begin
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        where = np.arange(indptr[-1]) + np.repeat(begin - indptr[:-1], lengths)
        return Histories(indptr, self._items[where], self._timestamps[where], event_types=self._event_types[where])

    def event_type_numbers(self, begin: int, end: int) -> NDArray[np.int16]:
        """The event types of `histories(begin, end)`, one for each event."""
        return self._event_types[int(self._indptr[begin]) : int(self._indptr[end])]

    def action_history(self, user_id: str) -> ActionHistory:
        """What a user had done about actions at the training; empty for an unknown user."""
        user, indptr = self.user_index(user_id), self._action_indptr
        if user is None or indptr is None:
            return ActionHistory(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int8))
        own = slice(int(indptr[user]), int(indptr[user + 1]))
        return ActionHistory(*(array[own] for array in self._action_history))


@dataclass(frozen=True)
class ActionsToWrite:
    """What `write_artifact` is given of actions: as `TrainedActions`, and the events of the log's users."""

    model: NextBestAction
    ids: Sequence[str]
    columns: ColumnEncoder
    events: ActionEvents


def write_artifact(
    folder: Path,
    *,
    model: Model,
    log: InteractionLog,
    manifest: Mapping[str, Any],
    created: LongArray | None = None,
    actions: ActionsToWrite | None = None,
    histories: InteractionLog | None = None,
) -> dict[str, Any]:
    """Write the artifact of a fitted `model` into `folder`, the manifest last; returns the whole manifest.

    `manifest` brings recipe, seed, metrics and so on; format, model, files and their checksums are added. `created`
    (n_items,) holds CREATION_TIMESTAMP in epoch seconds, negative for none. `histories`, on the items of `log`,
    are those that filters look at, where that is more than the model learned from. Equal models and logs write equal
    files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in (MANIFEST, f"{MANIFEST}.partial"):
        (folder / left_over).unlink(missing_ok=True)
    shutil.rmtree(folder / _MODEL, ignore_errors=True)
    (folder / _MODEL).mkdir()
    model.save(folder / _MODEL)
    write_arrays(folder / _ITEMS, _item_tensors(log, created))
    told_of = log if histories is None else histories
    write_arrays(
        folder / _USERS, {**_user_tensors(told_of), **({} if actions is None else _action_tensors(actions.events))}
    )
    shutil.rmtree(folder / _ACTIONS, ignore_errors=True)
    if actions is not None:
        actions.model.save(folder / _ACTIONS)
        write_arrays(folder / _ACTION_IDS, IdTable.of(actions.ids).tensors())
        told = {"config": actions.model.config_dict(), "columns": actions.columns.as_dict()}
        manifest = {**manifest, "actions": told}
    whole = {
        "format": FORMAT,
        **manifest,
        "model": {"name": model.name, "config": model.config_dict()},
        "data": {
            **manifest.get("data", {}),
            "event_types": list(told_of.event_types),
            "trained_event_types": list(log.event_types),
        },
    }
    return _finish(folder, whole)


def write_without_users(source: Path, folder: Path, users: Collection[str]) -> None:
    """Write into `folder`, which is made, the artifact in `source` without the histories of `users`.

    Files that stay as they are become links to those of `source`. The model is the same: it holds no users.
    """
    artifact = Artifact.open(source, verify=False)
    for name in artifact.manifest["files"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if name != _USERS:
            (folder / name).symlink_to((source / name).absolute())
    if (source / CARD).is_file():
        (folder / CARD).symlink_to((source / CARD).absolute())
    write_arrays(folder / _USERS, _tensors_without(_map(source / _USERS), users))
    _finish(folder, {name: value for name, value in artifact.manifest.items() if name not in ("files", "checksum")})


def _tensors_without(tensors: Mapping[str, AnyArray], users: Collection[str]) -> dict[str, AnyArray]:
    """Arrays of users.safetensors without the rows of `users`."""
    ids = list(IdTable.from_tensors(tensors))
    kept = np.flatnonzero([one not in users for one in ids])
    lengths = np.diff(tensors["indptr"])
    keep = np.zeros(len(ids), np.bool_)
    keep[kept] = True
    events = np.repeat(keep, lengths)
    about_actions: dict[str, AnyArray] = {}
    if "action_indptr" in tensors:
        counts = np.diff(tensors["action_indptr"])
        about_actions["action_indptr"] = np.concatenate([[0], np.cumsum(counts[kept])]).astype(np.int64)
        about_actions |= {name: tensors[name][np.repeat(keep, counts)] for name in _ACTION_HISTORY}
    return {
        **about_actions,
        **IdTable.of([ids[row] for row in kept]).tensors(),
        "indptr": np.concatenate([[0], np.cumsum(lengths[kept])]).astype(np.int64),
        **{name: tensors[name][events] for name in ("items", "timestamps", "event_types")},
    }


def _finish(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Write the manifest, files and checksums added: the folder is whole from then on. Returns what was written."""
    whole = {**manifest, "files": describe_files(folder, leave_out=(MANIFEST, CARD))}
    whole["checksum"] = _checksum(whole)
    partial = folder / f"{MANIFEST}.partial"
    partial.write_text(json.dumps(whole, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(folder / MANIFEST)
    return whole


def _item_tensors(log: InteractionLog, created: LongArray | None) -> dict[str, AnyArray]:
    """Arrays of items.safetensors. An item without CREATION_TIMESTAMP takes its oldest event's time (spec 2.5)."""
    data = log.interactions
    pairs = np.unique(data.user.astype(np.int64) * data.n_items + data.item)
    newest = np.full(data.n_items, _NO_CREATION, dtype=np.int64)
    np.maximum.at(newest, data.item, data.timestamp)
    oldest = np.full(data.n_items, np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(oldest, data.item, data.timestamp)
    latest = data.timestamp.max(initial=0)
    # An item nobody has touched counts as new: the time of the latest interaction in the training data.
    oldest[newest == _NO_CREATION] = latest
    newest[newest == _NO_CREATION] = -1
    known = oldest if created is None else np.where(created >= 0, created, oldest)
    return {
        **IdTable.of(log.item_ids).tensors(),
        "popularity": np.bincount(pairs % data.n_items, minlength=data.n_items).astype(np.int32),
        "newest_event": newest,
        "created": known.astype(np.int64),
    }


def _user_tensors(log: InteractionLog) -> dict[str, AnyArray]:
    """Arrays of users.safetensors: the newest `HISTORY_LIMIT` events of each user, oldest first."""
    data = log.interactions
    ends = np.repeat(data.indptr[1:], np.diff(data.indptr))
    newest = data.select(ends - np.arange(len(data)) <= HISTORY_LIMIT)
    types = np.full(len(newest), -1, dtype=np.int16) if newest.event_type is None else newest.event_type
    return {
        **IdTable.of(log.user_ids).tensors(),
        "indptr": newest.indptr,
        "items": newest.item,
        "timestamps": newest.timestamp,
        "event_types": types.astype(np.int16),
    }


def _action_tensors(events: ActionEvents) -> dict[str, AnyArray]:
    """Arrays of users.safetensors: the newest events of each user about actions, oldest first."""
    ends = np.repeat(events.indptr[1:], np.diff(events.indptr))
    newest = events.select(ends - np.arange(len(events)) <= ACTION_HISTORY_LIMIT)
    columns = (newest.action, newest.timestamp, newest.answer)
    return {"action_indptr": newest.indptr, **dict(zip(_ACTION_HISTORY, columns, strict=True))}


def _read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest, checked against its own checksum and this version's format."""
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_bytes())
        given = manifest["checksum"]
        found = _checksum({name: value for name, value in manifest.items() if name != "checksum"})
    except FileNotFoundError:
        raise ArtifactProblem(f"There is no {MANIFEST} in {folder}; the artifact was never finished.") from None
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise ArtifactProblem(f"{path} cannot be read ({problem!r}). Train the solution version again.") from problem
    if given != found:
        raise ArtifactProblem(f"{path} has been altered: its checksum does not match. Train the version again.")
    if manifest["format"] != FORMAT:
        raise ArtifactProblem(f"{path} has format {manifest['format']}; this version of Matinee reads {FORMAT}.")
    return manifest


def _map(path: Path) -> dict[str, AnyArray]:
    """The arrays of a file, memory-mapped, as plain views: indexing a `np.memmap` costs several times as much."""
    return {name: np.asarray(array) for name, array in read_arrays(path).items()}


def _checksum(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True, allow_nan=False).encode()).hexdigest()
