"""Values made from the service models: the smallest and the fullest that a shape allows."""

from __future__ import annotations

import json
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

ARN = "arn:aws:personalize:us-east-1:123456789012:campaign/example"
#: A moment in epoch milliseconds, as handlers give it, and in seconds, as clients do.
MILLISECONDS = 1_700_000_000_123
SECONDS = 1_700_000_000

_STRINGS = {
    "Arn": ARN,
    "RoleArn": "arn:aws:iam::123456789012:role/reader",
    "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/example",
    "S3Location": "s3://bucket/key.csv",
    "SchedulingExpression": "rate(7 days)",
}


def input_of(operation: OperationModel) -> StructureShape:
    """The input shape, which every operation of the three APIs has."""
    shape = operation.input_shape
    assert shape is not None
    return shape


def example(shape: Shape, *, full: bool, time: int = SECONDS) -> Any:
    """A valid value: with required members only, or `full` with every member and one element in each container."""
    if isinstance(shape, StructureShape):
        names = shape.members if full else shape.required_members
        return {name: example(shape.members[name], full=full, time=time) for name in names}
    if isinstance(shape, ListShape):
        count = max(1 if full else 0, shape.metadata.get("min", 0))
        return [example(shape.member, full=full, time=time)] * count
    if isinstance(shape, MapShape):
        return {example(shape.key, full=full, time=time): example(shape.value, full=full, time=time)} if full else {}
    return _scalar(shape, time)


def _scalar(shape: Shape, time: int) -> Any:
    if shape.type_name == "string":
        if shape.serialization.get("jsonvalue"):
            return json.dumps({"genre": "Noir"})
        if shape.metadata.get("enum"):
            return shape.metadata["enum"][0]
        return _STRINGS.get(shape.name, "example")
    if shape.type_name == "timestamp":
        return time
    if shape.type_name == "boolean":
        return True
    if shape.type_name in ("integer", "long"):
        return max(1, shape.metadata.get("min", 1))
    return 0.5
