"""The control plane: every operation under its name, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from matinee.control import (
    batch_inference_jobs,
    batch_segment_jobs,
    campaigns,
    data_deletion_jobs,
    dataset_export_jobs,
    dataset_groups,
    dataset_import_jobs,
    datasets,
    event_trackers,
    filters,
    metric_attributions,
    recipes,
    recommenders,
    schemas,
    solution_versions,
    solutions,
    tags,
)
from matinee.control.context import Caller
from matinee.control.kind import Answer, Request
from matinee.control.operation import Operation
from matinee.control.turns import take_turn
from matinee.settings import Settings
from matinee.storage.metadata import Database
from matinee.storage.objects import ObjectStore

Handler = Callable[[Caller, dict[str, Any]], dict[str, Any]]

MODULES = (
    dataset_groups,
    schemas,
    datasets,
    dataset_import_jobs,
    dataset_export_jobs,
    data_deletion_jobs,
    event_trackers,
    solutions,
    solution_versions,
    campaigns,
    recommenders,
    filters,
    batch_inference_jobs,
    batch_segment_jobs,
    metric_attributions,
    recipes,
    tags,
)
#: Operations that change nothing.
_READING = ("Describe", "List", "Get")


class ControlPlane:
    """The operations of the `personalize` service over one database.

    Control writes no objects: whatever does is a job. It takes the store as its neighbours do, so that the three are
    built alike.
    """

    def __init__(self, database: Database, objects: ObjectStore, settings: Settings) -> None:
        self.database, self.objects, self.settings = database, objects, settings

    def operations(self) -> Mapping[str, Handler]:
        """Operation name, as in `CreateDatasetGroup`, to handler."""
        functions = [function for module in MODULES for function in module.OPERATIONS]
        return {operation_name(function.__name__): self._handler(function) for function in functions}

    def _handler(self, function: Callable[[Operation, Request], Answer]) -> Handler:
        reading = operation_name(function.__name__).startswith(_READING)

        def handle(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
            if reading:
                with self.database.read() as connection:
                    return function(Operation(connection, caller, self.settings), params)
            with self.database.transaction() as connection:
                take_turn(connection, caller.account, caller.region)
                return function(Operation(connection, caller, self.settings), params)

        return handle


def operation_name(function: str) -> str:
    """`create_dataset_group` as the wire names it: `CreateDatasetGroup`."""
    return "".join(word.capitalize() for word in function.split("_"))
