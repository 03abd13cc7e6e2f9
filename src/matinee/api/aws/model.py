"""The 79 operations of the three Personalize APIs, read from botocore's service models at start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from matinee.api.aws.errors import Protocol
from matinee.api.aws.shapes import Parse, Serialise, parser, serialiser

Service = Literal["personalize", "personalize-runtime", "personalize-events"]
SERVICES: Final[tuple[Service, ...]] = ("personalize", "personalize-runtime", "personalize-events")


@dataclass(frozen=True)
class Operation:
    """One operation: how it is reached, how its input is parsed and how its output is written."""

    name: str
    service: Service
    protocol: Protocol
    parse: Parse
    serialise: Serialise | None


@dataclass(frozen=True)
class Operations:
    """Every operation, by what selects it: the `X-Amz-Target` header of `POST /`, or the path of a POST."""

    by_target: Mapping[bytes, Operation]
    by_path: Mapping[str, Operation]

    def of(self, service: Service) -> dict[str, Operation]:
        """The operations of one API by name."""
        every = (*self.by_target.values(), *self.by_path.values())
        return {operation.name: operation for operation in every if operation.service == service}


@cache
def service_model(service: Service) -> ServiceModel:
    """botocore's model of one API."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@cache
def load() -> Operations:
    """Compile every operation of the three APIs (some hundredths of a second, once)."""
    by_target: dict[bytes, Operation] = {}
    by_path: dict[str, Operation] = {}
    for service in SERVICES:
        model = service_model(service)
        for name in model.operation_names:
            described = model.operation_model(name)
            operation = _compile(service, described)
            if operation.protocol == "json":
                by_target[f"{model.metadata['targetPrefix']}.{name}".encode()] = operation
            else:
                by_path[described.http["requestUri"]] = operation
    return Operations(by_target, by_path)


def _compile(service: Service, described: OperationModel) -> Operation:
    return Operation(
        name=described.name,
        service=service,
        protocol="json" if described.service_model.metadata["protocol"] == "json" else "rest-json",
        parse=parser(described.input_shape),
        serialise=serialiser(described.output_shape),
    )
