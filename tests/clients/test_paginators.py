"""botocore's paginators, one element a page, see what one large page shows: nothing skipped, nothing twice."""

from __future__ import annotations

import botocore.session
import pytest
from tests.clients.house import House
from tests.clients.services import python_name

_LOADER = botocore.session.get_session().get_component("data_loader")
PAGINATED = sorted(_LOADER.load_service_model("personalize", "paginators-1")["pagination"])


def test_botocore_has_a_paginator_for_each_list_but_one(house: House) -> None:
    listings = {name for name in dir(house.clients.control) if name.startswith("list_")}
    assert listings - {python_name(name) for name in PAGINATED} == {"list_data_deletion_jobs", "list_tags_for_resource"}
    assert len(PAGINATED) == 16


@pytest.mark.parametrize("operation", PAGINATED)
def test_pages_of_one_neither_skip_nor_repeat(houses: tuple[House, House], operation: str) -> None:
    house = houses[0]
    asked = (
        {"metricAttributionArn": house.arns["MetricAttribution"]} if operation == "ListMetricAttributionMetrics" else {}
    )
    paginator = house.clients.control.get_paginator(python_name(operation))  # type: ignore[call-overload]
    (key,) = (expression.expression for expression in paginator.result_keys)
    pages = [page[key] for page in paginator.paginate(**asked, PaginationConfig={"PageSize": 1})]
    whole = paginator.paginate(**asked, PaginationConfig={"PageSize": 100}).build_full_result()[key]
    assert [one for page in pages for one in page] == whole
    assert all(len(page) <= 1 for page in pages)
    assert len(whole) >= 2
