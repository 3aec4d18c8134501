import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import bayespress
from bayespress.compact import save
from bayespress.errors import ArtifactError, ConfigError, DataError
from bayespress.runtime import (
    LanguageModel,
    TextPredictor,
    language,
    load,
    load_classifier,
    load_language_model,
)
from bayespress.text import TokenEncoder
from bayespress.text.tokens import END, UNKNOWN
from tests.compact.language_strategies import (
    WORDS,
    char_encoder,
    language_models,
    random_language_model,
    small_language_model,
    word_encoder,
)
from tests.compact.strategies import small_model

CHARACTERS = "\n abc\\é"
MODELS = language_models(st.sampled_from(WORDS), st.sampled_from(CHARACTERS))
NUMBERS = st.lists(st.integers(0, 99), max_size=20)


def reference_probabilities(model, ids):
    """The distribution after each id: one step and one gate after another, in double precision."""
    lstm, neurons = model.lstm, len(model.lstm.bias) // 4
    soft = lambda x: 1 / (1 + math.exp(-x))  # noqa: E731
    hard = lambda x: min(max(0.2 * x + 0.5, 0), 1)  # noqa: E731
    activation = hard if lstm.gate_activation == "hard_sigmoid" else soft
    inputs = model.inputs.tolist()
    h, c = [0.0] * neurons, [0.0] * neurons
    for number in [None, *ids]:
        if number is not None:
            a = lstm.bias.astype(float)
            for row, gate in enumerate(lstm.live_gates.tolist()):
                if number in inputs:
                    a[gate] += float(lstm.weight_ih[row, inputs.index(number)])
                a[gate] += sum(float(lstm.weight_hh[row, j]) * h[j] for j in range(neurons))
            for j in range(neurons):
                i, f, o = (activation(a[k * neurons + j]) for k in (0, 1, 3))
                c[j] = f * c[j] + i * math.tanh(a[2 * neurons + j])
                h[j] = o * math.tanh(c[j])
        logits = model.output_weight.astype(float) @ np.array(h) + model.output_bias
        exponentials = np.exp(logits - logits.max())
        yield exponentials / exponentials.sum()


def reference_nll(model, ids):
    """Cut into windows, if there are some, and predict each token from the second on."""
    size = model.window or max(len(ids), 1)
    values = []
    for start in range(0, len(ids), size):
        window = ids[start : start + size]
        _, *distributions = reference_probabilities(model, window[:-1])
        values += [-math.log(p[x]) for p, x in zip(distributions, window[1:], strict=True)]
    return values


def ids_of(model, numbers):
    return [number % len(model.encoder.tokens) for number in numbers]


@given(MODELS, NUMBERS)
def test_negative_log_likelihood_equals_a_plain_loop(model, numbers):
    ids = ids_of(model, numbers)
    nll, _ = LanguageModel(model).nll(ids)
    assert nll.dtype == np.float64
    np.testing.assert_allclose(nll, reference_nll(model, ids), atol=1e-5)


@given(MODELS, NUMBERS, st.data())
def test_a_stream_in_two_parts_gives_what_it_gives_in_one(model, numbers, data):
    ready = LanguageModel(dataclasses.replace(model, window=None))
    ids = ids_of(model, [0, *numbers])
    whole, end = ready.nll(ids)
    cut = data.draw(st.integers(0, len(ids) - 1))
    first, state = ready.nll(ids[: cut + 1])
    second, last = ready.nll(ids[cut:], state)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, atol=1e-6)
    np.testing.assert_allclose(last.hidden, end.hidden, atol=1e-6)
    np.testing.assert_allclose(last.cell, end.cell, atol=1e-6)


@given(MODELS, NUMBERS)
def test_probabilities_equal_a_plain_loop_and_sum_to_one(model, numbers):
    encoder = dataclasses.replace(model.encoder, tokenizer="spaces", lowercase=False)
    ready = LanguageModel(dataclasses.replace(model, encoder=encoder))
    ids = ids_of(model, numbers)
    text = "".join(encoder.decode(ids))
    assume(encoder.encode(text).tolist() == ids)
    end = encoder.ids.get("\n" if encoder.level == "char" else END)
    read = ids or [end] * (end is not None)
    found = ready.next_token_probabilities(text)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, list(reference_probabilities(model, read))[-1], atol=1e-5)
    assert found.sum() == pytest.approx(1, abs=1e-5)


@given(MODELS, NUMBERS, st.integers(1, 9), st.integers(1, 30), st.integers(1, 3))
def test_chunks_change_nothing(model, numbers, logits, hidden, windows):
    ids, ready = ids_of(model, numbers), LanguageModel(model)
    whole, state = ready.nll(ids)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language, "_MAX_LOGITS", logits)
        patch.setattr(language, "_MAX_HIDDEN", hidden)
        patch.setattr(language, "_WINDOWS", windows)
        pieces, end = ready.nll(ids)
    np.testing.assert_allclose(pieces, whole, atol=1e-6)
    np.testing.assert_allclose(end.hidden, state.hidden, atol=1e-6)


def test_a_long_prompt_is_read_in_chunks(monkeypatch):
    ready = LanguageModel(random_language_model(char_encoder(), 5))
    whole = ready.next_token_probabilities("abc\n" * 9)
    monkeypatch.setattr(language, "_MAX_HIDDEN", 11)
    np.testing.assert_allclose(ready.next_token_probabilities("abc\n" * 9), whole, atol=1e-7)


def test_the_given_state_is_not_changed():
    ready = LanguageModel(random_language_model(char_encoder(), 5))
    _, state = ready.nll([0, 1, 2])
    before = state.hidden.copy(), state.cell.copy()
    again = [ready.nll([2, 3, 4, 0], state)[0].tolist() for _ in range(2)]
    assert again[0] == again[1]
    np.testing.assert_array_equal(before, (state.hidden, state.cell))


def test_a_token_that_is_not_read_takes_a_time_step_of_its_own():
    encoder = word_encoder(UNKNOWN)
    ready = LanguageModel(random_language_model(encoder, 4, inputs=[0, 1]))
    one, other, none = (
        ready.next_token_probabilities(text) for text in ("the cat sat", "the cat .", "the cat")
    )
    np.testing.assert_array_equal(one, other)
    assert np.abs(one - none).max() > 1e-3


@pytest.mark.parametrize(("window", "tokens"), [(None, 10), (4, 8), (5, 8), (11, 10), (3, 7)])
def test_every_window_begins_with_a_token_that_is_not_predicted(window, tokens):
    ready = LanguageModel(random_language_model(char_encoder(), 3, window=window))
    nll, state = ready.nll([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4])
    assert len(nll) == tokens
    assert state.hidden.any() == (window is None)


@pytest.mark.parametrize("window", [None, 5])
@pytest.mark.parametrize("ids", [[], [3]])
def test_fewer_than_two_tokens_give_no_figures(window, ids):
    nll, state = LanguageModel(random_language_model(char_encoder(), 3, window=window)).nll(ids)
    assert nll.shape == (0,)
    assert not state.hidden.any()


def test_figures_of_an_evaluation_are_those_of_its_definition():
    ready = LanguageModel(random_language_model(word_encoder(UNKNOWN, tokenizer="spaces"), 3))
    text = "the dog sat .\nthe <unk> sat cat\n"
    result = ready.evaluate(text)
    ids = ready.encoder.encode(text)
    nll = reference_nll(ready.model, ids.tolist())
    assert (result.tokens, result.unknown, result.level) == (9, 1, "word")
    assert result.nll == pytest.approx(np.mean(nll), abs=1e-6)
    assert result.perplexity == pytest.approx(math.exp(np.mean(nll)), rel=1e-6)
    assert result.bits_per_token == pytest.approx(np.mean(nll) / math.log(2), rel=1e-6)
    assert list(result.to_dict()) == (
        ["tokens", "unknown", "nll", "perplexity", "bits_per_token", "level"]
    )


def test_a_model_without_weights_has_the_perplexity_of_its_biases():
    model = random_language_model(char_encoder("ab"), 0)
    flat = dataclasses.replace(model, output_bias=np.zeros(2, np.float32))
    result = LanguageModel(flat).evaluate("abbaab")
    assert result.perplexity == pytest.approx(2)
    assert result.bits_per_token == pytest.approx(1)


def test_unknown_characters_are_counted_and_left_out():
    ready = LanguageModel(random_language_model(char_encoder("ab"), 3))
    with_strangers, without = (ready.evaluate(text) for text in ("axbxya", "aba"))
    assert (with_strangers.unknown, without.unknown) == (3, 0)
    assert with_strangers.nll == without.nll


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("xyz", 0), ("xax", 1)])
def test_a_text_of_fewer_than_two_tokens_cannot_be_evaluated(text, tokens):
    ready = LanguageModel(random_language_model(char_encoder("ab"), 3))
    with pytest.raises(DataError, match=f"the text has {tokens} tokens that the model knows; at l"):
        ready.evaluate(text)


def test_enormous_logits_neither_overflow_nor_warn():
    model = random_language_model(char_encoder("abc"), 2)
    bias = np.array([3e38, -3e38, 0], np.float32)
    ready = LanguageModel(dataclasses.replace(model, output_bias=bias))
    result = ready.evaluate("aab")
    assert result.nll == pytest.approx(3e38, rel=1e-5)
    assert result.perplexity == math.inf
    for temperature in (1e-300, 1, 1e300):
        assert "".join(ready.generate("a", 3, temperature)) == "aaa" or temperature > 1


def test_an_evaluation_takes_little_memory():
    import tracemalloc  # noqa: PLC0415

    tokens = tuple(f"w{number}" for number in range(2_000))
    ready = LanguageModel(
        random_language_model(TokenEncoder("word", "spaces", False, tokens), 8, inputs=[1])
    )
    ids = np.arange(20_000) % 2_000
    tracemalloc.start()
    try:
        ready.nll(ids)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * 4 * language._MAX_LOGITS  # all logits at once are 160 MB


@given(MODELS, st.integers(0, 2**64), st.sampled_from([0, 0.5, 1, 3.0]))
def test_equal_seeds_give_equal_texts_that_never_hold_unknown(model, seed, temperature):
    assume(set(model.encoder.tokens) != {UNKNOWN})
    ready = LanguageModel(model)
    pieces, again = (list(ready.generate("", 12, temperature, seed)) for _ in range(2))
    assert pieces == again
    assert len(pieces) == 12
    assert not any(UNKNOWN in piece for piece in pieces)


def test_other_seeds_give_other_texts():
    ready = LanguageModel(random_language_model(char_encoder("abcdefgh"), 3))
    assert len({"".join(ready.generate("a", 20, seed=seed)) for seed in range(9)}) == 9


@given(MODELS)
def test_temperature_zero_takes_the_most_probable_token(model):
    encoder = dataclasses.replace(model.encoder, lowercase=False)
    assume(set(encoder.tokens) != {UNKNOWN})
    ready, text = LanguageModel(dataclasses.replace(model, encoder=encoder)), ""
    probabilities = ready.next_token_probabilities(text)
    if UNKNOWN in encoder.ids:
        probabilities[encoder.ids[UNKNOWN]] = -1
    (piece,) = ready.generate(text, 1, temperature=0, seed=5)
    best = next(iter(encoder.decode([int(probabilities.argmax())])))
    assert piece == best


def test_of_equal_probabilities_the_lowest_id_is_taken():
    model = random_language_model(char_encoder("abc"), 0)
    bias = np.array([0, 1, 1], np.float32)
    ready = LanguageModel(dataclasses.replace(model, output_bias=bias))
    assert "".join(ready.generate("a", 4, temperature=0)) == "bbbb"


def test_a_text_goes_on_as_if_it_had_been_the_prompt():
    ready = LanguageModel(random_language_model(char_encoder("abcdefgh"), 6))
    text = "a" + "".join(ready.generate("a", 30, temperature=0))
    for cut in range(1, 30):
        (piece,) = ready.generate(text[:cut], 1, temperature=0)
        assert piece == text[cut]


@given(st.integers(0, 99), st.sampled_from(["words", "spaces"]), st.sampled_from(["", "the cat"]))
def test_pieces_joined_behind_the_prompt_are_the_text(seed, tokenizer, prompt):
    ready = LanguageModel(random_language_model(word_encoder(tokenizer=tokenizer), 3, seed=seed))
    text = prompt + "".join(ready.generate(prompt, 20, seed=seed))
    # By the words alone: not every text of tokens is split into the same ones again.
    ids = ready.encoder.encode(prompt).tolist()
    sampled = list(chosen_ids(ready, ids or [ready.encoder.ids[END]], 20, seed))
    assert text == "".join(ready.encoder.decode([*ids, *sampled]))


def chosen_ids(ready, ids, length, seed):
    """The documented rule, with sums in a plain loop."""
    random = np.random.Generator(np.random.PCG64(seed))
    for _ in range(length):
        logits = reference_logits(ready, ids)
        sums = list(itertools.accumulate(math.exp(s - max(logits)) for s in logits))
        u = random.random()
        ids = [*ids, next(k for k, total in enumerate(sums) if total > u * sums[-1])]
        yield ids[-1]


def reference_logits(ready, ids):
    return np.log(list(reference_probabilities(ready.model, ids))[-1]).tolist()


def test_frequencies_follow_the_probabilities():
    encoder = word_encoder(UNKNOWN)
    # No state: what comes next is always as probable as the biases say.
    ready = LanguageModel(random_language_model(encoder, 0, seed=3))
    expected = ready.next_token_probabilities("").astype(float)
    expected[encoder.ids[UNKNOWN]] = 0
    expected /= expected.sum()
    count = 20_000
    ids = [encoder.ids[piece.strip() or END] for piece in ready.generate("", count, seed=11)]
    found = np.bincount(ids, minlength=len(expected)) / count
    deviation = np.sqrt(expected * (1 - expected) / count)
    assert (np.abs(found - expected) <= 4 * deviation).all()
    assert found[encoder.ids[UNKNOWN]] == 0


def test_a_temperature_takes_the_root_of_the_probabilities():
    ready = LanguageModel(random_language_model(char_encoder("abc"), 0, seed=3))
    expected = ready.next_token_probabilities("a").astype(float) ** 0.5
    expected /= expected.sum()
    text = "".join(ready.generate("a", 20_000, temperature=2, seed=1))
    found = [text.count(letter) / 20_000 for letter in "abc"]
    np.testing.assert_allclose(found, expected, atol=0.015)


def test_an_empty_prompt_begins_a_line_where_there_are_lines():
    ready = LanguageModel(random_language_model(char_encoder("a\nb"), 4))
    np.testing.assert_array_equal(
        ready.next_token_probabilities(""), ready.next_token_probabilities("\n")
    )
    pieces = list(LanguageModel(random_language_model(word_encoder(), 4)).generate("", 1))
    assert not pieces[0].startswith(" ")


def test_an_empty_prompt_reads_nothing_where_there_are_no_lines():
    model = random_language_model(char_encoder("ab"), 4)
    found = LanguageModel(model).next_token_probabilities("")
    np.testing.assert_allclose(found, next(reference_probabilities(model, [])), atol=1e-6)


def test_unknown_words_of_a_prompt_are_read_as_unknown():
    ready = LanguageModel(random_language_model(word_encoder(UNKNOWN, tokenizer="spaces"), 4))
    one, other = ("".join(ready.generate(f"the {word}", 9)) for word in ("dog", UNKNOWN))
    assert one == other


@pytest.mark.parametrize("ask", ["generate", "next_token_probabilities"])
def test_unknown_tokens_of_a_prompt_are_named_where_nothing_stands_for_them(ask):
    ready = LanguageModel(random_language_model(char_encoder("ab"), 2))
    more = [5] if ask == "generate" else []
    with pytest.raises(DataError) as error:
        getattr(ready, ask)("abx\nx", *more)
    assert str(error.value) == (
        "the model does not know 'x', '\\n' and has no <unk>: take that out of the prompt"
    )
    with pytest.raises(DataError, match="'h', 'i', 'j', 'k', 'l' and 2 more and has no"):
        getattr(ready, ask)("cdefghijklmn", *more)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"temperature": -0.1}, "temperature must be finite and at least 0, got -0.1"),
    ({"temperature": math.nan}, "temperature must be finite and at least 0, got nan"),
    ({"temperature": math.inf}, "temperature must be finite and at least 0, got inf"),
    ({"length": -1}, "length must be at least 0, got -1"),
    ({"seed": -1}, "seed must be at least 0, got -1"),
])  # fmt: skip
def test_settings_out_of_range_are_refused_before_anything_is_written(arguments, message):
    ready = LanguageModel(small_language_model())
    with pytest.raises(ConfigError, match=message):
        ready.generate("a", **{"length": 3, **arguments})


def test_a_model_that_knows_nothing_but_unknown_cannot_write():
    encoder = TokenEncoder("word", "words", False, (UNKNOWN,))
    with pytest.raises(DataError, match="the model knows no token but <unk>: it cannot write"):
        LanguageModel(random_language_model(encoder, 1)).generate("", 1)


def test_pieces_are_made_when_they_are_asked_for():
    pieces = LanguageModel(small_language_model()).generate("a", 10**12)
    assert len(list(itertools.islice(pieces, 3))) == 3
    assert list(LanguageModel(small_language_model()).generate("a", 0)) == []


def test_load_gives_what_the_file_holds(tmp_path):
    model, path = small_language_model(), tmp_path / "language.bpr"
    save(model, path)
    save(small_model(), tmp_path / "classifier.bpr")
    ready = bayespress.load(path)
    assert isinstance(ready, bayespress.LanguageModel)
    assert isinstance(load(tmp_path / "classifier.bpr"), TextPredictor)
    expected = LanguageModel(model).next_token_probabilities("a")
    np.testing.assert_array_equal(ready.next_token_probabilities("a"), expected)
    assert isinstance(load_language_model(path), LanguageModel)
    assert isinstance(load_classifier(tmp_path / "classifier.bpr"), TextPredictor)


def test_the_other_kind_is_refused_with_a_way_out(tmp_path):
    save(small_language_model(), tmp_path / "a.bpr")
    save(small_model(), tmp_path / "b.bpr")
    with pytest.raises(ArtifactError, match=r"a\.bpr is a language model and .*bayespress generat"):
        load_classifier(tmp_path / "a.bpr")
    with pytest.raises(ArtifactError, match=r"b\.bpr is a classifier and .*bayespress predict'"):
        load_language_model(tmp_path / "b.bpr")
