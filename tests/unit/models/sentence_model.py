"""A sentence-embedding model of eight words, made here: a vector for each word, the sentence is their mean."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

#: Two words that no text shares mean the same: TF-IDF could not tell.
WORDS = {"[PAD]": (0, 0), "[UNK]": (0, 0), "car": (1, 0), "automobile": (1, 0), "ship": (0, 1), "vessel": (0, 1)}


def sentence_model(folder: Path, *, swapped: bool = False) -> Path:
    """The model in `folder`; `swapped` gives another one of the same form."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    told = {"model_max_length": 32, "pad_token": "[PAD]", "unk_token": "[UNK]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    table = np.array(list(WORDS.values()), np.float32)
    weights = numpy_helper.from_array(table[:, ::-1].copy() if swapped else table, "table")
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])],
        "words",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["b", "t"])],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["b", "t", 2])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    return folder
