"""Training of the transformer (torch): Adam with warm-up and cosine, a checkpoint after every epoch."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.models.base import FitOptions, Progress
from matinee.models.transformer.checkpoint import Best, Checkpoints
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.export import onnx_encoder
from matinee.models.transformer.loss import seen_masked_cross_entropy
from matinee.models.transformer.network import Network
from matinee.models.transformer.padding import padded
from matinee.models.transformer.start import ppmi_svd
from matinee.models.transformer.windows import Batch, Windows
from matinee.models.validation import Validation

#: Seconds between reports within an epoch.
_REPORT_EVERY = 1.0
#: Validation cases looked at after each epoch, and how many at once.
_VALIDATION_CASES = 400
_CASES_AT_ONCE = 100
_GRADIENT_NORM = 1.0


@dataclass(frozen=True)
class Trained:
    """What a training leaves: item embeddings (n_items + 1, d), the last row for START, and the encoder as ONNX."""

    items: FloatArray
    encoder: bytes


def train(
    data: Interactions,
    config: TransformerConfig,
    *,
    mask_seen: bool,
    validation: Validation | None,
    options: FitOptions,
) -> Trained:
    """Train on `data` as the config says; deterministic by `options.seed` for the same threads and device.

    Keeps the epoch of the best validation where `config.patience` is given, else the last. Raises `JobStopped`.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(options.threads)
    try:
        with torch.random.fork_rng(devices=[]):
            return _Run(data, config, mask_seen, validation, options).run()
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
    ) -> None:
        self.data, self.config, self.options, self.mask_seen = data, config, options, mask_seen
        self.validation = None if validation is None else validation.first(_VALIDATION_CASES)
        self.windows = Windows(data, config.length, config.batch_events, config.ahead, mask_seen, options.seed)
        torch.manual_seed(options.seed)
        items = ppmi_svd(data, config.dimension, config.embedding_scale, options.seed)
        self.network = Network(config, np.concatenate([items, np.zeros((1, config.dimension), np.float32)]))
        self.network.to(options.device)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self.epochs = config.epochs_for(len(data))
        self.epoch_steps = max(1, self.windows.n_batches())
        self.step, self.epoch = 0, 0
        self.best: Best | None = None
        self.started, self.begun_at = time.monotonic(), 0

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
        items = self.network.items.detach().cpu().numpy().copy()
        return Trained(items, onnx_encoder(self.network.encoder, self.config))

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
        device = self.options.device
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * self._schedule()
        queries = self.network(torch.from_numpy(batch.inputs).to(device))
        seen = None if batch.first_seen is None else torch.from_numpy(batch.first_seen).to(device)
        targets = torch.from_numpy(batch.targets).to(device)
        loss = seen_masked_cross_entropy(queries, self.network.items[:-1], targets, seen)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), _GRADIENT_NORM)
        self.optimizer.step()
        self.step += 1
        return float(loss.detach())

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
        if self.config.patience is not None and (self.best is None or ndcg > self.best.ndcg):
            state = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
            self.best = Best(ndcg, self.epoch, state)
        return ndcg

    def _scores(self, histories: Histories) -> FloatArray:
        """Scores of all items (len(histories), n_items) by the network as it is."""
        inputs, lengths = padded(histories, self.data.n_items, self.config.length)
        with torch.no_grad():
            queries = self.network(torch.from_numpy(inputs).to(self.options.device))
            last = queries[torch.arange(len(lengths)), torch.from_numpy(lengths) - 1]
            scores: FloatArray = (last @ self.network.items[:-1].T).cpu().numpy()
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
        """What makes two trainings the same: data, configuration, masking, patience's cases and seed."""
        digest = hashlib.sha256(json.dumps([asdict(self.config), self.mask_seen, self.options.seed]).encode())
        cases = () if self.validation is None else (self.validation.histories.items, self.validation.truth.items)
        for array in (self.data.user, self.data.item, *cases):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.digest()
