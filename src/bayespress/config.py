"""All settings, defined once: the TOML key, the flag and the checkpoint's key are the same word.

A :class:`Config` has four parts, the TOML's tables. Every key is unique over the parts, so that a
flag needs no prefix. Settings come in layers, the later one wins: defaults, the schedule, the
recipe or the source's own defaults, and what the user said.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from bayespress.errors import ConfigError
from bayespress.schedules import Value, scaled_phases, schedule_of, task_defaults
from bayespress.sparsity import LanguageModelSparsity, SparsityConfig


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


@dataclass(frozen=True)
class Config:
    """Everything that decides a run.

    Raises
    ------
    ConfigError
        If any value is out of range; all problems are named at once.

    Examples
    --------
    >>> Config.from_flat({"code": "w+n", "epochs": 3}).model.code
    'LLLCLL'
    >>> Config.from_flat({"epoch": 3})
    Traceback (most recent call last):
    bayespress.errors.ConfigError: unknown setting 'epoch'; did you mean 'epochs'?
    """

    data: DataConfig = field(default_factory=DataConfig)
    text: TextConfig = field(default_factory=TextConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        problems = list(_problems(self.flat()))
        if problems:
            raise ConfigError("; ".join(problems))

    @property
    def sparsity(self) -> SparsityConfig | LanguageModelSparsity:
        """The priors that the code names."""
        return _SPARSITY[self.data.task].from_code(self.model.code)

    def flat(self) -> dict[str, Value]:
        """All settings by their key."""
        return {key: value for part in self.tables().values() for key, value in part.items()}

    def tables(self) -> dict[str, dict[str, Value]]:
        """All settings by table and key, as a TOML file has them."""
        return dataclasses.asdict(self)

    @classmethod
    def from_flat(cls, *layers: Mapping[str, Value]) -> Config:
        """Merge layers of settings, the later one wins, over the defaults and the schedule.

        Raises
        ------
        ConfigError
            If keys are unknown, types are wrong or values out of range, all named at once.
        """
        said = {key: value for layer in layers for key, value in layer.items()}
        task = str(said.get("task", DataConfig.task))
        schedule = schedule_of(str(said.get("schedule", TrainingConfig.schedule)), task)
        usual = {**task_defaults(task, str(said.get("level", TextConfig.level))), **schedule}
        merged = {**usual, **scaled_phases(schedule, said.get("epochs")), **said}
        problems = list(_problems(merged))
        if problems:
            raise ConfigError("; ".join(problems))
        if "code" in merged:
            merged["code"] = _SPARSITY[task].from_name(str(merged["code"])).code
        return cls(
            **{
                part: kind(**{key: _coerce(key, merged[key]) for key in keys if key in merged})
                for part, (kind, keys) in _PARTS.items()
            }
        )

    @classmethod
    def from_toml(cls, text: str, origin: str, *layers: Mapping[str, Value]) -> Config:
        """Read a TOML text, then merge further layers over it.

        Raises
        ------
        ConfigError
            If the text is not TOML, or as in :meth:`from_flat`.
        """
        return cls.from_flat(flat_from_toml(text, origin), *layers)


_SPARSITY: Mapping[str, type[SparsityConfig | LanguageModelSparsity]] = MappingProxyType(
    {"classify": SparsityConfig, "lm": LanguageModelSparsity}
)
_KINDS = {
    "data": DataConfig,
    "text": TextConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
}
_PARTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    name: (kind, tuple(f.name for f in dataclasses.fields(kind))) for name, kind in _KINDS.items()
}
FIELDS: Mapping[str, dataclasses.Field[Any]] = MappingProxyType(
    {f.name: f for kind in _KINDS.values() for f in dataclasses.fields(kind)}
)
"""Every setting's field by its key: its type, default, help text, choices and limits."""


def part_of(key: str) -> str:
    """Name the table that a key belongs to."""
    return next(name for name, (_, keys) in _PARTS.items() if key in keys)


def flat_from_toml(text: str, origin: str) -> dict[str, Value]:
    """Read a TOML text's tables ``data``, ``text``, ``model`` and ``training`` as flat settings.

    Raises
    ------
    ConfigError
        If the text is not TOML, or a key stands in another table than its own.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{origin} is not valid TOML: {error}") from None
    flat: dict[str, Value] = {}
    for name in _PARTS:
        table = tables.get(name, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{origin}: {name!r} must be a table, written [{name}]")
        for key, value in table.items():
            if key in FIELDS and part_of(key) != name:
                raise ConfigError(f"{origin}: {key!r} belongs into [{part_of(key)}], not [{name}]")
            flat[key] = value
    stray = set(tables) - set(_PARTS) - {"recipe", "paper"}
    if stray:
        raise ConfigError(
            f"{origin}: unknown table or key {min(stray)!r}; there are {', '.join(_PARTS)}"
        )
    return flat


def _problems(flat: Mapping[str, Value]) -> Iterator[str]:
    for key, value in flat.items():
        if key not in FIELDS:
            yield _unknown(key, FIELDS)
        else:
            yield from _problems_of_value(key, value)
    yield from _problems_of_network(flat)
    kind = _SPARSITY.get(str(flat.get("task", DataConfig.task)))
    if kind is not None and isinstance(code := flat.get("code"), str):
        try:
            kind.from_name(code)
        except ConfigError as error:
            yield str(error)


def _problems_of_network(flat: Mapping[str, Value]) -> Iterator[str]:
    """Look for what only classifiers have, in a language model's settings."""
    for key in ("cell", "layers", "bidirectional", "pooling", "dropout"):
        usual = FIELDS[key].default
        if flat.get("task") == "lm" and flat.get(key, usual) != usual:
            yield f"{key} is a setting of classifiers: a language model has one LSTM ({usual})"
    if flat.get("task") == "lm" and flat.get("label_separator") is not None:
        yield "label_separator is a setting of classifiers: a language model reads no labels"


def _unknown(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"unknown setting {key!r}{hint}"


def _problems_of_value(key: str, value: Value) -> Iterator[str]:
    kind, limits = str(FIELDS[key].type), FIELDS[key].metadata
    if not _has_type(value, kind):
        yield f"{key} must be {kind.replace(' | None', '')}, got {value!r}"
    elif key == "label_separator" and value == "":
        yield "label_separator must be what stands between labels, for instance ';', got ''"
    elif limits["choices"] and value not in limits["choices"]:
        yield f"{key} must be one of {', '.join(limits['choices'])}, got {value!r}"
    elif isinstance(value, (int, float)) and not limits["low"] <= value <= limits["high"]:
        yield f"{key} must be {_range(limits['low'], limits['high'])}, got {value!r}"
    elif value == math.inf and key != "threshold":  # an infinite threshold prunes nothing
        yield f"{key} must be finite, got {value!r}"


def _has_type(value: Value, kind: str) -> bool:
    if value is None:
        return kind.endswith("| None")
    if kind == "float":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value).__name__ == kind.removesuffix(" | None")


def _range(low: float, high: float) -> str:
    if math.isinf(high):
        return f"at least {low:g}"
    return f"between {low:g} and {high:g}" if not math.isinf(low) else f"at most {high:g}"


def _coerce(key: str, value: Value) -> Value:
    return float(value) if FIELDS[key].type == "float" and isinstance(value, int) else value
