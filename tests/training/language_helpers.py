"""A language of two grammars that a tiny network learns in seconds, and runs on it."""

import numpy as np

from bayespress.config import Config
from bayespress.data import TextSplits
from bayespress.training import RunFolder, Trainer

NUMBERS = ("one", "two", "three", "four", "five")
FILLERS = ("uh", "er", "hm")
SMALL = {
    "task": "lm",
    "code": "LLLL",
    "hidden_size": 8,
    "epochs": 3,
    "batch_size": 4,
    "segment_length": 9,
    "min_documents": 1,
    "learning_rate": 0.02,
    # All that a schedule says, so that a better one is no concern of these runs.
    "schedule": "paper",
    "corrects_epsilon": True,
    "dense_epochs": 1,
    "finetune_epochs": 0,
    "weight_log_sigma": -5.0,
    "group_log_sigma": -3.5,
    "group_learning_rate": 0.01,
    "log_sigma_learning_rate": 0.012,
    "group_log_sigma_learning_rate": 0.012,
    "kl_weight": 2.0,
    "decay": "linear",
    "decay_after": 0.8,
    "shrink_after": 2,
    "compression_worth": 0.05,
}
LEVELS = {
    "word": {"level": "word"},
    "char": {"level": "char", "batch_size": 8, "segment_length": 30},
}


def lines(count, seed):
    """Make lines that count up or down behind a word that says nothing.

    Whether a number grows or falls is told by the one before it alone, so that it takes memory.
    """
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        numbers = NUMBERS[:: random.choice([1, -1])]
        made.append(" ".join([random.choice(FILLERS), *numbers]) + "\n")
    return "".join(made)


def make_splits(train=60):
    return TextSplits(lines(train, 1), lines(30, 2), lines(30, 3))


def make_config(level="word", **changes):
    return Config.from_flat(SMALL, LEVELS[level], changes)


def train(tmp_path, name="run", splits=None, listener=None, **changes):
    folder = RunFolder(tmp_path / name)
    config = make_config(**changes)
    folder.save_config(config)
    trainer = Trainer(config, splits or make_splits(), folder, listener)
    trainer.fit()
    return folder, trainer


def unigram_nll(encoder, train, text):
    """Mean negative log likelihood of a text by the frequencies of the training text's tokens."""
    counts = np.bincount(encoder.encode(train), minlength=len(encoder.tokens))
    return -np.log(counts[encoder.encode(text)] / counts.sum()).mean()


# Rows and neurons leave from the first epochs with noise on with these settings.
PRUNING = {
    "epochs": 12,
    "finetune_epochs": 2,
    "kl_warmup": 0.3,
    "log_sigma_learning_rate": 0.2,
    "group_log_sigma_learning_rate": 0.2,
    "group_learning_rate": 0.02,
    "weight_log_sigma": -3.0,
    "group_log_sigma": -2.0,
}
PRUNING_OF_LEVEL = {"word": {**PRUNING, "kl_weight": 6.0}, "char": {**PRUNING, "kl_weight": 12.0}}
