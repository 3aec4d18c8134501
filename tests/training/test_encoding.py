"""Texts are encoded once; what is kept on disk is used only where it is what would be made."""

import numpy as np
import pytest

from bayespress import compact, runtime
from bayespress.compression import to_compact
from bayespress.config import TextConfig
from bayespress.storage import CACHE_VARIABLE
from bayespress.text import TextEncoder
from bayespress.training import Trainer, encoding
from bayespress.training.prepare import fingerprint
from tests.training.test_trainer import make_splits, train


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(encoding, "_WORTH_SECONDS", 0.0)
    return tmp_path / "cache" / "encoded"


@pytest.fixture
def fits(monkeypatch):
    """Counts how often a vocabulary is chosen."""
    calls = []
    original = TextEncoder.fit.__func__
    monkeypatch.setattr(
        TextEncoder, "fit", classmethod(lambda *args: calls.append(1) or original(*args))
    )
    return calls


def encode(config=None, splits=None):
    splits = splits or make_splits()
    return encoding.encode(splits, config or TextConfig(min_documents=1), fingerprint(splits))


def assert_same(one, other):
    assert one.encoder.to_dict() == other.encoder.to_dict()
    for first, second in ((one.train, other.train), (one.validation, other.validation)):
        assert len(first.ids) == len(second.ids)
        assert all(np.array_equal(a, b) for a, b in zip(first.ids, second.ids, strict=True))
        assert np.array_equal(first.labels, second.labels)


@pytest.mark.parametrize("unknown", ["zero", "learned"])
def test_the_second_time_it_is_read(cache, fits, unknown):
    config = TextConfig(min_documents=1, unknown=unknown)
    first, second = encode(config), encode(config)
    assert_same(first, second)
    assert len(fits) == 1
    assert len(list(cache.iterdir())) == 1


def test_other_settings_and_other_data_are_encoded_anew(cache, fits):
    encode()
    encode(TextConfig(min_documents=1, lowercase=True))
    encode(splits=make_splits(("bad", "fine", "good")))
    assert len(fits) == 3


@pytest.mark.parametrize("damage", [b"", b"nonsense" * 10, None])
def test_a_damaged_file_is_made_anew(cache, fits, damage):
    first = encode()
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes()[:-7] if damage is None else damage)
    assert_same(encode(), first)
    assert len(fits) == 2


def test_what_was_quick_is_not_kept(cache, monkeypatch):
    monkeypatch.setattr(encoding, "_WORTH_SECONDS", 60.0)
    encode()
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_to_is_done_without(cache, fits):
    cache.parent.mkdir(parents=True)
    cache.write_text("in the way")
    assert_same(encode(), encode())
    assert len(fits) == 2


def test_no_more_than_a_few_files_are_kept(cache):
    for length in range(1, 12):
        encode(TextConfig(min_documents=1, max_length=length))
    assert len(list(cache.iterdir())) == 8


def test_validation_by_ids_is_that_of_raw_texts(tmp_path):
    folder, trainer = train(tmp_path, shrink_after=1, epochs=6)
    again = Trainer(folder.config(), make_splits(), folder)  # with the smaller vocabulary
    model = tmp_path / "model.bpr"
    compact.save(to_compact(trainer.net, trainer.task.encoder, trainer.task.labels), model)
    texts = make_splits().validation
    raw = runtime.evaluate(runtime.load(model), texts.texts, texts.labels).accuracy
    measured = [one.task.validate(one.net).accuracy for one in (trainer, again)]
    assert measured == [raw, raw]
    assert trainer.history[-1].validation_accuracy == raw
