"""Drawings: XML, within their frame, and saying what the numbers say."""

import math
import re

import numpy as np
import pytest

from bayespress.compact import arrays_of
from bayespress.report import KeptWeights, figures_of
from bayespress.report.bars import word_charts
from bayespress.report.gates import NEURONS, gate_charts
from bayespress.report.lines import Series, line_chart
from bayespress.report.masks import mask_charts
from bayespress.report.raster import png, shares
from bayespress.report.svg import Axis
from bayespress.runtime import inspect
from tests.compact.strategies import encoder_of, random_model
from tests.report.helpers import (
    HOSTILE,
    NAMESPACE,
    checked_drawing,
    classifier,
    history,
    network,
    run,
)
from tests.report.test_page import every_run


def texts(root):
    return [element.text for element in root.iter(f"{NAMESPACE}text")]


@every_run
def test_every_figure_is_a_drawing_of_its_own(runs):
    names = [figure.name for figure in figures_of(runs)]
    assert len(names) == len(set(names))
    for figure in figures_of(runs):
        assert re.fullmatch(r"[\w-]+", figure.name)
        content = figure.to_file()
        assert "<script" not in content
        checked_drawing(content)


def test_runs_differ_in_line_and_mark_as_well_as_in_colour():
    runs = [run(name, history=history(seed=k)) for k, name in enumerate("abcde")]
    chart = next(figure for figure in figures_of(runs) if figure.name == "classify-validation")
    root = checked_drawing(chart.to_file())
    kinds = [e.get("class") for e in root.iter(f"{NAMESPACE}line") if "line" in e.get("class")]
    assert len({kind.split()[-1] for kind in kinds}) == 5
    assert len({kind.split()[1] for kind in kinds}) == 5
    marks = {e.get("d") for e in root.iter(f"{NAMESPACE}path") if "mark" in e.get("class")}
    assert len(marks) == 5
    assert [text for text in texts(root) if text.startswith("a: ")] == ["a: 64.90\u00a0%"]


def test_a_run_has_one_style_in_all_charts():
    runs = [run("a"), run("b", history=[]), run("c")]
    for figure in figures_of(runs):
        if not figure.name.startswith("run"):
            styles = re.findall(r'class="line (hue\d) (dash\d)"', figure.content)
            assert set(styles) <= {("hue0", "dash0"), ("hue2", "dash2")}


def test_a_chart_says_its_numbers_in_words():
    series = Series("mine", [(1, 0.5), (2, math.inf), (3, 0.75)], 0, best=3)
    chart = line_chart("c", "Chart", [series], str)
    assert (
        chart.description
        == "mine: 0.5 in epoch 1, 0.75 in epoch 3, 0.75 in epoch 3, which is shipped"
    )
    empty = line_chart("c", "Chart", [Series("mine", [(1, math.nan)], 0)], str)
    assert empty.description == "mine: no figures"
    checked_drawing(empty.to_file())


def test_points_lie_where_their_numbers_are():
    chart = line_chart("c", "Chart", [Series("mine", [(1, 10.0), (2, 20.0), (5, 15.0)], 0)], str)
    paths = checked_drawing(chart.to_file()).iter(f"{NAMESPACE}path")
    path = next(path.get("d") for path in paths if "line" in path.get("class"))
    (x1, y1), (x2, y2), (x5, y5) = [tuple(map(float, p.split())) for p in path[1:].split("L")]
    assert (x5 - x1) == pytest.approx(4 * (x2 - x1), abs=0.1)
    assert y1 - y2 == pytest.approx(2 * (y5 - y2), abs=0.1)
    assert y2 < y5 < y1


def test_large_ranges_are_logarithmic():
    points = [(1, 1.0), (2, 10.0), (3, 100.0)]
    chart = line_chart("c", "Chart", [Series("mine", points, 0)], str)
    assert "Chart (logarithmic)" in chart.content
    assert Axis(1, 100, 0, 10, is_log=True)(10) == pytest.approx(5)
    assert Axis(0.9, 120, 0, 10, is_log=True).ticks() == [1, 10, 100]
    assert Axis(0, 1, 0, 10).ticks() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


def test_gates_show_their_value_or_that_they_are_computed():
    model = random_model(encoder_of(["good"]), 2, 2, [0, 5], 3)
    (figure,) = gate_charts("g", inspect(model, 1))
    first = inspect(model, 1).gates[0]
    assert figure.description.startswith(
        f"neuron 0: i computed, f {first['f']:.2f}, g \u2212{-first['g']:.2f}, o {first['o']:.2f}"
    )
    cells = [text for text in texts(checked_drawing(figure.to_file())) if text == "~"]
    assert len(cells) == 1 + 2  # one explains


def test_many_neurons_are_several_pictures():
    model = random_model(encoder_of(["good"]), 2, NEURONS + 3, range(0, 9, 2), 1)
    first, second = gate_charts("g", inspect(model, 1))
    assert "neuron 63:" in first.description
    assert second.description.startswith("neuron 64:")
    assert second.description.count("neuron") == 3


def test_masks_show_the_network_above_the_file_and_count_both():
    model = classifier(density=0.5)
    full = {"embedding": np.zeros((2000, 300), bool), "weight_hh": np.zeros((40, 10), bool)}
    full["embedding"][:3, :3] = True
    full["weight_hh"][0, 0] = True
    figures = {f.name: f for f in mask_charts("r", model, KeptWeights(full, 3, sliced=True))}
    assert list(figures) == ["r-embedding", "r-weight_ih", "r-weight_hh", "r-output"]
    kept = np.count_nonzero(model.embedding)
    assert figures["r-embedding"].description == (
        f"In the network: 9 of 2,000 × 300 weights; In the file: {kept} of 3 × 3 weights"
    )
    assert figures["r-output"].description.startswith("In the file: ")
    images = list(checked_drawing(figures["r-embedding"].to_file()).iter(f"{NAMESPACE}image"))
    assert len(images) == 2
    assert all(image.get("href").startswith("data:image/png;base64,") for image in images)


def test_masks_of_every_cell_are_drawn_with_its_gates():
    model = network()
    full = {"weight_hh": np.ones((9, 3), bool), "weight_hh_l1_reverse": np.ones((6, 2), bool)}
    figures = {f.name: f for f in mask_charts("r", model, KeptWeights(full, 3, sliced=False))}
    ends = ("", "_l0_reverse", "_l1", "_l1_reverse")
    cells = [f"r-{name}{end}" for end in ends for name in ("weight_ih", "weight_hh")]
    assert list(figures) == ["r-embedding", *cells, "r-output"]
    for end in ends:
        matrix = arrays_of(model)[f"weight_hh{end}"]
        counts = f"In the file: {matrix.size} of {matrix.shape[0]} × {matrix.shape[1]} weights"
        assert counts in figures[f"r-weight_hh{end}"].description
    assert figures["r-weight_hh_l1_reverse"].description.startswith("In the network: 12 of 6 × 2")
    drawn = checked_drawing(figures["r-weight_hh"].to_file())
    assert [text for text in texts(drawn) if text in "rzn"][:3] == ["r", "z", "n"]


def test_gates_of_every_cell_are_pictures_of_their_own():
    charts = gate_charts("g", inspect(network(), 1))
    assert [chart.name for chart in charts] == [
        "g", "g_l0_reverse", "g_l1", "g_l1_reverse",
    ]  # fmt: skip
    assert charts[3].title == "Gates of every neuron of layer 2, backwards"
    assert charts[3].description.startswith("neuron 0: r ")
    assert [chart.description.count("neuron") for chart in charts] == [3, 2, 2, 2]


def test_words_of_several_labels_are_not_said_to_speak_for_one():
    model = network(outputs=2, multi_label=True)
    titles = [chart.title for chart in word_charts("w", inspect(model, 1))]
    assert titles
    assert set(titles) <= set(model.labels)


def test_a_single_weight_of_a_large_matrix_is_seen():
    mask = np.zeros((20_001, 300), bool)
    mask[12_345, 67] = True
    small = shares(mask, 75, 200)
    assert small.shape == (75, 200)
    assert np.count_nonzero(small) == 1
    assert small.max() == pytest.approx(1 / (267 * 2), rel=0.5)


def test_shares_are_those_of_the_mask():
    mask = np.random.default_rng(0).random((57, 23)) < 0.3
    assert np.array_equal(shares(mask, 100, 100), mask)
    assert shares(mask, 1, 1)[0, 0] == pytest.approx(mask.mean())
    assert shares(mask, 19, 23).mean() == pytest.approx(mask.mean())


def test_a_png_is_one_that_others_read():
    image = pytest.importorskip("PIL.Image")
    io = pytest.importorskip("io")
    values = np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.0]])
    picture = np.asarray(image.open(io.BytesIO(png(values))))
    assert picture.shape == (2, 3, 4)
    assert (picture[..., 3] > 0).tolist() == (values > 0).tolist()
    assert picture[0, 1, 3] == 255


def test_hostile_words_are_text():
    model = classifier((HOSTILE, "good"), labels=(HOSTILE, "b"))
    for figure in figures_of([run(HOSTILE, model=model)]):
        root = checked_drawing(figure.to_file())
        assert {element.tag.removeprefix(NAMESPACE) for element in root.iter()} <= {
            *("svg", "title", "desc", "style", "text", "rect", "line", "path", "circle", "image"),
        }
