"""The sections of a project file, read one by one: each turns its entries into resources of one kind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from matinee.project.desired import Address, DataFile, Reference, Retraining, Wanted
from matinee.project.entries import Entry
from matinee.project.kinds import (
    CAMPAIGN,
    DATASET,
    FILTER,
    GROUP,
    RECOMMENDER,
    SCHEMA,
    SOLUTION,
    TRACKER,
)
from matinee.project.problems import Place, Problem, ProjectProblem, choose_from
from matinee.project.shapes import check, check_members, input_shape

#: Dataset types as the service returns them.
DATASET_TYPES = ("INTERACTIONS", "ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS")

_GROUP = Address(GROUP.word, GROUP.word)


class Sections:
    """Reads sections of the file at `folder`; collects in `found` what is wrong, so that all of it is told at once."""

    def __init__(self, root: Entry, folder: Path, found: list[Problem]) -> None:
        self.root = root
        self.folder = folder
        self.found = found
        prefix = root.members.get("prefix")
        self.prefix = prefix.string if prefix else ""
        self.data: dict[str, tuple[DataFile, ...]] = {}
        self.retraining: dict[str, Retraining] = {}
        self.domain: str | None = None
        self.group_name = ""

    def group(self) -> Wanted:
        """`datasetGroup`: a name, or a mapping with `name`, `domain`, `kmsKeyArn`, `roleArn`."""
        entry = self._named(self.root.members["datasetGroup"], "name")
        members = check_members(entry, input_shape("CreateDatasetGroup"), self.found, without=("tags",))
        self.group_name = str(members.pop("name", "") or "")
        self.domain = members.get("domain")
        return self._wanted(_GROUP, entry, members, default=self.group_name)

    def schemas(self) -> Iterator[Wanted]:
        """`schemas`: by name, the path of an Avro JSON file; or `file` with `domain` and `name`."""
        for key, entry in self._section("schemas"):
            named = self._named(entry, "file")
            members = check_members(
                named, input_shape("CreateSchema"), self.found, also=("file", "name"), without=("schema", "name")
            )
            file = named.members.get("file")
            if file is None:
                self._refuse(named.place, "The key file is missing.", "Name the schema's Avro JSON file.")
                continue
            domain = {"domain": self.domain} if self.domain else {}
            text = self._schema_text(file)
            yield self._wanted(Address(SCHEMA.word, key), named, {**domain, **members, "schema": text})

    def datasets(self, schemas: Mapping[str, Any], role: str | None) -> Iterator[Wanted]:
        """`datasets`: by type; each with `schema`, and `data` to import."""
        for given, entry in self._section("datasets"):
            key = given.upper()
            if key not in DATASET_TYPES:
                choice = choose_from(given, [word.lower() for word in DATASET_TYPES])
                self._refuse(entry.place, f"{given!r} is no dataset type.", choice)
                continue
            self._check_known(entry, ("name", "schema", "data"))
            reference = self._refer(entry, "schema", SCHEMA.word, schemas)
            if "data" in entry.members:
                self.data[key] = tuple(self._data(entry.members["data"], role))
            default = f"{self.group_name}-{key.lower().replace('_', '-')}"
            request = {"datasetGroupArn": Reference(_GROUP), "schemaArn": reference, "datasetType": key}
            yield self._wanted(Address(DATASET.word, key), entry, request, default=default)

    def solutions(self) -> Iterator[Wanted]:
        """`solutions`: by name; `recipe`, `train`, and the members of CreateSolution."""
        for key, entry in self._section("solutions"):
            shape = input_shape("CreateSolution")
            members = check_members(
                entry,
                shape,
                self.found,
                also=("recipe", "train", "name"),
                without=("name", "datasetGroupArn", "recipeArn", "tags"),
            )
            recipe = self._recipe(entry, needed=not members.get("performAutoML"))
            automatic = bool(members.get("performAutoTraining", False))
            self.retraining[key] = self._retraining(entry, Retraining.ONCE if automatic else Retraining.ON_CHANGE)
            # The service would train weekly, at the caller's cost, where this member is left out.
            request = {"datasetGroupArn": Reference(_GROUP), **recipe, "performAutoTraining": automatic, **members}
            yield self._wanted(Address(SOLUTION.word, key), entry, request)

    def campaigns(self, solutions: Mapping[str, Any]) -> Iterator[Wanted]:
        """`campaigns`: by name; `solution`, and the members of CreateCampaign."""
        for key, entry in self._section("campaigns"):
            members = check_members(
                entry,
                input_shape("CreateCampaign"),
                self.found,
                also=("solution", "name"),
                without=("name", "solutionVersionArn", "tags"),
            )
            solution = self._refer(entry, "solution", SOLUTION.word, solutions)
            sync = (members.get("campaignConfig") or {}).get("syncWithLatestSolutionVersion")
            version = Reference(solution.to, "/$LATEST") if sync else Reference(Address("version", solution.to.key))
            yield self._wanted(Address(CAMPAIGN.word, key), entry, {"solutionVersionArn": version, **members})

    def recommenders(self) -> Iterator[Wanted]:
        """`recommenders`: by name; `recipe` of a domain use case, and the members of CreateRecommender."""
        for key, entry in self._section("recommenders"):
            if not self.domain:
                self._refuse(
                    entry.place,
                    "Recommenders exist only in a domain dataset group.",
                    "Give datasetGroup a domain (VIDEO_ON_DEMAND or ECOMMERCE), or use a solution and a campaign.",
                )
            members = check_members(
                entry,
                input_shape("CreateRecommender"),
                self.found,
                also=("recipe", "name"),
                without=("name", "datasetGroupArn", "recipeArn", "tags"),
            )
            request = {"datasetGroupArn": Reference(_GROUP), **self._recipe(entry, needed=True), **members}
            yield self._wanted(Address(RECOMMENDER.word, key), entry, request)

    def filters(self) -> Iterator[Wanted]:
        """`filters`: by name, the expression; or a mapping with `filterExpression`."""
        for key, entry in self._section("filters"):
            named = self._named(entry, "filterExpression")
            members = check_members(
                named,
                input_shape("CreateFilter"),
                self.found,
                also=("name",),
                without=("name", "datasetGroupArn", "tags"),
            )
            yield self._wanted(Address(FILTER.word, key), named, {"datasetGroupArn": Reference(_GROUP), **members})

    def tracker(self) -> Iterator[Wanted]:
        """`eventTracker`: a name, or a mapping with `name`. A group has at most one."""
        entry = self.root.members.get("eventTracker")
        if entry is not None and entry.value is not None:
            named = self._named(entry, "name")
            self._check_known(named, ("name",))
            yield self._wanted(
                Address(TRACKER.word, TRACKER.word),
                named,
                {"datasetGroupArn": Reference(_GROUP)},
                default=f"{self.group_name}-events",
            )

    # -- parts of sections --------------------------------------------------------------------------------------------

    def _section(self, name: str) -> Iterator[tuple[str, Entry]]:
        section = self.root.members.get(name)
        for key, entry in section.members.items() if section else ():
            if isinstance(entry.value, dict) or name in ("schemas", "filters"):
                yield key, entry
            else:
                self._refuse(entry.place, f"A mapping belongs here, not {entry.shown}.", "Write `key: value` lines.")

    def _named(self, entry: Entry, member: str) -> Entry:
        """A mapping; a lone scalar stands for its one member `member`."""
        return entry if isinstance(entry.value, dict) else Entry(entry.place, {member: entry})

    def _wanted(self, address: Address, entry: Entry, request: Mapping[str, Any], *, default: str = "") -> Wanted:
        given = entry.members.get("name")
        own = given.string if given else default or address.key
        place = given.place if given else entry.place
        name = self.prefix + own
        check(Entry(place, name, name), input_shape("CreateCampaign").members["name"], self.found)
        return Wanted(address, name, {key: value for key, value in request.items() if value is not None}, entry.place)

    def _refer(self, entry: Entry, member: str, kind: str, known: Mapping[str, Any]) -> Reference:
        reference = entry.members.get(member)
        if reference is None:
            self._refuse(entry.place, f"The key {member} is missing.", f"Name one of the file's {kind}s.")
        elif reference.string not in known:
            self._refuse(
                reference.place, f"The file has no {kind} {reference.string!r}.", choose_from(reference.string, known)
            )
        return Reference(Address(kind, reference.string if reference else ""))

    def _recipe(self, entry: Entry, *, needed: bool) -> Mapping[str, str]:
        recipe = entry.members.get("recipe")
        if recipe is None:
            if needed:
                self._refuse(entry.place, "The key recipe is missing.", "Name one, say aws-user-personalization-v2.")
            return {}
        name = recipe.string
        return {"recipeArn": name if name.startswith("arn:") else f"arn:aws:personalize:::recipe/{name}"}

    def _retraining(self, entry: Entry, default: Retraining) -> Retraining:
        train = entry.members.get("train")
        if train is None:
            return default
        if train.string not in list(Retraining):
            self._refuse(train.place, f"{train.string!r} is no way to train.", choose_from(train.string, Retraining))
            return default
        return Retraining(train.string)

    def _data(self, entry: Entry, role: str | None) -> Iterator[DataFile]:
        items = entry.value if isinstance(entry.value, tuple) else (entry,)
        for number, item in enumerate(items):
            named = self._named(item, "location")
            members = check_members(
                named,
                input_shape("CreateDatasetImportJob"),
                self.found,
                also=("location", "version"),
                without=("jobName", "datasetArn", "dataSource", "tags"),
            )
            first = "FULL" if number == 0 else "INCREMENTAL"
            mode = members.setdefault("importMode", first)
            if number == 0 and mode != "FULL":
                self._refuse(named.place, "The first import of a dataset must be FULL.", "Leave importMode out.")
            if role:
                members.setdefault("roleArn", role)
            if (location := self._location(named)) is not None:
                version = named.members.get("version")
                yield DataFile(location, members, version.string if version else None, named.place)

    def _location(self, entry: Entry) -> str | None:
        location = entry.members.get("location")
        if location is None:
            self._refuse(entry.place, "The key location is missing.", "Give s3://bucket/key or a path.")
            return None
        text = location.string
        if text.startswith("s3://"):
            return text
        if "://" in text and not text.startswith("file://"):
            self._refuse(location.place, f"{text!r} cannot be imported from.", "Give s3://bucket/key or a path.")
            return None
        given = unquote(urlsplit(text).path) if text.startswith("file://") else text
        path = (self.folder / given).absolute()
        if not path.exists():
            self._refuse(location.place, f"There is no file or folder {path}.", "Paths begin at the project file.")
            return None
        return f"{path}/" if path.is_dir() else str(path)

    def _schema_text(self, file: Entry) -> str:
        path = self.folder / file.string
        try:
            text = path.read_text(encoding="utf-8")
            if not isinstance(json.loads(text), dict):
                raise ValueError("no record in it")
        except OSError as error:
            self._refuse(file.place, f"{path} cannot be read: {error.strerror}.", "Paths begin at the project file.")
        except ValueError as error:
            self._refuse(file.place, f"{path} is not an Avro schema in JSON: {error}.", "Mend the file.")
        else:
            return text
        return "{}"

    def _check_known(self, entry: Entry, keys: tuple[str, ...]) -> None:
        for key, member in entry.members.items():
            if key not in keys:
                self._refuse(member.place, f"Unknown key {key!r}.", choose_from(key, keys))

    def _refuse(self, place: Place, problem: str, fix: str) -> None:
        self.found.append(Problem(place, problem, fix))


def single(problems: list[Problem]) -> None:
    """Raise `ProjectProblem` with all that was found, if anything was."""
    if problems:
        raise ProjectProblem(problems)
