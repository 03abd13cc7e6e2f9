"""The blend weighs its parts by validation and ranks seen items as its configuration says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matinee.data.interactions import Histories, Interactions
from matinee.models.arrays import read_arrays, write_arrays
from matinee.models.base import ARRAYS, FitOptions, Progress
from matinee.models.blend import Blend, BlendConfig
from matinee.models.ease import EASEConfig
from matinee.models.ridge import RidgeConfig
from matinee.models.transformer.config import TransformerConfig

N_ITEMS = 30
LINEAR = BlendConfig(transformer=None, ease=EASEConfig(), ridge=RidgeConfig(5.0, (0.5,)))

TINY = TransformerConfig(dimension=16, layers=1, length=8, epochs=2, batch_events=128)
TWO = BlendConfig(TINY, LINEAR.ease, LINEAR.ridge, members=2)


def log(n_users: int = 80, repeats: int = 1, stray: bool = True) -> Interactions:
    """Users who walk round the catalogue, and may stray at every third step; each event comes `repeats` times."""
    random = np.random.default_rng(0)
    item = (random.integers(0, N_ITEMS, n_users)[:, None] + np.arange(10)) % N_ITEMS
    if stray:
        item[:, ::3] = random.integers(0, N_ITEMS, item[:, ::3].shape)
    item = np.repeat(item, repeats, axis=1).ravel().astype(np.int32)
    user = np.repeat(np.arange(n_users), 10 * repeats).astype(np.int32)
    return Interactions.of(user, item, np.arange(len(user), dtype=np.int64), n_users=n_users, n_items=N_ITEMS)


def history(*items: int) -> Histories:
    return Histories.one(np.array(items, np.int32), np.arange(len(items), dtype=np.int64))


def test_the_part_that_finds_the_next_item_weighs_most() -> None:
    model = Blend(LINEAR).fit(log())
    weights = dict(zip(model.parts, model.weights.tolist(), strict=True))
    assert weights["ridge"] > weights["popularity"]
    assert model.score(history(3, 4, 5))[0].argmax() == 6


def test_seen_items_come_last_where_nobody_repeats() -> None:
    scores = Blend(LINEAR).fit(log(stray=False)).score(history(3, 4, 5))[0]
    assert set(np.argsort(-scores)[-3:].tolist()) == {3, 4, 5}
    assert np.isfinite(scores).all()


def test_seen_items_keep_their_place_where_users_repeat() -> None:
    model = Blend(LINEAR).fit(log(repeats=3))
    assert not model.seen_last


@pytest.mark.parametrize(("seen", "last"), [("last", True), ("keep", False)])
def test_what_becomes_of_seen_items_can_be_set(seen: str, last: bool) -> None:
    config = BlendConfig(None, LINEAR.ease, LINEAR.ridge, seen=seen)  # type: ignore[arg-type]
    assert Blend(config).fit(log()).seen_last is last


def test_weights_are_reported() -> None:
    seen: list[Progress] = []
    Blend(LINEAR).fit(log(), None, FitOptions(on_progress=seen.append))
    named = [progress.metrics for progress in seen if "weight_ridge" in progress.metrics]
    assert set(named[0]) == {"weight_ease", "weight_ridge", "weight_popularity", "weight_recent"}


def test_too_few_users_for_validation_leave_weights_equal() -> None:
    model = Blend(LINEAR).fit(log(n_users=1))
    assert model.weights.tolist() == [1, 1, 1, 1]
    assert model.say("ease", 1) == 1


def test_quick_parts_are_fitted_on_all_users_in_the_end() -> None:
    data = log()
    model = Blend(LINEAR).fit(data)
    alone = type(model.parts["ease"])(LINEAR.ease).fit(data)
    np.testing.assert_array_equal(model.parts["ease"].score(history(1)), alone.score(history(1)))


def test_a_blend_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        BlendConfig(transformer=None, ease=None, ridge=None, popularity=None, recent=None)


def test_an_unknown_seen_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="seen must be"):
        BlendConfig(seen="never")  # type: ignore[arg-type]


def test_an_item_that_a_part_does_not_know_is_its_last() -> None:
    model = Blend(LINEAR).fit(log())
    part = model.parts["ridge"]
    part._set_known(np.arange(N_ITEMS) != 6)
    model.weights[:] = [0, 1, 0, 0]
    scores = model.score(history(3, 4, 5))[0]
    assert scores[6] == np.delete(scores, [3, 4, 5]).min()


def test_two_transformers_differ_and_share_their_weight(tmp_path: Path) -> None:
    done: list[float] = []
    options = FitOptions(seed=3, checkpoints=tmp_path, on_progress=lambda progress: done.append(progress.fraction))
    model = Blend(TWO).fit(log(), None, options)
    assert list(model.parts) == ["transformer", "transformer_2", "ease", "ridge", "popularity", "recent"]
    assert model.weights[0] == model.weights[1]
    first, second = (model.parts[name].score(history(3, 4, 5)) for name in ("transformer", "transformer_2"))
    assert not np.allclose(first, second)
    assert done == sorted(done)


def test_two_transformers_are_saved_and_loaded(tmp_path: Path) -> None:
    model = Blend(TWO).fit(log())
    model.save(tmp_path)
    loaded = Blend.load(tmp_path, TWO)
    assert list(loaded.parts) == list(model.parts)
    np.testing.assert_allclose(loaded.score(history(3, 4, 5)), model.score(history(3, 4, 5)), atol=1e-5)


@pytest.mark.parametrize(("events", "members"), [(19_999, 1), (20_000, 2), (149_999, 2), (150_000, 1)])
def test_a_second_transformer_is_for_middling_logs(events: int, members: int) -> None:
    assert BlendConfig().members_for(events) == members
    assert BlendConfig(members=3).members_for(events) == 3


def test_no_transformers_are_asked_for_by_leaving_their_configuration_out() -> None:
    with pytest.raises(ValueError, match="members must be 1 or more"):
        BlendConfig(members=0)


def test_linear_parts_say_less_of_short_histories() -> None:
    model = Blend(replace(LINEAR, shrink_events=64)).fit(log())
    assert [model.say("ease", events) for events in (0, 64, 192)] == [0, 0.5, 0.75]
    assert model.say("popularity", 0) == 1
    nobody, somebody = (model._standardised(batch) for batch in (history(), history(*range(20))))
    at = list(model.parts).index("ridge")
    assert not nobody[at].any()
    assert somebody[at].std() == pytest.approx(20 / 84, rel=0.01)


def test_histories_of_the_usual_length_say_half() -> None:
    model = Blend(LINEAR).fit(log())
    assert 5 <= model.shrink <= 9  # users have ten events, of which validation cuts off up to half
    assert model.say("ridge", 1) < 0.2 < model.say("ridge", 9)


def test_shrinking_by_less_than_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="shrink_events"):
        BlendConfig(shrink_events=-1)


def test_what_was_counted_since_moves_the_answer() -> None:
    model = Blend(BlendConfig(None, LINEAR.ease, LINEAR.ridge, seen="keep")).fit(log())
    model.weights[:] = [0, 0, 0, 1]
    counted = np.zeros((1, N_ITEMS), np.float32)
    counted[0, 7] = 1_000
    asked = replace(history(3), recent=counted)
    assert model.score(asked)[0].argmax() == 7
    assert model.score(Histories.joined([asked, asked]))[1].argmax() == 7
    assert model.recent_days == 7


def test_a_blend_of_before_there_was_recent_popularity_loads(tmp_path: Path) -> None:
    old = Blend(BlendConfig(None, LINEAR.ease, LINEAR.ridge, recent=None, shrink_events=0)).fit(log())
    old.save(tmp_path)
    arrays = dict(read_arrays(tmp_path / ARRAYS))
    del arrays["shrink"]
    write_arrays(tmp_path / ARRAYS, {name: np.array(array) for name, array in arrays.items()})
    given = {name: value for name, value in old.config_dict().items() if name not in ("recent", "shrink_events")}
    loaded = Blend.load(tmp_path, given)
    np.testing.assert_array_equal(loaded.score(history(3, 4)), old.score(history(3, 4)))
