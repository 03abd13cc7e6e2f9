"""The three protocols: Matinee's models, popularity and other libraries on the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sections.options import GPU, Options
from sections.peers import IMPLICIT, Peer, available, rectools, run_peer

from matinee.evaluation.comparison import Contender, Run, compare, yardsticks
from matinee.evaluation.datasets import load_dataset
from matinee.evaluation.report import entry, paired_tests, whole_report
from matinee.evaluation.splits import PROTOCOLS
from matinee.models.base import FitOptions
from matinee.settings import Settings
from matinee.training.contenders import contender


@dataclass(frozen=True)
class Row:
    """A row of a table: its name, the recipe or model, and `--set` values. `linear` rows take part in --quick."""

    name: str
    recipe: str
    sets: tuple[tuple[str, str], ...] = ()
    linear: bool = True

    def contender(self) -> Contender:
        """What is measured."""
        return replace(contender(self.recipe, dict(self.sets)), name=self.name)


_ALL_ITEMS = ("max_item_interaction_count_percentile", "1.0")
_NO_TRANSFORMER = ("model.transformer", "null")
_EASE = Row("EASE, recency-weighted", "ease")
_RIDGE = Row("autoregressive ridge", "ridge")
_TRANSFORMER = Row("causal transformer", "transformer", linear=False)
_LINEAR = Row("linear blend (no transformer)", "aws-user-personalization-v2", (_NO_TRANSFORMER,))
_BLEND = Row("User-Personalization-v2", "aws-user-personalization-v2", linear=False)
#: The transformer that takes the least time to be compared with RecTools.
_SHORT = Row("causal transformer, 2 epochs", "transformer", (("epochs", "2"),), linear=False)


#: For a GPU: wider, deeper, gated, with longer histories and larger batches. After published runs, not tried out here.
_LARGE = Row(
    "User-Personalization-v2, large (d = 256, 4 gated layers, history 200)",
    "aws-user-personalization-v2",
    (
        (
            "model.transformer",
            '{"dimension": 256, "layers": 4, "heads": 4, "length": 200, "epochs": 40, "batch_events": 16384, '
            '"learning_rate": 0.002, "dropout": 0.3, "patience": 5, "gated": true}',
        ),
    ),
    linear=False,
)
_LARGE_QUICK = Row(
    "User-Personalization-v2, large, quick",
    "aws-user-personalization-v2",
    (("model.transformer", '{"dimension": 16, "layers": 1, "length": 20, "epochs": 1, "gated": true}'),),
)


@dataclass(frozen=True)
class Protocol:
    """One section: the last of `rows` that is measured is the one that the tests compare with all others.

    `published` are figures of others, measured by them: model, NDCG@10, hit rate@10 or MRR@25, and where.
    """

    section: str
    protocol: str
    dataset: str
    seeds: int
    rows: tuple[Row, ...]
    peers: tuple[Peer, ...]
    published: tuple[dict[str, Any], ...] = ()


def protocols(options: Options) -> tuple[Protocol, ...]:
    """The three protocols, one of them beside RecTools, and the section for a GPU."""
    sims = "aws-sims"
    return (
        Protocol(
            "personalize",
            "personalize",
            "ml-100k",
            10,
            (
                Row("SIMS, its defaults", sims),
                Row("SIMS, popular items kept", sims, (_ALL_ITEMS,)),
                Row(
                    "SIMS, popular items kept, whole history",
                    "item-knn",
                    (_ALL_ITEMS, ("history_items", "500")),
                ),
                _EASE,
                _RIDGE,
                _LINEAR,
                _TRANSFORMER,
                _BLEND,
            ),
            IMPLICIT,
            ({"name": "Amazon HRNN, its recorded run", "ndcg_at_10": 0.065, "mrr_at_25": 0.054, "coverage": 0.26},),
        ),
        Protocol(
            "leave-one-out",
            "leave-one-out",
            "ml-1m",
            1,
            (_EASE, _RIDGE, _LINEAR, _TRANSFORMER, _BLEND),
            IMPLICIT,
            (
                {"name": "SASRec, full softmax (published, GPU)", "ndcg_at_10": 0.182, "hit_rate_at_10": 0.315},
                {"name": "HSTU (published, GPU)", "ndcg_at_10": 0.188, "hit_rate_at_10": 0.323},
                {"name": "HSTU-large (published, GPU)", "ndcg_at_10": 0.216, "hit_rate_at_10": 0.364},
            ),
        ),
        Protocol(
            "rectools", "leave-one-out", "ml-1m", 1, (_LINEAR, _SHORT, _TRANSFORMER), (rectools(options.peer_epochs),)
        ),
        Protocol(GPU, "leave-one-out", "ml-1m", 1, (_LARGE_QUICK if options.quick else _LARGE,), ()),
        Protocol("temporal", "temporal", "ml-1m", 1, (_EASE, _RIDGE, _LINEAR, _TRANSFORMER, _BLEND), IMPLICIT),
    )


def measure(protocol: Protocol, options: Options) -> dict[str, Any]:
    """The report of one section, as `matinee evaluate --json` has it, with the peers among `others`."""
    dataset, seeds = (options.dataset or protocol.dataset), (options.seeds or protocol.seeds)
    rows = [row for row in protocol.rows if row.linear or not options.quick]
    data = load_dataset(dataset, Settings.from_environment(), protocol=protocol.protocol)
    print(f"{protocol.section}: {data.why} {data.rule}", flush=True)
    contenders = [row.contender() for row in reversed(rows)]
    beside = list(yardsticks(protocol.protocol))
    runs = compare(
        data.log.interactions,
        protocol.protocol,
        contenders + beside,
        seeds=range(seeds),
        exclude_seen=True,
        options=fit_options(protocol, options),
        features=data.features,
        on_run=_say,
    )
    peers, told = available(protocol.peers, options.peer_python)
    for seed in range(seeds) if peers else ():
        split = PROTOCOLS[protocol.protocol](data.log.interactions, seed)
        for peer in peers:
            run = run_peer(peer, options.peer_python, split, seed, options.threads, exclude_seen=True)
            runs.setdefault(peer.name, []).append(run)
            _say(peer.contender, run)
    everyone = [*contenders, *(peer.contender for peer in peers), *beside]
    entries = {one.name: entry(one, runs[one.name]) for one in everyone}
    report = whole_report(
        [entries[one.name] for one in everyone if one not in beside],
        [entries[one.name] for one in beside],
        _tests(runs, [one.name for one in everyone]),
        protocol=protocol.protocol,
        dataset=dataset,
        seeds=seeds,
        data=data.summary(),
    )
    return {**report, "peers": told, "published": list(protocol.published)}


def fit_options(protocol: Protocol, options: Options) -> FitOptions:
    """How models are trained: on a GPU in its section, in bfloat16 there."""
    if protocol.section != GPU:
        return FitOptions(threads=options.threads)
    gpu = options.device != "cpu"
    return FitOptions(threads=options.threads, device=options.device, bfloat16=gpu, compiled=options.compiled)


def _tests(runs: dict[str, list[Run]], names: Sequence[str]) -> list[dict[str, Any]]:
    """The first against each of the others."""
    return [test for other in names[1:] for test in paired_tests(runs, [names[0], other])]


def _say(one: Contender, run: Run) -> None:
    figures = "  ".join(f"{name} {run.mean(name):.4f}" for name in ("ndcg_at_10", "hit_rate_at_10", "mrr_at_25"))
    print(f"seed {run.seed}  {one.name:55}  {figures}  {run.train_seconds:.1f} s", flush=True)
