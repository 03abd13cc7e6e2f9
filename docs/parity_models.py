"""The 79 operations of botocore's service models and every member of their requests and answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from matinee.api.aws.model import SERVICES, service_model


@dataclass(frozen=True)
class Member:
    """A member of a request or of an answer; `path` is dotted, through lists and maps alike. `echoed`: an answer gives
    it back inside a structure that a request gave."""

    path: str
    required: bool
    answered: bool
    echoed: bool = False


@cache
def models() -> Mapping[str, OperationModel]:
    """botocore's model of every operation of the three APIs, by name."""
    described = [service_model(service) for service in SERVICES]
    return {name: model.operation_model(name) for model in described for name in model.operation_names}


@cache
def members_of(operation: str) -> tuple[Member, ...]:
    """Every member of an operation's request and answer, at whatever depth."""
    model = models()[operation]
    asked = _walk(model.input_shape, "", answered=False, echoed=False)
    answers = _walk(model.output_shape, "", answered=True, echoed=False) if model.output_shape else ()
    return (*asked, *answers)


def _walk(shape: Shape | None, path: str, *, answered: bool, echoed: bool) -> Iterator[Member]:
    if isinstance(shape, StructureShape):
        echoed = echoed or (answered and shape.name in _asked_shapes())
        for name, member in shape.members.items():
            place = f"{path}.{name}" if path else name
            yield Member(place, name in shape.required_members, answered, echoed)
            yield from _walk(member, place, answered=answered, echoed=echoed)
    elif isinstance(shape, ListShape):
        yield from _walk(shape.member, path, answered=answered, echoed=echoed)
    elif isinstance(shape, MapShape):
        yield from _walk(shape.value, path, answered=answered, echoed=echoed)


@cache
def _asked_shapes() -> frozenset[str]:
    """Names of the structures that some request carries."""

    def inside(shape: Shape | None) -> Iterator[str]:
        if isinstance(shape, StructureShape):
            yield shape.name
            for member in shape.members.values():
                yield from inside(member)
        elif isinstance(shape, ListShape):
            yield from inside(shape.member)
        elif isinstance(shape, MapShape):
            yield from inside(shape.value)

    return frozenset(name for model in models().values() for name in inside(model.input_shape))
