"""Training of the transformer (torch): Adam with warm-up and cosine, a checkpoint after every epoch."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.models.base import FitOptions, Progress
from matinee.models.histories import Sparse
from matinee.models.transformer.checkpoint import Best, Checkpoints
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.described import explained
from matinee.models.transformer.elapsed import UNKNOWN, since, usual
from matinee.models.transformer.export import onnx_encoder, stepwise_encoder
from matinee.models.transformer.inputs import InputWeights
from matinee.models.transformer.loss import seen_masked_cross_entropy
from matinee.models.transformer.network import Block, Encoder, Network
from matinee.models.transformer.padding import padded, padded_times
from matinee.models.transformer.sampling import sampled
from matinee.models.transformer.start import ppmi_svd
from matinee.models.transformer.stepwise import Stepwise
from matinee.models.transformer.tower import Tower
from matinee.models.transformer.windows import Batch, Windows
from matinee.models.validation import Validation

#: Seconds between reports within an epoch.
_REPORT_EVERY = 1.0
#: Validation cases looked at after each epoch, and how many at once.
_VALIDATION_CASES = 400
_CASES_AT_ONCE = 100
#: What the validation may fall below its best by without an epoch counting as worse: some hundred cases are noisy.
_NOISE = 0.05
_GRADIENT_NORM = 1.0


@dataclass(frozen=True)
class Trained:
    """What a training leaves: item embeddings (n_items + 1, d), the last row for START, those of the time to the next
    event (buckets + 1, d), the encoder as ONNX and in steps, and the embeddings of what else is read.
    """

    items: FloatArray
    elapsed: FloatArray
    encoder: bytes
    steps: Stepwise
    beside: InputWeights = field(default_factory=InputWeights)


def train(
    data: Interactions,
    config: TransformerConfig,
    *,
    mask_seen: bool,
    validation: Validation | None,
    options: FitOptions,
    features: Sparse | None = None,
) -> Trained:
    """Train on `data` as the config says; deterministic by `options.seed` for the same threads and device.

    `features` (n_items, k) say what is known of each item; one without events is placed by them alone.
    Keeps the last epoch whose validation is within 5% of the best, where `config.patience` is given and there is a
    validation, else the last. Raises `JobStopped`.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(options.threads)
    try:
        with torch.random.fork_rng(devices=[]):
            return _Run(data, config, mask_seen, validation, options, features).run()
    finally:
        torch.set_num_threads(before)


class _Run:
    """One training: the network, its optimizer and how far they are."""

    def __init__(
        self,
        data: Interactions,
        config: TransformerConfig,
        mask_seen: bool,
        validation: Validation | None,
        options: FitOptions,
        features: Sparse | None,
    ) -> None:
        self.data, self.config, self.options, self.mask_seen = data, config, options, mask_seen
        self.features, self.trained = features, np.bincount(data.item, minlength=data.n_items) > 0
        self.validation = None if validation is None else validation.first(_VALIDATION_CASES)
        self.beside = InputWeights.zeros(data, config.dimension)
        self.windows = Windows(data, config, mask_seen, options.seed, self.beside)
        torch.manual_seed(options.seed)
        self.network = self._network()
        self.unborn = None if features is None or self.trained.all() else self._tensor(~self.trained)
        self.network.to(options.device)
        if options.compiled:
            self.network.encoder.compile()
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self.epochs = config.epochs_for(len(data))
        self.epoch_steps = max(1, self.windows.n_batches())
        self.step, self.epoch = 0, 0
        self.best: Best | None = None
        self.started, self.begun_at = time.monotonic(), 0

    def _network(self) -> Network:
        """The network to start from: what metadata can say of the items' embeddings is said by them."""
        config, tower = self.config, None
        stop = self.options.raise_if_stopped
        items = ppmi_svd(self.data, config.dimension, config.embedding_scale, self.options.seed, should_stop=stop)
        if self.features is not None:
            weights = explained(items, self.features, self.trained)
            tower = Tower(self.features, weights, self.trained)
            items -= self.features @ weights
        start = np.concatenate([items, np.zeros((1, config.dimension), np.float32)])
        return Network(config, start, tower, self.beside.arrays())

    def run(self) -> Trained:
        """Train what remains and export."""
        checkpoints = Checkpoints(self.options.checkpoints, self._fingerprint())
        restored = checkpoints.restore(self.network, self.optimizer)
        if restored is not None:
            self.epoch, self.step, self.best = restored
        self.started, self.begun_at = time.monotonic(), self.epoch
        while self.epoch < self.epochs and not self._out_of_patience():
            metrics = {"loss": self._train_epoch()}
            self.epoch += 1
            if self.validation is not None:
                metrics["ndcg_at_10"] = self._validate(self.validation)
            checkpoints.write(self.network, self.optimizer, self.epoch, self.step, self.best)
            self._report(self.epoch, self.epoch, metrics)
        if self.best is not None:
            self.network.load_state_dict(self.best.state)
        items = self.network.table().detach().cpu().numpy().copy()
        elapsed = self.network.elapsed.detach().cpu().numpy().copy()
        elapsed[~usual(self.data.timestamp, self.data.indptr)] = elapsed[UNKNOWN]
        encoder = self._exported()
        onnx, steps = onnx_encoder(encoder, self.config), stepwise_encoder(encoder)
        return Trained(items, elapsed, onnx, steps, self._learned_beside())

    def _exported(self) -> Encoder:
        """The encoder as the exporter wants it, neither compiled nor on a GPU, to which a rare time is unknown."""
        encoder = Encoder(self.config)
        encoder.load_state_dict(self.network.encoder.state_dict())
        rare = torch.from_numpy(~usual(self.data.timestamp, self.data.indptr, self.config.length))
        with torch.no_grad():
            for block in encoder.blocks:
                if isinstance(block, Block) and block.time_bias is not None:
                    block.time_bias[:, rare] = block.time_bias[:, UNKNOWN, None]
        return encoder

    def _learned_beside(self) -> InputWeights:
        """The embeddings of what is read beside items and times, as they are now."""
        return InputWeights.of({name: one.detach().cpu().numpy().copy() for name, one in self.network.beside.items()})

    def _train_epoch(self) -> float:
        """One pass over the data; returns the mean loss of its batches."""
        # Seeded by the epoch, so that a resumed training drops out the same units as one that was not stopped.
        torch.manual_seed(self.options.seed * 1_000_003 + self.epoch)
        self.network.train()
        total, count, reported = 0.0, 0, time.monotonic()
        for batch in self.windows.batches(self.epoch):
            self.options.raise_if_stopped()
            total += self._learn(batch)
            count += 1
            if time.monotonic() - reported > _REPORT_EVERY:
                reported = time.monotonic()
                self._report(self.epoch + 1, self.epoch + min(1.0, count / self.epoch_steps), {"loss": total / count})
        return total / count

    def _learn(self, batch: Batch) -> float:
        """One step of the optimizer; returns the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * self._schedule()
        table = self.network.table(self._without())
        with torch.autocast(self.network.items.device.type, torch.bfloat16, enabled=self.options.bfloat16):
            beside = (batch.beside.types, batch.beside.context, batch.beside.attributes)
            added = self.network.added(*(None if one is None else self._tensor(one) for one in beside))
            ago = None if batch.since is None else self._tensor(batch.since)
            queries = self.network(self._tensor(batch.inputs), self._tensor(batch.elapsed), table, added, ago)
        loss = self._loss(queries.float(), table[:-1], batch)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), _GRADIENT_NORM)
        self.optimizer.step()
        self.step += 1
        return float(loss.detach())

    def _without(self) -> torch.Tensor | None:
        """The items (n_items,) that this step knows by their metadata alone; None where there are none."""
        if self.features is None:
            return None
        random = np.random.default_rng([self.options.seed, self.step, 1])
        return self._tensor(random.random(self.data.n_items) < self.config.item_dropout)

    def _loss(self, queries: torch.Tensor, items: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The loss over the whole catalogue, or over a sample of one that is too large."""
        targets, seen, offset, unborn = batch.targets, batch.seen, None, self.unborn
        if len(items) > self.config.full_softmax_items:
            random = np.random.default_rng([self.options.seed, self.step])
            sample = sampled(batch, len(items), self.config.negatives, random)
            chosen = self._tensor(sample.items)
            items, targets, seen = items[chosen], sample.targets, sample.seen
            offset, unborn = self._tensor(sample.offset), None if unborn is None else unborn[chosen]
        if unborn is not None:
            # An item without events is no rival: nobody could choose it.
            offset = torch.zeros(len(items), device=items.device) if offset is None else offset
            offset = offset.masked_fill(unborn, -math.inf)
        places = None if seen is None else [self._tensor(found) for found in seen]
        return seen_masked_cross_entropy(
            queries, items, self._tensor(targets), self._tensor(batch.weights), places, offset
        )

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        """The array where the network is."""
        return torch.from_numpy(array).to(self.options.device)

    def _schedule(self) -> float:
        """The share of the peak learning rate: linear warm-up, then half a cosine."""
        steps = self.epochs * self.epoch_steps
        warmup = max(1, round(self.config.warmup * steps))
        if self.step < warmup:
            return (self.step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (self.step - warmup) / max(1, steps - warmup))))

    def _validate(self, validation: Validation) -> float:
        """NDCG@10 on the validation part; remembers the best network where the config asks for it."""
        self.network.eval()
        rows = range(0, len(validation), _CASES_AT_ONCE)
        parts = [np.arange(begin, min(begin + _CASES_AT_ONCE, len(validation))) for begin in rows]
        scores = np.concatenate([self._scores(validation.histories.take(part)) for part in parts])
        ndcg = validation.ndcg(scores, exclude_seen=self.mask_seen)
        if self.config.patience is not None and (self.best is None or ndcg >= self.best.ndcg * (1 - _NOISE)):
            state = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
            highest = ndcg if self.best is None else max(ndcg, self.best.ndcg)
            self.best = Best(highest, self.epoch, state)
        return ndcg

    def _scores(self, histories: Histories) -> FloatArray:
        """Scores of all items (len(histories), n_items) by the network as it is."""
        read = padded(histories, self.data.n_items, self.config.length)
        nothing = np.zeros((*read.items.shape, self.config.dimension), np.float32)
        ago = self._tensor(since(*padded_times(histories, read))) if self.config.time_bias else None
        with torch.no_grad():
            added = self._tensor(self._learned_beside().add(nothing, histories, read.lengths))
            table = self.network.table()
            queries = self.network(self._tensor(read.items), self._tensor(read.elapsed), table, added, ago)
            last = queries[torch.arange(len(read.lengths)), torch.from_numpy(read.lengths) - 1]
            scores: FloatArray = (last @ table[:-1].T).cpu().numpy()
        return scores

    def _out_of_patience(self) -> bool:
        patience = self.config.patience
        return patience is not None and self.best is not None and self.epoch - self.best.epoch >= patience

    def _report(self, number: int, done: float, metrics: Mapping[str, float]) -> None:
        """Report epoch `number`, `done` epochs being over; time left is by the epochs of this process."""
        here, left = done - self.begun_at, self.epochs - done
        seconds = (time.monotonic() - self.started) * left / here if here > 0 else None
        message = f"transformer: epoch {number} of {self.epochs}"
        self.options.on_progress(Progress(done / self.epochs, message, seconds, {"epoch": float(number), **metrics}))

    def _fingerprint(self) -> bytes:
        """What makes two trainings the same: data, configuration, masking, patience's cases, seed and arithmetic."""
        options = self.options
        arithmetic = [options.device, options.bfloat16, options.compiled]
        digest = hashlib.sha256(json.dumps([asdict(self.config), self.mask_seen, options.seed, *arithmetic]).encode())
        cases = () if self.validation is None else (self.validation.histories.items, self.validation.truth.items)
        weights = () if self.data.weight is None else (self.data.weight,)
        known = () if self.features is None else (self.features.indptr, self.features.indices, self.features.data)
        for array in (self.data.user, self.data.item, self.data.timestamp, *weights, *known, *self._read(), *cases):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.digest()

    def _read(self) -> list[NDArray[Any]]:
        """The data that are read beside items and times."""
        types, context, known = self.data.event_type, self.data.context, self.data.attributes
        found: list[NDArray[Any]] = [] if types is None or self.beside.types is None else [types]
        found += [] if context is None else [context.indptr, context.indices, context.data]
        return found if known is None else [*found, known]
