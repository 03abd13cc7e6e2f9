"""The network: a causal pre-norm transformer with relative positions and tied item embeddings (torch)."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from matinee.data.interactions import FloatArray
from matinee.models.transformer.config import TransformerConfig
from matinee.models.transformer.elapsed import BUCKETS
from matinee.models.transformer.tower import Tower


class SwiGLU(nn.Module):
    """W_down (silu(W_gate x) ⊙ W_up x), each with a bias; both of the inner matrices are one, W_gate first.

    Source: N. Shazeer, "GLU Variants Improve Transformer", 2020.
    """

    def __init__(self, dimension: int, inner: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(dimension, 2 * inner), nn.Linear(inner, dimension)

    def forward(self, x: Tensor) -> Tensor:
        """(…, d) to (…, d)."""
        gate, value = self.up(x).chunk(2, dim=-1)
        y: Tensor = self.down(nn.functional.silu(gate) * value)
        return y


class Block(nn.Module):
    """x + Attention(norm(x)), then x + MLP(norm(x)); attention is causal with a learned bias for each distance.

    Gated, each addition is multiplied by sigmoid(W x + b) of the x that it is added to, and the MLP is a SwiGLU of
    inner width 2d: with its gates (2 d² weights) the block has the 12 d² weights of one without.

    Source: F. Borisyuk et al., "From Features to Transformers: Redefining Ranking for Scalable Impact" (LiGR), 2025,
    in the form of eSASRec (D. Tikhonovich et al., RecSys 2025).

    With `config.time_bias` there is a bias for each bucket of the time from an event until the moment asked for, too.
    Source: J. Zhai et al., "Actions Speak Louder than Words: Trillion-Parameter Sequential Transducers for Generative
    Recommendations" (HSTU), ICML 2024.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        d, self.heads = config.dimension, config.heads
        self.norm_attention, self.norm_mlp = nn.LayerNorm(d), nn.LayerNorm(d)
        self.query_key_value = nn.Linear(d, 3 * d)
        self.out = nn.Linear(d, d)
        self.mlp: nn.Module = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
        if config.gated:
            self.mlp = SwiGLU(d, 2 * d)
        self.dropout = nn.Dropout(config.dropout)
        self.distance_bias = nn.Parameter(torch.zeros(self.heads, config.length))
        position = torch.arange(config.length)
        distance = position[:, None] - position[None, :]
        self.distance: Tensor
        self.future: Tensor
        self.register_buffer("distance", distance.clamp(min=0), persistent=False)
        self.register_buffer("future", torch.where(distance < 0, -1e9, 0.0), persistent=False)
        self.gate_attention = nn.Linear(d, d) if config.gated else None
        self.gate_mlp = nn.Linear(d, d) if config.gated else None
        self.time_bias = nn.Parameter(torch.zeros(self.heads, BUCKETS + 1)) if config.time_bias else None

    def forward(self, x: Tensor, since: Tensor | None = None) -> Tensor:
        """(b, t, d) to (b, t, d); `since` (b, t, t) as in `elapsed.since`."""
        x = self._plus(x, self.attention(self.norm_attention(x), since), self.gate_attention)
        return self._plus(x, self.mlp(self.norm_mlp(x)), self.gate_mlp)

    def _plus(self, x: Tensor, found: Tensor, gate: nn.Linear | None) -> Tensor:
        """x and what was found of it, through the gate where there is one."""
        found = self.dropout(found)
        return x + found if gate is None else x + found * torch.sigmoid(gate(x))

    def attention(self, x: Tensor, since: Tensor | None = None) -> Tensor:
        """softmax(QKᵀ/√d_head + bias)V, written out so that the classic ONNX exporter takes it."""
        b, t, d = x.shape
        parts = self.query_key_value(x).view(b, t, 3, self.heads, d // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # each (b, heads, t, d_head)
        bias = (self.distance_bias[:, self.distance] + self.future)[:, :t, :t]  # (heads, t, t)
        logits = q @ k.transpose(-2, -1) / math.sqrt(d // self.heads) + bias
        weights = torch.softmax(self._timed(logits, since), dim=-1)
        y: Tensor = self.out((weights @ v).transpose(1, 2).reshape(b, t, d))
        return y

    def _timed(self, logits: Tensor, since: Tensor | None) -> Tensor:
        """`logits` (b, heads, s, t) with the bias of the time `since` (b, s, t) each event, where there is one."""
        if self.time_bias is None or since is None:
            return logits
        found = self.time_bias.gather(1, since.reshape(1, -1).expand(self.heads, -1))
        return logits + found.view(self.heads, *since.shape).transpose(0, 1)

    def at_last(self, x: Tensor, last: Tensor, since: Tensor | None = None) -> Tensor:
        """As `forward`, at the one position `last` (b,) of each row: (b, t, d) to (b, d)."""
        b, t, d = x.shape
        place = last.view(-1, 1, 1).expand(-1, 1, d)
        own, normed = x.gather(1, place), self.norm_attention(x)
        weight, bias = self.query_key_value.weight, self.query_key_value.bias
        q = nn.functional.linear(normed.gather(1, place), weight[:d], bias[:d]).view(b, 1, self.heads, -1)
        k, v = nn.functional.linear(normed, weight[d:], bias[d:]).view(b, t, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        distance = last[:, None] - torch.arange(t, device=x.device)  # (b, t)
        beside = (
            self.distance_bias[:, distance.clamp(min=0)].transpose(0, 1) + torch.where(distance < 0, -1e9, 0.0)[:, None]
        )
        logits = q.transpose(1, 2) @ k.transpose(-2, -1) / math.sqrt(d // self.heads) + beside[:, :, None]
        if since is not None:
            logits = self._timed(logits, since.gather(1, last.view(-1, 1, 1).expand(-1, 1, t)))
        found = self.out((torch.softmax(logits, dim=-1) @ v).transpose(1, 2).reshape(b, 1, d))
        x = self._plus(own, found, self.gate_attention)
        return self._plus(x, self.mlp(self.norm_mlp(x)), self.gate_mlp).squeeze(1)


class Encoder(nn.Module):
    """Embedded histories (b, t, d) in, a query vector at every position (b, t, d) out; an item scores query · item."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.dimension)
        self.scale = math.sqrt(config.dimension)

    def forward(self, x: Tensor, since: Tensor | None = None) -> Tensor:
        """The query after each position; `since` (b, t, t) as in `elapsed.since`, where the config asks for it."""
        x = self.dropout(x * self.scale)
        for block in self.blocks:
            x = block(x, since)
        queries: Tensor = self.norm(x)
        return queries

    def last(self, x: Tensor, last: Tensor, since: Tensor | None = None) -> Tensor:
        """The query (b, d) after the position `last` (b,) of each row; the last block computes nothing else."""
        x = self.dropout(x * self.scale)
        final = self.blocks[-1]
        assert isinstance(final, Block)  # noqa: S101
        for block in self.blocks[:-1]:
            x = block(x, since)
        query: Tensor = self.norm(final.at_last(x, last, since))
        return query


class LastQuery(nn.Module):
    """What is exported: the query after the last position of each history."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, history: Tensor, length: Tensor, since: Tensor | None = None) -> Tensor:
        """`history` (b, t, d), padded on the right, and `length` (b,) in [1, t] to (b, d)."""
        return self.encoder.last(history, length - 1, since)


class Network(nn.Module):
    """The encoder with its tied item embeddings (n_items + 1, d), whose last row starts every history, and the
    embeddings (buckets + 1, d) of the time from each event to the next.

    With a `tower` an item's embedding is the sum of its own and of what its metadata say.
    """

    def __init__(
        self,
        config: TransformerConfig,
        start: FloatArray,
        tower: Tower | None = None,
        beside: Mapping[str, FloatArray] | None = None,
    ) -> None:
        """`start` and `beside`, which names embeddings of `InputWeights`, are what these are before training."""
        super().__init__()
        self.items = nn.Parameter(torch.from_numpy(start))
        self.tower = tower
        self.elapsed = nn.Parameter(torch.zeros(BUCKETS + 1, config.dimension))
        self.beside = nn.ParameterDict({name: torch.from_numpy(array) for name, array in (beside or {}).items()})
        self.encoder = Encoder(config)

    def table(self, without: Tensor | None = None) -> Tensor:
        """The embeddings (n_items + 1, d); the items `without` (n_items,) have but their metadata's part."""
        return self.items if self.tower is None else self.tower(self.items, without)

    def added(self, types: Tensor | None, context: Tensor | None, attributes: Tensor | None) -> Tensor | None:
        """What is read beside items and times, shaped as in `Inputs`, as embeddings to add; None for nothing."""
        parts: list[Tensor] = []
        if types is not None:
            parts.append(nn.functional.embedding(types, self.beside["types"]))
        if context is not None:
            parts.append(context @ self.beside["context"])
        if attributes is not None:
            parts.append((attributes @ self.beside["attributes"])[:, None, :])
        return functools.reduce(torch.add, parts) if parts else None

    def forward(
        self,
        items: Tensor,
        elapsed: Tensor,
        table: Tensor | None = None,
        added: Tensor | None = None,
        since: Tensor | None = None,
    ) -> Tensor:
        """Item numbers and buckets of time (b, t) to queries (b, t, d), by `table()` unless another is given."""
        table = self.table() if table is None else table
        embedded = nn.functional.embedding(items, table) + nn.functional.embedding(elapsed, self.elapsed)
        if added is not None:
            embedded = embedded + added
        queries: Tensor = self.encoder(embedded, since)
        return queries
