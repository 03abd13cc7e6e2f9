"""Whether requests, answers and refusals fit botocore's model of the service: used on every call of these tests."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from matinee.errors import ApiError


@cache
def service() -> ServiceModel:
    """botocore's model of the control plane."""
    return botocore.session.get_session().get_service_model("personalize")


def operation(name: str) -> OperationModel:
    """The model of one operation, named in either case: `CreateCampaign` or `create_campaign`."""
    model = service()
    full = next((full for full in model.operation_names if name in (full, xform_name(full))), None)
    assert full is not None, f"no operation {name}"
    return model.operation_model(full)


def check_request(name: str, params: dict[str, Any]) -> None:
    """What the api room would have refused before control saw it is a mistake in the test."""
    shape = operation(name).input_shape
    assert shape is not None
    report = ParamValidator().validate(params, shape)
    assert not report.has_errors(), report.generate_report()


def check_answer(name: str, answer: dict[str, Any]) -> None:
    """Every member is one of the model's and of its type; required ones are there; nothing is null."""
    shape = operation(name).output_shape
    if shape is None:
        assert answer == {}
    else:
        _fits(answer, shape, name)


def check_refusal(name: str, error: ApiError) -> None:
    """The model declares the exception for the operation."""
    declared = {shape.name for shape in operation(name).error_shapes}
    assert error.code in declared, f"{name} does not declare {error.code}: {error.message}"
    assert error.message.strip()


def _fits(value: Any, shape: Shape, place: str) -> None:
    if isinstance(shape, StructureShape):
        assert isinstance(value, dict), f"{place}: {value!r}"
        unknown = set(value) - set(shape.members)
        missing = set(shape.required_members) - set(value)
        assert not unknown, f"{place} has {unknown}"
        assert not missing, f"{place} lacks {missing}"
        for name, member in value.items():
            _fits(member, shape.members[name], f"{place}.{name}")
    elif isinstance(shape, ListShape):
        assert isinstance(value, list), f"{place}: {value!r}"
        assert len(value) <= shape.metadata.get("max", len(value))
        for number, member in enumerate(value):
            _fits(member, shape.member, f"{place}[{number}]")
    elif isinstance(shape, MapShape):
        assert isinstance(value, dict), f"{place}: {value!r}"
        for key, member in value.items():
            _fits(key, shape.key, f"{place} key")
            _fits(member, shape.value, f"{place}.{key}")
    else:
        _fits_scalar(value, shape, place)


def _fits_scalar(value: Any, shape: Shape, place: str) -> None:
    match shape.type_name:
        case "string":
            assert isinstance(value, str), f"{place}: {value!r}"
            assert value in (getattr(shape, "enum", None) or [value]), f"{place}: {value!r}"
        case "boolean":
            assert isinstance(value, bool), f"{place}: {value!r}"
        case "integer" | "long":
            assert type(value) is int, f"{place}: {value!r}"
        case "double" | "float":
            assert type(value) in (int, float), f"{place}: {value!r}"
        case "timestamp":
            assert type(value) is int, f"{place}: {value!r}"
            assert value > 1_400_000_000_000, f"{place} is not in epoch milliseconds: {value!r}"
        case other:
            raise AssertionError(f"{place}: no check for {other}")
