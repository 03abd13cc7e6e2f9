"""Any sequence of events, seen through a filter by two processes, against a model in a few lines."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.serving.shop import CALLER, Shop, log_of

from matinee.models.popularity import Popularity
from matinee.serving.runtime import Runtime

LOG = log_of([("ada", "a", 100, "watch"), ("bob", "b", 100, "watch"), ("bob", "c", 100, "buy"), ("bob", "d", 1, "buy")])
IMPORTED = {("ada", "a", "watch"), ("bob", "b", "watch"), ("bob", "c", "buy"), ("bob", "d", "buy")}

_steps = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bob", None]),
        st.sampled_from(["s1", "s2"]),
        st.sampled_from("abcd"),
        st.sampled_from(["watch", "Buy"]),
    ),
    max_size=6,
)


def _had(steps: list[tuple[str | None, str, str, str]], asker: str, kind: str) -> set[str]:
    """Items that `asker`, a user or a session, has an event of `kind` for."""
    owner: dict[str, str] = {}
    for user, session, _, _ in steps:
        if user is not None:
            owner.setdefault(session, user)
    found = {item for user, item, one in IMPORTED if user == asker and one == kind}
    for user, session, item, one in steps:
        mine = user == asker or (user is None and (owner.get(session) == asker or session == asker))
        if mine and one.lower() == kind:
            found.add(item)
    return found


@settings(max_examples=15, deadline=None)
@given(steps=_steps)
def test_what_a_user_had_is_never_recommended_past_a_filter(
    steps: list[tuple[str | None, str, str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder))
        other = Runtime(shop.database, shop.objects, shop.settings)
        arn = shop.campaign("c", "aws-popularity-count", Popularity(), LOG)
        bought = shop.filter("bought", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("BUY")')
        for at in range(len(steps) + 1):
            if at:
                user, session, item, kind = steps[at - 1]
                shop.put_event(user, item, kind, session=session, at=1000 + at)
            for asker in ("ada", "bob", "s1"):
                expected = set("abcd") - _had(steps[:at], asker, "buy")
                call = {"campaignArn": arn, "userId": asker, "filterArn": bought}
                for runtime in (shop.runtime, other):
                    answer = runtime.get_recommendations(CALLER, call)
                    assert {element["itemId"] for element in answer["itemList"]} == expected
        other.close()
        shop.close()
