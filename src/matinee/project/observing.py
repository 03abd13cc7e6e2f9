"""Looks at the service: which resources of a project exist, in what state, with which imports and versions."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from matinee.project.content import SHORT, fingerprint
from matinee.project.desired import Address, Project, Wanted
from matinee.project.kinds import (
    BY_WORD,
    CAMPAIGN,
    DATASET,
    FILTER,
    GROUP,
    IMPORT,
    RECOMMENDER,
    SCHEMA,
    SOLUTION,
    TRACKER,
    VERSION,
    Kind,
)
from matinee.project.observed import Found, Observed, Unmanaged
from matinee.project.service import Service

#: Streamed events live in a dataset that the service makes with the event tracker; no file names it.
EVENT_DATASETS = ("EVENT_INTERACTIONS", "ACTION_EVENT_INTERACTIONS")


def observe(project: Project, service: Service, *, with_data: bool = True) -> Observed:
    """Everything that exists of `project`. `with_data=False` leaves the data files unread (for a deletion).

    Raises `ServiceRefused`, and `ProjectProblem` for data that cannot be read.
    """
    return _Look(project, service).all(with_data=with_data)


def hashed_schema_name(name: str, text: str) -> str:
    """The name of a schema whose plain name is taken by another content; schemas cannot be changed."""
    return f"{name[: 62 - SHORT]}-{hashlib.sha256(_normal(text).encode()).hexdigest()[:SHORT]}"


def is_schema_of(name: str, wanted: str) -> bool:
    """Whether `name` is what an earlier content of the schema `wanted` was called."""
    return name == wanted or re.fullmatch(re.escape(wanted[: 62 - SHORT]) + rf"-[0-9a-f]{{{SHORT}}}", name) is not None


class _Look:
    def __init__(self, project: Project, service: Service) -> None:
        self.project = project
        self.service = service
        self.found: dict[Address, Found] = {}
        self.unmanaged: list[Unmanaged] = []

    def all(self, *, with_data: bool) -> Observed:
        group = self._by_name(GROUP, (self.project.group,), self.service.listing(GROUP))
        names = self._schemas()
        self._in_region(FILTER)
        self._in_region(SOLUTION)
        self._in_region(CAMPAIGN)
        if any(self.project.of(RECOMMENDER.word)) or (group and "domain" in group[0].described):
            self._in_region(RECOMMENDER)
        if group:
            self._datasets(group[0].arn)
            self._by_name(TRACKER, self.project.of(TRACKER.word), self._list_group(TRACKER, group[0].arn))
            for kind in (FILTER, SOLUTION, RECOMMENDER, TRACKER):
                if kind is not RECOMMENDER or "domain" in group[0].described:
                    self._leftovers(kind, self._list_group(kind, group[0].arn))
            self._campaign_leftovers(group[0].arn)
        return Observed(
            found=self.found,
            imports={
                wanted.address.key: self._newest(IMPORT, datasetArn=self.found[wanted.address].arn)
                for wanted in self.project.of(DATASET.word)
                if wanted.address in self.found
            },
            versions={
                wanted.address.key: self._newest(VERSION, solutionArn=self.found[wanted.address].arn)
                for wanted in self.project.of(SOLUTION.word)
                if wanted.address in self.found
            },
            unmanaged=tuple(self.unmanaged),
            fingerprints={
                key: tuple(fingerprint(one, self.service.s3) for one in data)
                for key, data in (self.project.data.items() if with_data else ())
            },
            taken_schema_names=names,
        )

    def _in_region(self, kind: Kind) -> None:
        wanted = tuple(self.project.of(kind.word))
        if wanted:
            self._by_name(kind, wanted, self.service.listing(kind))

    def _list_group(self, kind: Kind, group_arn: str) -> list[Mapping[str, Any]]:
        return self.service.listing(kind, datasetGroupArn=group_arn)

    def _by_name(self, kind: Kind, wanted: Iterable[Wanted], listed: Iterable[Mapping[str, Any]]) -> list[Found]:
        """Describe those of `listed` that bear a wanted name. One may vanish between the two looks."""
        by_name = {summary["name"]: summary for summary in listed}
        seen = []
        for one in wanted:
            if one.name in by_name and (found := self._describe(kind, by_name[one.name][kind.arn])):
                self.found[one.address] = found
                seen.append(found)
        return seen

    def _describe(self, kind: Kind, arn: str) -> Found | None:
        answer = self.service.describe(kind, arn)
        if answer is None:
            return None
        tags = self.service.tags(arn) if self.project.tags and kind.taggable else {}
        return Found(arn, answer.described, tags)

    def _schemas(self) -> frozenset[str]:
        """A schema is the wanted one when its content is; its name may carry a hash. Returns the names in use."""
        listed = {summary["name"]: summary["schemaArn"] for summary in self.service.listing(SCHEMA)}
        for wanted in self.project.of(SCHEMA.word):
            for name in (wanted.name, hashed_schema_name(wanted.name, wanted.request["schema"])):
                found = self._describe(SCHEMA, listed[name]) if name in listed else None
                if found and _same_schema(wanted.request, found.described):
                    self.found[wanted.address] = found
                    break
        return frozenset(listed)

    def _datasets(self, group_arn: str) -> None:
        by_type = {wanted.address.key: wanted for wanted in self.project.of(DATASET.word)}
        for summary in self._list_group(DATASET, group_arn):
            wanted = by_type.get(summary["datasetType"])
            if wanted is None:
                self._leave(DATASET, summary)
            elif found := self._describe(DATASET, summary["datasetArn"]):
                self.found[wanted.address] = found

    def _campaign_leftovers(self, group_arn: str) -> None:
        for solution in self._list_group(SOLUTION, group_arn):
            self._leftovers(CAMPAIGN, self.service.listing(CAMPAIGN, solutionArn=solution["solutionArn"]))

    def _leftovers(self, kind: Kind, listed: Iterable[Mapping[str, Any]]) -> None:
        names = {wanted.name for wanted in self.project.of(kind.word)}
        for summary in listed:
            if summary["name"] not in names:
                self._leave(kind, summary)

    def _leave(self, kind: Kind, summary: Mapping[str, Any]) -> None:
        name = summary["datasetType"] if kind is DATASET else summary["name"]
        self.unmanaged.append(Unmanaged(kind.word, name, summary[kind.arn], summary.get("status", "ACTIVE")))

    def _newest(self, kind: Kind, **of: str) -> tuple[Found, ...]:
        """Jobs or versions, newest first."""
        listed = [Found(summary[kind.arn], summary) for summary in self.service.listing(BY_WORD[kind.word], **of)]
        return tuple(sorted(listed, key=lambda found: found.created, reverse=True))


def _same_schema(wanted: Mapping[str, Any], described: Mapping[str, Any]) -> bool:
    same_domain = wanted.get("domain") == described.get("domain")
    return same_domain and _normal(wanted["schema"]) == _normal(described["schema"])


def _normal(text: str) -> str:
    """A schema's JSON without its layout."""
    return json.dumps(json.loads(text), sort_keys=True)
