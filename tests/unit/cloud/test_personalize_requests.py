"""What Personalize asks IAM and S3 for."""

from __future__ import annotations

import pytest
from tests.unit.cloud.documents import ACCOUNT, JOB, ROLE, SERVICE, role

from matinee.cloud.personalize_requests import Asker, Use, assume, reading, use_as_role, use_as_service, writing

_ASKER = Asker.of(JOB)


@pytest.mark.parametrize(
    ("location", "files", "use"),
    [
        ("s3://films/in/a.csv", ["s3://films/in/a.csv"], Use("films", "in/a.csv", ("in/a.csv",))),
        ("s3://films/in/", ["s3://films/in/a.csv"], Use("films", "in/", ("in/a.csv",))),
        ("s3://films/in", ["s3://films/in/a.csv"], Use("films", "in/", ("in/a.csv",))),
        ("s3://films", ["s3://films/a.csv", "s3://films/b.csv"], Use("films", "", ("a.csv", "b.csv"))),
    ],
)
def test_reading_lists_the_place_and_gets_each_file(location: str, files: list[str], use: Use) -> None:
    assert reading(location, files) == (use,)


@pytest.mark.parametrize(
    ("location", "use"),
    [
        ("s3://films/out/", Use("films", "out/", ("out/result",), writes=True)),
        ("s3://films/out/a.csv", Use("films", "out/a.csv", ("out/a.csv",), writes=True)),
    ],
)
def test_writing_puts_into_the_place(location: str, use: Use) -> None:
    assert writing(location) == (use,)


def test_files_on_disk_need_no_bucket() -> None:
    assert reading("file:///data/a.csv", ["/data/a.csv"]) == ()
    assert writing("file:///data/") == ()


def test_the_asker_is_in_a_partition_a_region_and_an_account() -> None:
    asker = Asker.of("arn:aws-cn:personalize:cn-north-1:123456789012:dataset-import-job/a/b:c")
    assert (asker.partition, asker.region, asker.account) == ("aws-cn", "cn-north-1", "123456789012")


def test_the_service_assumes_the_role_for_the_asker() -> None:
    request = assume(role(), _ASKER)
    assert (request.action, request.resource) == ("sts:AssumeRole", ROLE)
    assert request.principal.services == {SERVICE}
    assert request.context.values("aws:SourceAccount") == (ACCOUNT,)
    assert request.context.values("aws:SourceArn") == (JOB,)
    assert request.context.values("sts:ExternalId") == ()


def test_a_use_is_a_listing_and_the_objects() -> None:
    requests = list(use_as_service(Use("films", "in/", ("in/a.csv", "in/b.csv")), _ASKER))
    assert [(request.action, request.resource) for request in requests] == [
        ("s3:ListBucket", "arn:aws:s3:::films"),
        ("s3:GetObject", "arn:aws:s3:::films/in/a.csv"),
        ("s3:GetObject", "arn:aws:s3:::films/in/b.csv"),
    ]
    assert requests[0].context.values("s3:prefix") == ("in/",)
    assert requests[1].context.values("s3:prefix") == ()


def test_the_service_is_a_service_and_the_role_is_none() -> None:
    use = Use("films", "out/", ("out/x",), writes=True)
    as_service = list(use_as_service(use, _ASKER))
    as_role = list(use_as_role(use, _ASKER, role(tags={"team": "films"})))
    assert [request.action for request in as_role] == ["s3:ListBucket", "s3:PutObject"]
    assert as_service[1].context.values("aws:PrincipalIsAWSService") == ("true",)
    assert as_role[1].context.values("aws:PrincipalIsAWSService") == ("false",)
    assert as_role[1].context.values("aws:PrincipalTag/team") == ("films",)
    assert as_role[1].context.values("aws:SourceArn") == ()


def test_an_organization_is_unknown_for_the_role_and_absent_for_the_service() -> None:
    use = Use("films", "", ())
    (as_service,), (as_role,) = use_as_service(use, _ASKER), use_as_role(use, _ASKER, role())
    assert as_role.context.values("aws:PrincipalOrgID") is None
    assert as_service.context.values("aws:PrincipalOrgID") == ()
