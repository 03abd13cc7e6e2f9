"""Training of the transformer (torch): Adam with warm-up and cosine, checkpoints after every epoch, export to ONNX."""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
import time
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from matinee.data.interactions import FloatArray, Histories, Interactions
from matinee.errors import ArtifactProblem
from matinee.models.arrays import AnyArray, read_arrays, write_arrays
from matinee.models.base import FitOptions, Progress
from matinee.models.histories import newest
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.loss import seen_masked_cross_entropy
from matinee.models.transformer.network import Encoder, LastQuery
from matinee.models.transformer.padding import padded
from matinee.models.transformer.start import ppmi_svd
from matinee.models.transformer.windows import Batch, Windows
from matinee.models.validation import Validation

_CHECKPOINT = "transformer.safetensors"
_OPSET = 17


@dataclass(frozen=True)
class Trained:
    """What a training leaves: item embeddings (n_items + 1, d), the last row for START, and the encoder as ONNX."""

    items: FloatArray
    encoder: bytes


class Network(nn.Module):
    """The encoder with its tied item embeddings (n_items + 1, d); the last row starts every history."""

    def __init__(self, config: TransformerConfig, start: FloatArray) -> None:
        super().__init__()
        self.items = nn.Parameter(torch.from_numpy(start))
        self.encoder = Encoder(config)

    def forward(self, items: Tensor) -> Tensor:
        """Item numbers (b, t) to queries (b, t, d)."""
        queries: Tensor = self.encoder(nn.functional.embedding(items, self.items))
        return queries


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
        self.data, self.config, self.options = data, config, options
        self.validation, self.mask_seen = validation, mask_seen
        self.windows = Windows(data, config.length, config.batch_events, config.ahead, mask_seen, options.seed)
        torch.manual_seed(options.seed)
        items = ppmi_svd(data, config.dimension, config.embedding_scale, options.seed)
        self.network = Network(config, np.concatenate([items, np.zeros((1, config.dimension), np.float32)]))
        self.network.to(options.device)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self.epochs = config.epochs_for(len(data))
        self.steps = self.epochs * self.windows.n_batches()
        self.step, self.epoch = 0, 0
        self.best: tuple[float, int, dict[str, Tensor]] | None = None

    def run(self) -> Trained:
        """Train what remains and export."""
        self._resume()
        started, begun_at = time.monotonic(), self.epoch
        while self.epoch < self.epochs and not self._out_of_patience():
            loss = self._epoch(started, begun_at)
            self.epoch += 1
            metrics = {"loss": loss, "epoch": float(self.epoch)}
            if self.validation is not None:
                metrics["ndcg_at_10"] = self._validate()
            self._checkpoint()
            done = (self.epoch - begun_at) / (self.epochs - begun_at)
            self._report(done, started, f"epoch {self.epoch} of {self.epochs}", metrics)
        if self.best is not None:
            self.network.load_state_dict(self.best[2])
        return Trained(self.network.items.detach().cpu().numpy().copy(), _onnx(self.network, self.config))

    def _epoch(self, started: float, begun_at: int) -> float:
        """One pass over the data; returns the mean loss of its batches."""
        torch.manual_seed(self.options.seed * 1_000_003 + self.epoch)
        self.network.train()
        total, count, reported = 0.0, 0, time.monotonic()
        per_epoch = self.steps / self.epochs
        for batch in self.windows.batches(self.epoch):
            self.options.raise_if_stopped()
            total += self._learn(batch)
            count += 1
            if time.monotonic() - reported > 1.0:
                reported = time.monotonic()
                done = (self.epoch - begun_at + min(1.0, count / per_epoch)) / (self.epochs - begun_at)
                message = f"epoch {self.epoch + 1} of {self.epochs}"
                self._report(done, started, message, {"loss": total / count, "epoch": float(self.epoch)})
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
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        return float(loss.detach())

    def _schedule(self) -> float:
        """The share of the peak learning rate: linear warm-up, then half a cosine."""
        warmup = max(1, round(self.config.warmup * self.steps))
        if self.step < warmup:
            return (self.step + 1) / warmup
        done = min(1.0, (self.step - warmup) / max(1, self.steps - warmup))
        return 0.5 * (1 + math.cos(math.pi * done))

    def _validate(self) -> float:
        """NDCG@10 on the validation part; remembers the best network where the config asks for it."""
        assert self.validation is not None  # noqa: S101
        self.network.eval()
        scores = self._scores(self.validation.histories)
        ndcg = self.validation.ndcg(scores, exclude_seen=self.mask_seen)
        if self.config.patience is not None and (self.best is None or ndcg > self.best[0]):
            state = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
            self.best = (ndcg, self.epoch, state)
        return ndcg

    def _scores(self, histories: Histories) -> FloatArray:
        """Scores of all items (len(histories), n_items) by the network as it is."""
        inputs, lengths = padded(newest(histories, self.config.length), self.data.n_items, self.config.length)
        with torch.no_grad():
            queries = self.network(torch.from_numpy(inputs).to(self.options.device))
            last = queries[torch.arange(len(lengths)), torch.from_numpy(lengths) - 1]
            scores: FloatArray = (last @ self.network.items[:-1].T).cpu().numpy()
        return scores

    def _out_of_patience(self) -> bool:
        patience = self.config.patience
        return patience is not None and self.best is not None and self.epoch - self.best[1] >= patience

    def _report(self, done: float, started: float, message: str, metrics: Mapping[str, float]) -> None:
        left = (time.monotonic() - started) * (1 - done) / done if done > 0 else None
        self.options.on_progress(Progress(self._fraction(), f"transformer: {message}", left, metrics))

    def _fraction(self) -> float:
        return min(1.0, self.step / max(1, self.steps))

    # -- checkpoints --------------------------------------------------------------------------------------------

    def _checkpoint(self) -> None:
        """Write everything that the next epoch depends on, atomically."""
        if self.options.checkpoints is None:
            return
        arrays: dict[str, AnyArray] = {
            "fingerprint": np.frombuffer(self._fingerprint(), np.uint8),
            "progress": np.array([self.epoch, self.step], np.int64),
        }
        for name, parameter in self.network.named_parameters():
            state = self.optimizer.state[parameter]
            arrays[f"{name}/value"] = parameter.detach().cpu().numpy()
            arrays[f"{name}/mean"] = state["exp_avg"].cpu().numpy()
            arrays[f"{name}/square"] = state["exp_avg_sq"].cpu().numpy()
        if self.best is not None:
            arrays["best"] = np.array(self.best[:2], np.float64)
            arrays |= {f"{name}/best": value.cpu().numpy() for name, value in self.best[2].items()}
        self.options.checkpoints.mkdir(parents=True, exist_ok=True)
        partial = self.options.checkpoints / f"{_CHECKPOINT}.partial"
        write_arrays(partial, arrays)
        partial.replace(self.options.checkpoints / _CHECKPOINT)

    def _resume(self) -> None:
        """Continue from the checkpoint of the same training, if there is one."""
        arrays = _checkpoint_of(self.options.checkpoints, self._fingerprint())
        if arrays is None:
            return
        self.epoch, self.step = (int(value) for value in arrays["progress"])
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                parameter.copy_(torch.from_numpy(np.array(arrays[f"{name}/value"])))
                self.optimizer.state[parameter] = {
                    "step": torch.tensor(float(self.step)),
                    "exp_avg": torch.from_numpy(np.array(arrays[f"{name}/mean"])).to(parameter.device),
                    "exp_avg_sq": torch.from_numpy(np.array(arrays[f"{name}/square"])).to(parameter.device),
                }
        if "best" in arrays:
            state = {name: torch.from_numpy(np.array(arrays[f"{name}/best"])) for name in self.network.state_dict()}
            self.best = (float(arrays["best"][0]), int(arrays["best"][1]), state)

    def _fingerprint(self) -> bytes:
        """What makes two trainings the same: data, configuration, masking and seed."""
        digest = hashlib.sha256(json.dumps([asdict(self.config), self.mask_seen, self.options.seed]).encode())
        for array in (self.data.user, self.data.item):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.digest()


def _checkpoint_of(folder: Path | None, fingerprint: bytes) -> dict[str, AnyArray] | None:
    """The checkpoint in `folder` when it belongs to the training of that fingerprint."""
    if folder is None or not (folder / _CHECKPOINT).exists():
        return None
    try:
        arrays = read_arrays(folder / _CHECKPOINT)
    except ArtifactProblem:
        return None
    same = arrays.get("fingerprint", np.zeros(0, np.uint8)).tobytes() == fingerprint
    return arrays if same else None


def _onnx(network: Network, config: TransformerConfig) -> bytes:
    """The encoder as an ONNX model: history (batch, time, d) and length (batch,) to query (batch, d)."""
    module = LastQuery(network.encoder).cpu().eval()
    example = torch.zeros(2, 3, config.dimension), torch.tensor([3, 2])
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        # The classic exporter announces its end and, tracing, that shapes are Python numbers; both are known here.
        warnings.simplefilter("ignore")
        path = Path(folder) / "encoder.onnx"
        torch.onnx.export(
            module,
            example,
            path,
            input_names=["history", "length"],
            output_names=["query"],
            dynamic_axes={"history": {0: "batch", 1: "time"}, "length": {0: "batch"}, "query": {0: "batch"}},
            opset_version=_OPSET,
            dynamo=False,
        )
        return path.read_bytes()
