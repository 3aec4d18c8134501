"""The page is looked at in a real browser where there is one; what it must not do, everywhere."""

import dataclasses
import re
from urllib.parse import quote

import numpy as np
import pytest

from bayespress.compact import CompactGRU
from bayespress.errors import ArtifactError
from bayespress.export.html import page_of, write_html
from bayespress.runtime import LanguageModel, TextPredictor, explain, inspect
from tests.compact.language_strategies import random_language_model, word_encoder
from tests.compact.strategies import encoder_of, random_model, random_network, small_model
from tests.export.chromium import Page, look_at, needs_chromium

HOSTILE = "</script><img src=x onerror=\"document.title='taken'\"><!--<script>&amp;"
ELSEWHERE = r"(?i)https?:|//[a-z]|url\(|@import|\bsrc=|fetch\(|import\("
SCRIPT_AT_THE_END = "<script type='module'>{}</script></body>"


def model_of(words, outputs=1, **changes):
    encoder = encoder_of(words, max_length=6, lowercase=True)
    model = random_model(encoder, 3, 4, range(16), outputs, seed=1)
    return dataclasses.replace(model, **changes)


def labels_model(outputs=3, bias=0.0, **changes):
    """A model that gives several labels at once, with cells of two directions."""
    encoder = encoder_of(["good", "bad", "naïve"], max_length=6, lowercase=True)
    model = random_network(
        encoder, CompactGRU, [[3, 2], [2, 2]], outputs=outputs, pooling="max", multi_label=True
    )
    return dataclasses.replace(model, output_bias=model.output_bias + np.float32(bias), **changes)


def language_model(**changes):
    return random_language_model(word_encoder("<unk>"), 4, inputs=[0, 1, 3], seed=2, **changes)


def percent(probability):
    return f"{100 * probability:.1f}%"


def with_script(path, script):
    """Let a script run behind the page's own, which the page would not allow."""
    page = re.sub(r"<meta\s+http-equiv=[^>]*>", "", path.read_text("utf-8"))
    path.write_text(page.replace("</body>", SCRIPT_AT_THE_END.format(script)), "utf-8")


@pytest.mark.parametrize("model", [small_model(), language_model(), labels_model()])
def test_a_page_asks_for_nothing_from_elsewhere(model):
    page = page_of(model)
    assert not re.search(ELSEWHERE, re.sub('"data":"[^"]*"', "", page))
    assert "default-src 'none'" in page
    assert {element.get("href") for element in Page(page).elements} == {None, "data:,"}


def test_a_page_has_a_language_and_names_for_what_can_be_typed_into():
    page = Page(page_of(language_model(), "A title"))
    assert page.find(tag="html")[0]["lang"] == "en"
    assert page.find(tag="title")[0]["text"] == page.find(tag="h1")[0]["text"] == "A title"
    assert page.find(tag="label", **{"for": page.find(tag="textarea")[0]["id"]})


def test_an_example_is_made_of_words_that_speak_for_a_label():
    model = labels_model()
    known = {word.word: word for word in inspect(model, 1).words}
    (example,) = re.findall('const EXAMPLE = "(.*)";', page_of(model))
    assert all(known[word].effect > 0 for word in example.split(", ") if word)


def test_a_page_says_what_an_effect_is_of_its_network():
    assert "which reads word by word" in page_of(small_model())
    both = page_of(labels_model())
    assert "which reads word by word" not in both
    assert "from the text that ends before it to the one that ends behind it" in both


def test_a_page_waits_for_the_end_of_typing_where_effects_take_long():
    assert "soon(show, 30)" in page_of(small_model())
    assert "soon(show, 250)" in page_of(labels_model())


def test_a_page_counts_what_is_kept():
    info = {"words": [3, 1500], "neurons": "many"}
    page = Page(page_of(model_of(["good", "bad", "naïve"], info=info)))
    facts = [element["text"] for element in page.find(tag="dd")]
    assert re.fullmatch(r"[\d,]+ bytes", facts[0])
    assert facts[1:3] == ["3 of 1,500", "4"]


def test_text_of_the_model_is_not_markup():
    model = model_of([HOSTILE, "good"], labels=(HOSTILE, "b"))
    for page in (page_of(model, HOSTILE), page_of(model, example=HOSTILE)):
        assert "<img" not in page
        assert page.count("</script>") == page.count("<script") == 1


def test_an_inconsistent_model_is_not_written(tmp_path):
    with pytest.raises(ArtifactError, match="1 labels do not fit"):
        write_html(model_of(["good"], labels=("one",)), tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


@needs_chromium
def test_the_browser_shows_the_answer_to_the_text_of_the_address(tmp_path):
    model = model_of(["good", "bad", "naïve"], labels=(HOSTILE, "fine & well"))
    text = "A GOOD, naïve <b>film</b>: bad good naïve & more"
    write_html(model, tmp_path / "page.html", HOSTILE)
    page = look_at(tmp_path / "page.html", f"#text={quote(text)}")
    (row,) = TextPredictor(model).predict_proba([text])
    assert page.text("answer") == f"{model.labels[row.argmax()]} {percent(row.max())}"
    assert page.text("words") == text
    words = [element["text"] for element in page.find(tag="b")]
    assert words[:2] == ["GOOD", "naïve"]
    assert len(words) == 2 + 3  # with those of the legend: no other word is kept and read
    assert page.text("unread").startswith("4 of 10 words")
    assert not page.find(tag="img")
    assert page.find(tag="title")[0]["text"] == page.find(tag="h1")[0]["text"] == HOSTILE


@needs_chromium
def test_the_browser_answers_while_one_types(tmp_path):
    model = model_of(["good", "bad"], outputs=3, labels=("x", "y", "z"))
    path = tmp_path / "page.html"
    write_html(model, path, example="bad")
    typed = 'const text = document.getElementById("text"); text.value = "so good";'
    with_script(path, f'{typed} text.dispatchEvent(new Event("input"));')
    page = look_at(path)
    (row,) = TextPredictor(model).predict_proba(["so good"])
    order = np.argsort(-row)
    expected = [[model.labels[k], percent(float(row[k]))] for k in order]
    assert page.rows("bars") == expected
    assert page.text("answer") == " ".join(expected[0])
    assert page.text("words") == "so good"


def rows_of_labels(model, text):
    """What the page shall show of each label: a mark where it is given, its name, its share."""
    (row,) = TextPredictor(model).predict_proba([text])
    return [
        ["✓" * bool(row[k] >= 0.5) + model.labels[k], percent(float(row[k]))]
        for k in np.argsort(-row, kind="stable")
    ]


@needs_chromium
@pytest.mark.parametrize("bias", [0.0, 6.0, -6.0])
def test_the_browser_marks_every_label_that_is_given(tmp_path, bias):
    model = labels_model(bias=bias, labels=(HOSTILE, "y", "z"))
    write_html(model, tmp_path / "page.html")
    page = look_at(tmp_path / "page.html", "#text=so%20GOOD%20bad")
    expected = rows_of_labels(model, "so GOOD bad")
    assert page.rows("bars") == expected
    given = [name[1:] for name, _ in expected if name.startswith("✓")]
    assert page.text("answer") == (", ".join(given) or "No label")
    assert len(given) == (3 if bias > 0 else 0 if bias < 0 else len(given))
    assert page.text("words") == "so GOOD bad"
    assert page.text("subject") == f"“{expected[0][0].removeprefix('✓')}”"
    assert not page.find(tag="img")


@needs_chromium
def test_the_browser_explains_the_label_that_is_chosen(tmp_path):
    model = labels_model(labels=("x", "y", "z"))
    path, text = tmp_path / "page.html", "good bad naïve"
    write_html(model, path, example=text)
    choose = 'const chosen = document.getElementById("label"); chosen.selectedIndex = 3;'
    with_script(path, f'{choose} chosen.dispatchEvent(new Event("input"));')
    page = look_at(path)
    words = explain(TextPredictor(model), text, "z").words
    told = sorted((word.effect for word in words if abs(word.effect) >= 0.1), key=lambda x: -abs(x))
    numbers = [float(number.replace("\N{MINUS SIGN}", "-")) for _, number in page.rows("ranking")]
    assert numbers == pytest.approx(told, abs=0.006)
    assert page.text("for") == "for z"


@needs_chromium
def test_the_address_can_name_the_label_that_is_explained(tmp_path):
    write_html(labels_model(labels=("x", "y", "z")), tmp_path / "page.html")
    assert look_at(tmp_path / "page.html", "#label=y").text("against") == "against y"


@needs_chromium
def test_labels_that_are_hardly_probable_stand_behind_the_others(tmp_path):
    model = labels_model(outputs=30, bias=-1)
    write_html(model, tmp_path / "page.html")
    page = look_at(tmp_path / "page.html", "#text=good")
    expected = rows_of_labels(model, "good")
    assert page.rows("bars") == expected
    assert page.find(tag="summary")[0]["text"] == f"18 more, each at most {expected[12][1]}"


@needs_chromium
def test_the_browser_writes_on_with_a_language_model(tmp_path):
    model, path = language_model(), tmp_path / "page.html"
    write_html(model, path)
    with_script(path, 'document.getElementById("write").click();')
    page = look_at(path, "#text=the%20cat&seed=7&temperature=1.5")
    runtime = LanguageModel(model)
    written = "".join(runtime.generate("the cat", 25, temperature=1.5, seed=7))
    assert page.text("words") == " ".join(f"the cat{written}".split())
    probabilities = runtime.next_token_probabilities(f"the cat{written}")
    best = sorted(probabilities.tolist(), reverse=True)[:5]
    assert [number for _, number in page.rows("next")] == [percent(p) for p in best]


@needs_chromium
def test_the_browser_names_what_a_language_model_cannot_read(tmp_path):
    model = random_language_model(word_encoder(), 2)
    write_html(model, tmp_path / "page.html")
    page = look_at(tmp_path / "page.html", "#text=the%20dog")
    assert page.text("problem") == 'the model does not know "dog": take that out of the prompt'
