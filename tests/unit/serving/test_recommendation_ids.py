"""The ID of an answer tells who gave it, and is no ID of anyone else."""

from __future__ import annotations

import uuid

from matinee.serving.recommendation_ids import answered_by, new_id

HOME, KIDS = "arn:aws:personalize:us-east-1:1:campaign/home", "arn:aws:personalize:us-east-1:1:campaign/kids"


def test_an_id_is_that_of_one_campaign() -> None:
    assert [answered_by(new_id(arn), (KIDS, HOME)) for arn in (HOME, KIDS)] == [HOME, KIDS]
    assert answered_by(new_id(HOME), (KIDS,)) is None


def test_what_is_no_id_is_nobodys() -> None:
    for text in ("", "RID-1", "RID-" + "x" * 36, f"RID-{uuid.UUID(int=7)}"):
        assert answered_by(text, (HOME, KIDS)) is None


def test_ids_differ_and_are_uuids_of_version_8() -> None:
    ids = {new_id(HOME) for _ in range(200)}
    assert len(ids) == 200
    assert {len(one) for one in ids} == {40}
    assert {uuid.UUID(one[4:]).version for one in ids} == {8}
    assert {uuid.UUID(one[4:]).variant for one in ids} == {uuid.RFC_4122}
