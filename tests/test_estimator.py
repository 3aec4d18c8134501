"""The classifier with scikit-learn's interface, as people use it there."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import validate_data

import bayespress
from bayespress import TextClassifier
from bayespress.compact import dumps
from bayespress.errors import ConfigError, RunError
from tests.cli.helpers import NOISE, rows

TINY = {
    "embedding_size": 6,
    "hidden_size": 5,
    "batch_size": 16,
    "min_documents": 1,
    "learning_rate": 0.02,
    "kl_weight": 0.0,
}
TEXTS, LABELS = zip(*rows(), strict=True)


def tiny(**changes):
    return TextClassifier(**{"config": TINY, "epochs": 6, "random_state": 0, **changes})


@pytest.fixture(scope="module")
def fitted():
    return tiny().fit(TEXTS, LABELS)


class OfNumbers(TextClassifier):
    """Rows of numbers as texts, so that scikit-learn's checks have something to check."""

    def fit(self, X, y):  # noqa: N803
        numbers, y = validate_data(self, X, y, ensure_min_samples=2, multi_output=True)
        return super().fit(self._as_texts(numbers), y)

    def predict_proba(self, X):  # noqa: N803
        if not hasattr(self, "compact_"):
            raise NotFittedError
        return super().predict_proba(self._as_texts(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = False, True
        tags.classifier_tags.poor_score = True  # three epochs of words for numbers
        return tags

    @staticmethod
    def _as_texts(numbers):
        return [
            " ".join(f"c{column}v{round(2 * value)}" for column, value in enumerate(row))
            for row in numbers
        ]


def test_scikit_learns_own_checks_pass():
    # Of an estimator of texts they look at little but cloning.
    with pytest.warns(match="Can't test estimator TextClassifier which requires input +of type"):
        check_estimator(TextClassifier())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks_for_numbers_pass_where_numbers_are_written_as_words():
    numbers = OfNumbers({**TINY, "embedding_size": 4, "hidden_size": 3}, epochs=3, random_state=0)
    results = check_estimator(numbers, on_skip=None)
    statuses = [result["status"] for result in results]
    assert statuses.count("passed") > 40
    assert set(statuses) <= {"passed", "skipped"}


def test_it_learns_and_says_what_it_learned(fitted):
    assert fitted.score(TEXTS, LABELS) > 0.9
    assert fitted.classes_.tolist() == ["bad", "good"]
    assert fitted.predict(["a good plot", "a bad plot"]).tolist() == ["good", "bad"]
    probabilities = fitted.predict_proba(["a good plot", ""])
    assert probabilities.shape == (2, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert [record.epoch for record in fitted.history_] == list(range(1, 7))


def test_what_it_ships_predicts_the_same(fitted, tmp_path):
    bayespress.save(fitted.compact_, tmp_path / "model.bpr")
    model = bayespress.load(tmp_path / "model.bpr")
    assert model.labels == ("bad", "good")
    np.testing.assert_array_equal(
        model.predict_proba(list(TEXTS)), fitted.predict_proba(np.array(TEXTS, object))
    )


def test_classes_may_be_numbers():
    numbers = np.array([5 if label == "good" else -3 for label in LABELS])
    classifier = tiny().fit(TEXTS, numbers)
    assert classifier.classes_.tolist() == [-3, 5]
    assert classifier.predict(["a good plot"]).tolist() == [5]
    assert classifier.compact_.labels == ("-3", "5")


def test_three_classes_have_three_probabilities():
    texts, labels = zip(*rows(labels=("bad", "good", "odd")), strict=True)
    classifier = tiny().fit(list(texts), list(labels))
    assert classifier.predict_proba(texts[:4]).shape == (4, 3)
    assert classifier.score(texts, labels) > 0.8


def test_equal_seeds_give_equal_models(fitted):
    assert dumps(tiny().fit(TEXTS, LABELS).compact_) == dumps(fitted.compact_)
    assert dumps(tiny(random_state=1).fit(TEXTS, LABELS).compact_) != dumps(fitted.compact_)


def test_it_can_be_pickled(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(TEXTS), fitted.predict_proba(TEXTS))
    assert isinstance(pickle.loads(pickle.dumps(TextClassifier())), TextClassifier)


def test_it_works_in_a_pipeline():
    shout = FunctionTransformer(lambda texts: [text.upper() for text in texts])
    pipeline = Pipeline([("shout", shout), ("classify", tiny())]).fit(TEXTS, LABELS)
    assert pipeline.score(TEXTS, LABELS) > 0.9
    assert "GOOD" in pipeline["classify"].compact_.encoder.vocabulary.rows


def test_it_works_in_cross_validation_and_a_grid_search():
    texts, labels = np.array(TEXTS, object), np.array(LABELS)
    assert cross_val_score(tiny(), texts, labels, cv=2).mean() > 0.8
    grid = {"preset": ["dense", "w+n"], "precision": ["int8"]}
    search = GridSearchCV(tiny(), grid, cv=2).fit(texts, labels)
    assert search.best_score_ > 0.8
    assert search.best_estimator_.compact_.info["precision"] == "int8"


def test_parameters_are_settings(tmp_path):
    classifier = tiny(preset="w+n", run=tmp_path / "run").fit(TEXTS, LABELS)
    assert classifier.compact_.info["code"] == "LLLCLL"
    config = bayespress.Config.from_toml((tmp_path / "run" / "config.toml").read_text(), "x")
    assert (config.model.hidden_size, config.training.epochs) == (5, 6)
    assert clone(classifier).get_params() == classifier.get_params()
    whole = TextClassifier(config, epochs=2, random_state=0).fit(TEXTS, LABELS)
    assert whole.compact_.info["code"] == "LLLCLL"
    assert len(whole.history_) == 2
    with pytest.raises(RunError, match="already holds a run"):
        classifier.fit(TEXTS, LABELS)


def test_weights_of_classes_move_the_answer():
    few = [k for k, label in enumerate(LABELS) if label == "bad" or k % 12 == 1]
    texts, labels = [TEXTS[k][:3] for k in few], [LABELS[k] for k in few]  # words tell little
    shares = {}
    for weight in (None, "balanced", {"good": 30.0, "bad": 1.0}):
        classifier = tiny(class_weight=weight, epochs=2).fit(texts, labels)
        shares[str(weight)] = classifier.predict_proba(texts)[:, 1].mean()
    assert shares["None"] < shares["balanced"] < shares["{'good': 30.0, 'bad': 1.0}"]


@pytest.mark.parametrize(("texts", "labels", "error", "message"), [
    ("a good film", ["good"], TypeError, "texts must be a list of strings, got one string"),
    ([1, 2], ["a", "b"], TypeError, "texts must be strings, got int as text 0"),
    ([], [], ValueError, "at least one text is needed"),
    (["a", "b"], ["a"], ValueError, "2 texts do not fit 1 classes of theirs"),
    (["a", "b"], ["a", "a"], ValueError, "there must be at least two classes, got one class: "),
    (["a", "b"], [0.5, 1.5], ValueError, "Unknown label type: continuous"),
])  # fmt: skip
def test_wrong_data_are_refused(texts, labels, error, message):
    with pytest.raises(error, match=message):
        tiny().fit(texts, labels)


def labelled(count=200):
    """Texts of random words; those that are labels are the text's labels."""
    random, made = np.random.default_rng(1), []
    for _ in range(count):
        chosen = [label for label in NAMES if random.random() < 0.4]
        words = [*random.choice(NOISE, size=random.integers(1, 6)), *chosen]
        random.shuffle(words)
        made.append((" ".join(words), chosen))
    return zip(*made, strict=True)


NAMES = ("funny", "long", "sad")
FILMS, GENRES = map(list, labelled())
MATRIX = np.array([[name in some for name in NAMES] for some in GENRES], int)


def several(**changes):
    return tiny(**{"config": {**TINY, "hidden_size": 8}, "epochs": 14, **changes})


@pytest.fixture(scope="module")
def fitted_to_lists():
    return several().fit(FILMS, GENRES)


def test_a_text_may_have_several_labels(fitted_to_lists):
    assert fitted_to_lists.multilabel_
    assert fitted_to_lists.classes_.tolist() == list(NAMES)
    assert fitted_to_lists.compact_.multi_label
    both, none = fitted_to_lists.predict(["a long and sad film", "the plot of it"])
    assert set(both) == {"long", "sad"}
    assert none == ()
    shares = fitted_to_lists.predict_proba(["a sad film", ""])
    assert shares.shape == (2, 3)
    found = [
        set(some) == set(one)
        for some, one in zip(fitted_to_lists.predict(FILMS), GENRES, strict=True)
    ]
    assert fitted_to_lists.score(FILMS, GENRES) == np.mean(found) > 0.8
    assert fitted_to_lists.history_[-1].validation_micro_f1 > 0.8


@pytest.mark.parametrize("given", [
    [set(some) for some in GENRES],
    [tuple(some) for some in GENRES],
    np.array([*GENRES, None], object)[:-1],
], ids=["sets", "tuples", "array"])  # fmt: skip
def test_any_collection_of_labels_will_do(fitted_to_lists, given):
    again = several().fit(FILMS, given)
    assert dumps(again.compact_) == dumps(fitted_to_lists.compact_)
    assert again.score(FILMS, given) == fitted_to_lists.score(FILMS, GENRES)


@pytest.mark.parametrize("form", [np.array, np.ndarray.tolist, csr_matrix])
def test_an_indicator_matrix_is_answered_by_one(form):
    given = form(MATRIX)
    classifier = several(class_weight="balanced").fit(FILMS, given)
    assert classifier.classes_.tolist() == [0, 1, 2]
    found = classifier.predict(FILMS)
    assert found.shape == MATRIX.shape
    assert found.dtype == MATRIX.dtype
    assert classifier.score(FILMS, given) == accuracy_score(MATRIX, found) > 0.8
    weights = np.arange(len(FILMS))
    assert classifier.score(FILMS, given, weights) == pytest.approx(
        accuracy_score(MATRIX, found, sample_weight=weights)
    )


def test_tables_of_pandas_are_taken(fitted_to_lists):
    pandas = pytest.importorskip("pandas")
    again = several().fit(pandas.Series(FILMS), pandas.Series(GENRES))
    assert again.predict(FILMS) == fitted_to_lists.predict(FILMS)
    assert several(epochs=1).fit(FILMS, pandas.DataFrame(MATRIX)).predict(FILMS[:1]).shape == (1, 3)


def test_several_labels_can_be_cross_validated():
    films = np.array(FILMS, object)
    assert cross_val_score(several(), films, MATRIX, cv=2).mean() > 0.6
    assert cross_val_score(several(), films, MATRIX, cv=2, scoring="f1_micro").mean() > 0.8
    # scikit-learn's own choice of folds takes no lists.
    assert cross_val_score(several(), FILMS, GENRES, cv=KFold(2)).mean() > 0.6


def test_numbers_may_be_labels_of_lists():
    numbers = [[10 * NAMES.index(one) for one in some] for some in GENRES]
    classifier = several(epochs=2).fit(FILMS, numbers)
    assert classifier.classes_.tolist() == [0, 10, 20]
    assert classifier.compact_.labels == ("0", "10", "20")


def test_a_label_that_was_never_seen_is_not_right(fitted_to_lists):
    (right,) = fitted_to_lists.predict(["a sad film"])
    assert fitted_to_lists.score(["a sad film"], [right]) == 1
    assert fitted_to_lists.score(["a sad film"], [[*right, "odd"]]) == 0
    with pytest.raises(ValueError, match="1 texts do not fit what is said of their labels"):
        fitted_to_lists.score(["a sad film"], [["sad"], ["long"]])


def test_what_learned_several_labels_can_be_pickled(fitted_to_lists):
    again = pickle.loads(pickle.dumps(fitted_to_lists))
    assert again.predict(FILMS) == fitted_to_lists.predict(FILMS)


@pytest.mark.parametrize(("labels", "message"), [
    ([["a"], ["b"]], "3 texts do not fit labels of 2"),
    ([["a"], ["a"], []], r"there must be at least two labels, got \['a'\]"),
    ([[], [], []], "no text has a label; give some of them one or more"),
    (np.zeros((3, 2), int), "no text has a label"),
    ([["a", 1], ["b"], []], "labels must be all texts or all numbers, got some of each"),
    (np.array([[0, 2], [1, 1], [0, 0]]), "y should be a 1d array"),
])  # fmt: skip
def test_wrong_labels_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        several().fit(["a", "b", "c"], labels)


def test_single_labels_have_no_weights_of_their_own():
    with pytest.raises(ValueError, match="class_weight must be None or 'balanced' where a text"):
        several(class_weight={"sad": 3.0}).fit(FILMS, GENRES)


def test_wrong_settings_are_refused():
    with pytest.raises(ConfigError, match="hidden_sise"):
        TextClassifier({"hidden_sise": 3}).fit(TEXTS, LABELS)
    with pytest.raises(ConfigError, match="precision must be one of"):
        tiny(precision="float8", epochs=10**9).fit(TEXTS, LABELS)  # before it trains


def test_an_estimator_that_was_not_fitted_says_so():
    with pytest.raises(NotFittedError):
        TextClassifier().predict(["a film"])


def test_without_scikit_learn_the_extra_is_named():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import bayespress\n"
        "try: bayespress.TextClassifier\n"
        "except bayespress.BayespressError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "TextClassifier needs the package 'sklearn': pip install 'bayespress[sklearn]'\n"
    )
