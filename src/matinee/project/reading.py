"""Reads a project file for one environment: the environment laid over it, every key checked, references resolved."""

from __future__ import annotations

from pathlib import Path

from matinee.project.desired import Project, Wanted
from matinee.project.entries import Entry, overlay, read_entries
from matinee.project.problems import Problem, ProjectProblem, choose_from
from matinee.project.sections import Sections, single

#: Sections and settings of a file; an environment may hold any of them.
_KEYS = (
    "datasetGroup",
    "schemas",
    "datasets",
    "solutions",
    "campaigns",
    "recommenders",
    "filters",
    "eventTracker",
    "tags",
    "roleArn",
    "upload",
    "prefix",
    "endpoint",
    "region",
)


def read_project(path: Path, environment: str | None = None) -> Project:
    """What the file at `path` asks for in `environment` (None for a file without environments).

    Raises `ProjectProblem` with everything that is wrong, each with its line, key and fix.
    """
    root = _chosen(read_entries(path), environment)
    found: list[Problem] = []
    sections = Sections(root, path.absolute().parent, found)
    role = root.members.get("roleArn")
    group = sections.group()
    schemas = tuple(sections.schemas())
    solutions = tuple(sections.solutions())
    resources = (
        group,
        *schemas,
        *sections.datasets(_keys(root, "schemas"), role.string if role else None),
        *sections.tracker(),
        *sections.filters(),
        *solutions,
        *sections.campaigns(_keys(root, "solutions")),
        *sections.recommenders(),
    )
    found.extend(_same_names(resources))
    project = Project(
        file=str(path),
        environment=environment,
        group=group,
        resources=resources,
        data=sections.data,
        retraining=sections.retraining,
        tags={key: entry.string for key, entry in root.members["tags"].members.items()}
        if "tags" in root.members
        else {},
        upload=_upload(root, found),
        endpoint=_text(root, "endpoint"),
        region=_text(root, "region"),
    )
    single(found)
    return project


def _chosen(root: Entry, environment: str | None) -> Entry:
    """The file with the chosen environment laid over it."""
    members = root.known(*_KEYS, "environments")
    environments = members["environments"].members if "environments" in members else {}
    if environment is None and environments:
        raise ProjectProblem.of(
            members["environments"].place,
            "The file has environments and none was chosen.",
            f"Add --environment with one of: {', '.join(environments)}.",
        )
    if environment is not None and environment not in environments:
        raise ProjectProblem.of(
            root.place, f"The file has no environment {environment!r}.", choose_from(environment, environments)
        )
    base = Entry(root.place, {key: entry for key, entry in members.items() if key != "environments"})
    if environment is not None:
        above = environments[environment]
        above.known(*_KEYS)
        base = overlay(base, Entry(above.place, dict(above.members)))
    if "datasetGroup" not in base.members or base.members["datasetGroup"].value is None:
        raise ProjectProblem.of(root.place, "The key datasetGroup is missing.", "Add `datasetGroup:` and a name.")
    return base


def _keys(root: Entry, section: str) -> dict[str, Entry]:
    return dict(root.members[section].members) if section in root.members else {}


def _text(root: Entry, key: str) -> str | None:
    entry = root.members.get(key)
    return entry.string if entry is not None and entry.value is not None else None


def _upload(root: Entry, found: list[Problem]) -> str | None:
    upload = _text(root, "upload")
    if upload is not None and not upload.removeprefix("s3://").strip("/").replace("s3:", ""):
        found.append(Problem(root.members["upload"].place, f"{upload!r} names no bucket.", "Give s3://bucket/folder."))
    elif upload is not None and not upload.startswith("s3://"):
        found.append(Problem(root.members["upload"].place, f"{upload!r} is no S3 place.", "Give s3://bucket/folder."))
    return upload


def _same_names(resources: tuple[Wanted, ...]) -> list[Problem]:
    """Names are unique for each kind in an account and region."""
    seen: dict[tuple[str, str], Wanted] = {}
    problems = []
    for wanted in resources:
        other = seen.setdefault((wanted.address.kind, wanted.name), wanted)
        if other is not wanted:
            problems.append(
                Problem(
                    wanted.place,
                    f"The name {wanted.name!r} is that of {other.address} (line {other.place.line}) too.",
                    "Give one of them another name.",
                )
            )
    return problems
