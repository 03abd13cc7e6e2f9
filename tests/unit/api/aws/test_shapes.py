"""Whole requests and answers against the shapes of the service models."""

import json
from typing import Any

import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.api.aws.examples import ARN, example, input_of

from matinee.api.aws.errors import Malformed
from matinee.api.aws.model import SERVICES, Service, load, service_model
from matinee.errors import ApiError, InvalidInput


def parse(service: Service, operation: str, params: Any) -> dict[str, Any]:
    return load().of(service)[operation].parse(json.dumps(params).encode())


def serialise(service: Service, operation: str, result: dict[str, Any]) -> dict[str, Any]:
    write = load().of(service)[operation].serialise
    assert write is not None
    return write(result)


def events(**changes: Any) -> dict[str, Any]:
    event = {"eventType": "click", "sentAt": 1_700_000_000, **changes}
    return {"trackingId": "t", "sessionId": "s", "eventList": [event]}


def test_unknown_members_are_left_out() -> None:
    assert parse("personalize", "CreateDatasetGroup", {"name": "films", "colour": "blue"}) == {"name": "films"}


def test_null_members_are_absent() -> None:
    assert parse("personalize", "CreateDatasetGroup", {"name": "films", "domain": None}) == {"name": "films"}


def test_an_empty_body_is_an_empty_request() -> None:
    assert load().of("personalize")["ListDatasetGroups"].parse(b"") == {}


@pytest.mark.parametrize("given_name", [{}, {"name": None}])
def test_a_required_member_must_be_there(given_name: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse("personalize", "CreateDatasetGroup", given_name)

    assert refusal.value.message == (
        "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"
    )


def test_every_broken_constraint_is_reported_at_once() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse("personalize", "CreateDatasetGroup", {"name": "-", "domain": "FILMS"})

    assert refusal.value.message.startswith("2 validation errors detected: Value '-' at 'name'")
    assert "Value 'FILMS' at 'domain' failed to satisfy constraint: Member must satisfy enum" in refusal.value.message


def test_the_pattern_holds_for_the_whole_value() -> None:
    with pytest.raises(InvalidInput, match=r"regular expression"):
        parse("personalize", "CreateDatasetGroup", {"name": "films/../other"})


def test_a_members_place_in_a_list_is_counted_from_one() -> None:
    with pytest.raises(InvalidInput, match=r"at 'eventList\.1\.member\.eventType'"):
        parse("personalize-events", "PutEvents", events(eventType=""))


def test_null_in_a_list_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"Value null at 'inputList\.2\.member'"):
        parse(
            "personalize-runtime",
            "GetPersonalizedRanking",
            {"campaignArn": ARN, "userId": "1", "inputList": ["1", None]},
        )


def test_too_long_a_list_is_refused_before_its_members_are_read() -> None:
    request = {**events(), "eventList": [7] * 11}

    with pytest.raises(InvalidInput, match=r"with 11 members at 'eventList'.*less than or equal to 10"):
        parse("personalize-events", "PutEvents", request)


def test_too_short_a_list_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"Value '\[\]' at 'eventList'.*greater than or equal to 1"):
        parse("personalize-events", "PutEvents", {**events(), "eventList": []})


def test_keys_of_a_map_are_checked() -> None:
    with pytest.raises(InvalidInput, match=r"at 'filterValues.key'.*regular expression"):
        parse("personalize-runtime", "GetRecommendations", {"filterValues": {"a b": "1"}})


def test_values_of_a_map_are_checked_and_not_repeated() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse("personalize-runtime", "GetRecommendations", {"filterValues": {"GENRE": "noir" * 300}})

    assert "at 'filterValues.GENRE.value'" in refusal.value.message
    assert "noir" not in refusal.value.message


def test_everything_in_a_sensitive_structure_is_sensitive() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse("personalize-events", "PutEvents", events(eventType="private" * 99))

    assert "private" not in refusal.value.message


def test_properties_arrive_parsed() -> None:
    parsed = parse("personalize-events", "PutEvents", events(properties='{"device": "phone"}'))

    assert parsed["eventList"][0]["properties"] == {"device": "phone"}


def test_properties_that_are_not_json_are_refused_in_the_services_words() -> None:
    with pytest.raises(InvalidInput, match=r"^Error parsing properties json$"):
        parse("personalize-events", "PutEvents", events(properties="{device: phone}"))


def test_an_empty_user_is_taken_with_events() -> None:
    assert parse("personalize-events", "PutEvents", {**events(), "userId": ""})["userId"] == ""


def test_an_empty_user_is_refused_elsewhere() -> None:
    with pytest.raises(InvalidInput, match=r"users\.1\.member\.userId"):
        parse("personalize-events", "PutUsers", {"datasetArn": ARN, "users": [{"userId": ""}]})


@pytest.mark.parametrize("location", ["s3://bucket/key.csv", "file:///data/key.csv"])
def test_imports_may_come_from_s3_and_from_files(location: str) -> None:
    request = {"jobName": "j", "datasetArn": ARN, "dataSource": {"dataLocation": location}}

    assert parse("personalize", "CreateDatasetImportJob", request)["dataSource"] == {"dataLocation": location}


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"text"', b"null", b'{"name": NaN}', b"\xff", b'{"name": "\\ud800"}', b"[" * 100_000, b"9" * 5000],
    ids=["cut", "list", "text", "null", "nan", "not utf-8", "surrogate", "deep", "long number"],
)
def test_a_body_that_is_not_a_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        load().of("personalize")["CreateDatasetGroup"].parse(body)


def test_times_go_out_in_seconds_with_milliseconds() -> None:
    wire = serialise("personalize", "DescribeDatasetGroup", {"datasetGroup": {"creationDateTime": 1_542_403_200_123}})

    assert json.dumps(wire) == '{"datasetGroup": {"creationDateTime": 1542403200.123}}'


def test_what_is_none_or_unmodelled_does_not_go_out() -> None:
    group = {"name": "films", "failureReason": None, "secret": 1}

    assert serialise("personalize", "DescribeDatasetGroup", {"datasetGroup": group, "@headers": {}}) == {
        "datasetGroup": {"name": "films"}
    }


def test_scores_stay_absent_where_there_are_none() -> None:
    result = {"itemList": [{"itemId": "1", "score": None}], "recommendationId": "RID-1"}

    assert serialise("personalize-runtime", "GetRecommendations", result)["itemList"] == [{"itemId": "1"}]


@pytest.mark.parametrize(
    ("service", "operation"), [("personalize", "DeleteCampaign"), ("personalize-events", "PutEvents")]
)
def test_an_operation_without_output_has_nothing_to_write(service: Service, operation: str) -> None:
    assert load().of(service)[operation].serialise is None


# Names that the models know and some that they do not; values of every JSON type.
_NAMES = sorted(
    {
        name
        for service in SERVICES
        for shape_name in service_model(service).shape_names
        for name in getattr(service_model(service).shape_for(shape_name), "members", ())
    }
)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just(ARN)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES) | st.text(), inner, max_size=4),
    max_leaves=12,
)
_OPERATIONS = [(service, name) for service in SERVICES for name in service_model(service).operation_names]


@given(st.sampled_from(_OPERATIONS), st.data())
def test_whatever_is_taken_is_valid_for_botocore(place: tuple[Service, str], data: st.DataObject) -> None:
    service, name = place
    shape = input_of(service_model(service).operation_model(name))
    members = dict.fromkeys(shape.members, _VALUES)
    params = example(shape, full=False) | data.draw(st.fixed_dictionaries({}, optional=members))
    try:
        parsed = parse(service, name, params)
    except ApiError:
        return  # refused in words; any other exception fails this test

    # What botocore's own check can see: types, required members, lower bounds. JSON members are text to it.
    report = ParamValidator().validate(_as_botocore_has_it(_json_members_as_text(parsed), shape), shape)
    assert not [line for line in report.generate_report().splitlines() if "userId" not in line], (
        report.generate_report()
    )


@given(st.sampled_from(_OPERATIONS), st.data())
def test_what_botocore_refuses_is_refused(place: tuple[Service, str], data: st.DataObject) -> None:
    service, name = place
    shape = input_of(service_model(service).operation_model(name))
    valid = example(shape, full=True)
    broken = data.draw(st.sampled_from(sorted(valid))) if valid else None
    params = {**valid, broken: data.draw(_VALUES)} if broken else {}
    clean = _as_botocore_has_it(params, shape)
    if not ParamValidator().validate(clean, shape).has_errors():
        return

    if clean.get("userId") == "" and name == "PutEvents":
        return  # taken on purpose
    with pytest.raises(ApiError):
        parse(service, name, clean)


def _json_members_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: json.dumps(member) if name == "properties" else _json_members_as_text(member)
            for name, member in value.items()
        }
    return [_json_members_as_text(member) for member in value] if isinstance(value, list) else value


def _as_botocore_has_it(value: Any, shape: Any) -> Any:
    """`value` less what the server passes over and botocore does not: nulls, and members that the model lacks.

    Times become 0, since botocore knows none after the year 9999; whole floats become integers, which they are in JSON;
    truth values are no integers, as they are in Python.
    """
    if shape.type_name == "structure" and isinstance(value, dict):
        return {
            name: _as_botocore_has_it(member, shape.members[name])
            for name, member in value.items()
            if name in shape.members and member is not None
        }
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _as_botocore_has_it(member, shape.value) for key, member in value.items() if member is not None}
    if shape.type_name == "list" and isinstance(value, list):
        return [_as_botocore_has_it(member, shape.member) for member in value]
    if shape.type_name == "timestamp":
        return 0 if isinstance(value, int | float | str) else value
    if shape.type_name == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if shape.type_name == "integer" and isinstance(value, bool):
        return str(value)
    return value
