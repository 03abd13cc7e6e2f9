"""What a run of the accuracy benchmark is told."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sections.scripts import SCRIPTS

#: Measured where there is a GPU, and only when asked for.
GPU = "gpu"
SECTIONS = ("personalize", "leave-one-out", "rectools", "temporal", "cold-items", "latency", "memory")
#: Scripts of their own, which write their pages beside accuracy.py: left out where the figures go elsewhere.
SCRIPTED = tuple(SCRIPTS)


@dataclass(frozen=True)
class Options:
    """The command line; `dataset` and `seeds` are None where each section has its own."""

    only: tuple[str, ...] = SECTIONS
    quick: bool = False
    dataset: str | None = None
    seeds: int | None = None
    threads: int = 1
    device: str = "cuda"
    compiled: bool = True
    peer_python: str = sys.executable
    peer_epochs: int = 30
    memory_model: str = "aws-user-personalization-v2"
    memory_sets: tuple[str, ...] = ()
    memory_events: tuple[int, ...] = (1_000_000, 3_000_000, 10_000_000)
    out: Path = Path(__file__).parents[1]

    @classmethod
    def parse(cls, description: str) -> Options:
        """Read the command line."""
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument(
            "--only", action="append", choices=(*SECTIONS, *SCRIPTED, GPU), help="run this section; may be repeated"
        )
        parser.add_argument("--quick", action="store_true", help="small data, linear models only, one or two seeds")
        parser.add_argument("--dataset", help="instead of each section's own")
        parser.add_argument("--seeds", type=int)
        parser.add_argument("--threads", type=int, default=cls.threads)
        parser.add_argument("--device", default=cls.device, help="of the section gpu")
        parser.add_argument("--no-compile", action="store_true", help="in the section gpu")
        parser.add_argument("--peer-python", default=cls.peer_python, help="a Python with rectools and implicit")
        parser.add_argument("--peer-epochs", type=int, default=cls.peer_epochs)
        parser.add_argument("--memory-model", help="a recipe or model")
        parser.add_argument(
            "--memory-set",
            action="append",
            help="NAME=VALUE as --set of matinee evaluate; model.transformer='{\"epochs\": 1}' bounds the time",
        )
        parser.add_argument("--memory-events", help="comma-separated numbers of interactions")
        parser.add_argument("--out", type=Path, help="folder of accuracy.md and .json; required with --quick")
        given = parser.parse_args()
        if given.quick and given.out is None:
            parser.error("--quick needs --out: quick figures are no measurement and must not replace one")
        events = tuple(map(int, given.memory_events.split(","))) if given.memory_events else cls.memory_events
        return cls(
            only=tuple(given.only or (SECTIONS if given.out else (*SECTIONS, *SCRIPTED))),
            quick=given.quick,
            dataset=given.dataset or ("ml-100k" if given.quick else None),
            seeds=given.seeds or (2 if given.quick else None),
            threads=given.threads,
            device=given.device,
            compiled=not given.no_compile,
            peer_python=given.peer_python,
            peer_epochs=given.peer_epochs,
            memory_model=given.memory_model or ("aws-sims" if given.quick else cls.memory_model),
            memory_sets=tuple(given.memory_set or ()),
            memory_events=(20_000, 60_000) if given.quick and not given.memory_events else events,
            out=given.out or cls.out,
        )

    def facts(self, section: str, seconds: float) -> dict[str, Any]:
        """When, where and how a section was measured; of the section gpu also on which device."""
        return {
            "measured": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {self.threads} thread(s)",
            "python": platform.python_version(),
            "quick": self.quick,
            "seconds": round(seconds),
            **({"device": self._device_name()} if section == GPU else {}),
        }

    def _device_name(self) -> str:
        """The name of the GPU, as CUDA tells it; else what the device is called."""
        if not self.device.startswith("cuda"):
            return self.device
        import torch

        return str(torch.cuda.get_device_name(self.device))
