"""Which data files have to be imported: the name of an import job carries the hash of what it imported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matinee.project.content import SHORT
from matinee.project.desired import Address, DataFile, Reference, Wanted
from matinee.project.kinds import IMPORT
from matinee.project.observed import Found
from matinee.project.plan import Action, Verb

#: Room in a name of 63 characters for `-`, the hash, and `-` with a number of up to three digits.
_STEM = 63 - 1 - SHORT - 4


def imports_due(
    dataset: Wanted,
    data: Sequence[DataFile],
    hashes: Sequence[str],
    jobs: Sequence[Found],
    *,
    retry: bool = False,
    tags: Mapping[str, Any] | None = None,
) -> Iterator[Action]:
    """Imports that lead from `jobs` (newest first) to `data` with the chained `hashes`; a wait for one that runs.

    The newest job that counts says how far the data is: its hash is looked for in `hashes`, and what comes after it
    is due. A job that is none of the file's counts when it was FULL, since it replaced everything.
    """
    stem = dataset.name[:_STEM]
    failed: dict[str, Found] = {}
    head: Found | None = None
    for job in jobs:
        own = _hash_of(_name(job), stem)
        if job.failed:
            if own is not None:
                failed.setdefault(own, job)
        elif own is not None or job.described.get("importMode", "FULL") == "FULL":
            head = job
            break
    head_hash = _hash_of(_name(head), stem) if head else None
    position = hashes.index(head_hash) if head_hash in hashes else -1
    address = Address(IMPORT.word, dataset.address.key)
    if head is not None and head.busy(IMPORT.word):
        yield Action(Verb.WAIT, address, _name(head), f"is {head.status}", arn=head.arn, any_end=position < 0)
    names = {_name(job) for job in jobs}
    for place in range(position + 1, len(data)):
        file, own = data[place], hashes[place]
        reason = _reason(head, head_hash, stem, position, place)
        blocked = ""
        if own in failed and not retry:
            job = failed[own]
            reason = f"the import of this data ended as {job.status}: {job.reason}"
            blocked = "Mend the cause, then add --retry to import it again."
        name = _free(f"{stem}-{own}", names)
        names.add(name)
        request = {"jobName": name, "datasetArn": Reference(dataset.address), **file.request, **(tags or {})}
        yield Action(Verb.IMPORT, address, name, reason, request, blocked=blocked, data=file)


def _reason(head: Found | None, head_hash: str | None, stem: str, position: int, place: int) -> str:
    if place > position + 1 or position >= 0:
        return "the next data file"
    if head is None:
        return "nothing is imported yet"
    return "the data changed" if head_hash else f"the newest import, {_name(head)}, is none of this file's"


def _name(job: Found) -> str:
    return str(job.described["jobName"])


def _hash_of(name: str, stem: str) -> str | None:
    match = re.fullmatch(re.escape(stem) + rf"-([0-9a-f]{{{SHORT}}})(?:-\d+)?", name)
    return match[1] if match else None


def _free(name: str, taken: set[str]) -> str:
    """`name`, with a number when it was used before: names of import jobs are never free again."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
