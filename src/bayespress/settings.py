"""All settings, declared once: type, default, help text, choices and limits of each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from bayespress.schedules import Value


def setting(
    default: Value,
    help: str,  # noqa: A002 - the word that click and argparse use
    *,
    choices: tuple[str, ...] = (),
    low: float = -math.inf,
    high: float = math.inf,
) -> Any:
    """Declare one setting: a dataclass field that knows its help text and its limits."""
    return field(
        default=default,
        metadata={"help": help, "choices": choices, "low": low, "high": high},
    )


@dataclass(frozen=True)
class DataConfig:
    """Where texts and labels come from, and how they are split."""

    source: str = setting(
        "demo",
        "demo, imdb, ag-news, ptb-word, ptb-char, hf:owner/name, a file or a folder; of texts for "
        "a language model, several files too",
    )
    task: str = setting(
        "classify",
        "classify labelled texts, or model the language of plain ones (lm)",
        choices=("classify", "lm"),
    )
    text_column: str = setting("text", "column that holds the text")
    label_column: str = setting("label", "column that holds the label")
    label_separator: str | None = setting(
        None,
        "a text may have several labels or none: what stands between them, for instance ';'; lists "
        "are taken as they are",
    )
    validation_source: str | None = setting(None, "validation data; else a share of the training")
    test_source: str | None = setting(None, "test data; else a share of the source")
    validation_fraction: float = setting(
        0.15, "share of the training data kept for validation", low=0.0, high=0.9
    )
    test_fraction: float = setting(
        0.15, "share of the data kept for testing, where no test data is given", low=0.0, high=0.9
    )
    split_seed: int = setting(113, "seed of the shuffle before the split", low=0)
    streaming: bool = setting(
        False, "read hf:owner/name row by row and keep its texts on disk, not in memory"
    )


@dataclass(frozen=True)
class TextConfig:
    """How a text becomes a sequence of ids."""

    lowercase: bool = setting(False, "lowercase texts before they are split into words")
    max_length: int = setting(200, "read the first N tokens of a text", low=1)
    vocabulary_size: int = setting(20_000, "most frequent words that get an embedding", low=1)
    min_documents: int = setting(
        2, "leave out words that fewer training texts (lm: lines) contain", low=1
    )
    unknown: str = setting(
        "zero",
        "words without an embedding: 'zero' is a zero vector that takes a time step; 'learned' is "
        "the papers' preprocessing (start token, learned unknown, rarest words skipped)",
        choices=("zero", "learned"),
    )
    level: str = setting("word", "tokens of a language model", choices=("word", "char"))
    tokenizer: str = setting(
        "words",
        "how a language model's lines become words: 'words' takes words and punctuation marks, "
        "'spaces' what stands between spaces",
        choices=("words", "spaces"),
    )
    segment_length: int = setting(35, "tokens that a language model reads at once", low=2)
    carry_state: bool = setting(
        True,
        "a language model's segments go on where those before them ended; without, they are "
        "windows with a random offset each epoch",
    )


@dataclass(frozen=True)
class ModelConfig:
    """The network and its priors."""

    code: str = setting(
        "LLLLLL", "six letters (lm: four), or a preset: w, w+voc, w+n, w+g+n, dense"
    )
    embedding_size: int = setting(300, "dimensions of the word embeddings", low=1)
    hidden_size: int = setting(128, "neurons of the LSTM, in each layer and direction", low=1)
    cell: str = setting("lstm", "recurrent cells of a classifier", choices=("lstm", "gru"))
    layers: int = setting(1, "recurrent layers of a classifier", low=1, high=16)
    bidirectional: bool = setting(False, "a classifier reads texts in both directions")
    pooling: str = setting(
        "last",
        "what a classifier's output layer reads: the last state, or the mean or maximum of all",
        choices=("last", "mean", "max"),
    )
    dropout: float = setting(
        0.0, "between a classifier's layers, share of outputs set to zero", low=0.0, high=0.95
    )
    gate_activation: str = setting(
        "hard_sigmoid",
        "activation of gates with values from 0 to 1",
        choices=("hard_sigmoid", "sigmoid"),
    )
    embeddings: str | None = setting(None, "pretrained vectors, GloVe or word2vec text, .gz too")
    embedding_range: float = setting(
        0.05, "initial embedding weights are uniform in ± this", low=0.0, high=10.0
    )
    weight_log_sigma: float = setting(-3.0, "initial log sigma of weights", low=-20, high=5)
    group_log_sigma: float = setting(-3.0, "initial log sigma of group variables", low=-20, high=5)
    threshold: float = setting(3.0, "prune where log alpha exceeds this", low=-8)
    kl_form: str = setting(
        "chirkova",
        "approximation of the log-uniform KL: the authors' own or Molchanov et al. 2017",
        choices=("chirkova", "molchanov"),
    )


@dataclass(frozen=True)
class TrainingConfig:
    """Optimisation, checkpoint choice and randomness."""

    schedule: str = setting("fast", "settings that belong together", choices=("fast", "paper"))
    epochs: int = setting(20, "passes over the training data", low=1)
    batch_size: int = setting(128, "texts a step", low=1)
    learning_rate: float = setting(5e-4, "Adam step size", low=0.0)
    log_sigma_learning_rate: float = setting(5e-4, "Adam step size of log sigmas", low=0.0)
    group_learning_rate: float = setting(5e-4, "Adam step size of group variables", low=0.0)
    group_log_sigma_learning_rate: float = setting(
        5e-4, "Adam step size of the group variables' log sigmas", low=0.0
    )
    beta2: float = setting(0.999, "Adam's decay of the second moment", low=0.0, high=0.9999)
    corrects_epsilon: bool = setting(
        False,
        "add Adam's epsilon after the second moment's correction, as torch does; the papers' "
        "program adds it before",
    )
    kl_weight: float = setting(1.0, "final weight of the KL divergence", low=0.0)
    kl_warmup: float = setting(
        0.0,
        "share of the epochs with noise over which the KL weight rises from 0",
        low=0.0,
        high=1.0,
    )
    decay: str = setting(
        "none", "decay of all learning rates, to zero at the end", choices=("none", "linear")
    )
    decay_after: float = setting(
        0.0, "share of the epochs before fine-tuning after which rates decay", low=0.0, high=1.0
    )
    dense_epochs: int = setting(
        0, "of the epochs, the first N without noise, divergence and pruning", low=0
    )
    principal_axes: bool = setting(
        False,
        "before the first epoch with noise, turn the embedding's axes so that few of them matter; "
        "predictions stay the same",
    )
    vector_scale: float = setting(
        1.0,
        "with principal axes, word vectors become smaller by this and input weights larger: words "
        "are pruned sooner than neurons",
        low=1e-3,
        high=1e3,
    )
    finetune_epochs: int = setting(
        0,
        "of the epochs, the last N without noise: what is pruned stays so, the means of all else "
        "are trained on",
        low=0,
    )
    target_compression: float = setting(
        0.0,
        "begin fine-tuning as soon as the compression ratio reaches this, and end after it; 0 is "
        "off",
        low=0.0,
    )
    clip_norm: float = setting(0.0, "clip the gradient norm to this; 0 is off", low=0.0)
    shrink_after: int = setting(
        0,
        "while training, slice away words, dimensions and neurons that have been pruned for N "
        "epochs; 0 is off",
        low=0,
    )
    class_weight: str = setting(
        "none",
        "balanced: texts of rare classes count more, so that all classes count alike; of several "
        "labels, so that having one and not having it do",
        choices=("none", "balanced"),
    )
    length_batching: bool = setting(True, "form batches of texts of similar length")
    patience: int = setting(0, "stop after N epochs without a better score; 0 is off", low=0)
    compression_worth: float = setting(
        0.01,
        "points of validation accuracy (1 = 100 %; of several labels, micro-F1) that a tenfold "
        "compression is worth when the best epoch is chosen; 0 looks at accuracy alone",
        low=0.0,
    )
    device: str = setting(
        "auto",
        "where to train; auto takes CUDA if there is some, then MPS, then the CPU",
        choices=("auto", "cpu", "cuda", "mps"),
    )
    precision: str = setting(
        "float32",
        "of the products of inputs and weights; bfloat16 is faster where the processor has it",
        choices=("float32", "bfloat16"),
    )
    seed: int = setting(1, "seed of initialisation, order and noise", low=0)
