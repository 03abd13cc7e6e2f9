"""The state of a training between epochs, on disk: network, optimizer and best epoch (torch)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from matinee.errors import ArtifactProblem
from matinee.models.arrays import AnyArray, read_arrays, write_arrays

_FILE = "transformer.safetensors"


@dataclass(frozen=True)
class Best:
    """The highest validation so far, the last epoch that comes near it and the network's state after that."""

    ndcg: float
    epoch: int
    state: dict[str, Tensor]


@dataclass(frozen=True)
class Checkpoints:
    """Checkpoints of one training in `folder`; None keeps none. `fingerprint` says which training it is."""

    folder: Path | None
    fingerprint: bytes

    def write(
        self, network: nn.Module, optimizer: torch.optim.Optimizer, epoch: int, step: int, best: Best | None
    ) -> None:
        """Write everything that the next epoch depends on, atomically."""
        if self.folder is None:
            return
        arrays: dict[str, AnyArray] = {
            "fingerprint": np.frombuffer(self.fingerprint, np.uint8),
            "progress": np.array([epoch, step], np.int64),
        }
        for name, parameter in network.named_parameters():
            state = optimizer.state[parameter]
            arrays[f"{name}/value"] = parameter.detach().cpu().numpy()
            arrays[f"{name}/mean"] = state["exp_avg"].cpu().numpy()
            arrays[f"{name}/square"] = state["exp_avg_sq"].cpu().numpy()
        if best is not None:
            arrays["best"] = np.array([best.ndcg, best.epoch], np.float64)
            arrays |= {f"{name}/best": value.cpu().numpy() for name, value in best.state.items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"{_FILE}.partial"
        write_arrays(partial, arrays)
        partial.replace(self.folder / _FILE)

    def restore(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, int, Best | None] | None:
        """Put the network and its optimizer where they were; returns (epoch, step, best), or None without a checkpoint.

        A checkpoint of another training, or one that cannot be read, is passed over.
        """
        arrays = self._arrays()
        if arrays is None:
            return None
        epoch, step = (int(value) for value in arrays["progress"])
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                parameter.copy_(_tensor(arrays[f"{name}/value"]))
                optimizer.state[parameter] = {
                    "step": torch.tensor(float(step), device=parameter.device),  # where a fused optimizer wants it
                    "exp_avg": _tensor(arrays[f"{name}/mean"]).to(parameter.device),
                    "exp_avg_sq": _tensor(arrays[f"{name}/square"]).to(parameter.device),
                }
        if "best" not in arrays:
            return epoch, step, None
        state = {name: _tensor(arrays[f"{name}/best"]) for name in network.state_dict()}
        return epoch, step, Best(float(arrays["best"][0]), int(arrays["best"][1]), state)

    def _arrays(self) -> dict[str, AnyArray] | None:
        """The arrays of this training's checkpoint."""
        if self.folder is None or not (self.folder / _FILE).exists():
            return None
        try:
            arrays = read_arrays(self.folder / _FILE)
        except ArtifactProblem:
            return None
        same = "fingerprint" in arrays and arrays["fingerprint"].tobytes() == self.fingerprint
        return arrays if same else None


def _tensor(array: AnyArray) -> Tensor:
    """A tensor with memory of its own: the array may be a read-only map of a file that is replaced later."""
    return torch.from_numpy(np.array(array))
