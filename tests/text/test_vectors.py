import gzip
import re

import numpy as np
import pytest

from bayespress.errors import DataError
from bayespress.text.vectors import read_vectors

GLOVE = "good 1 2 3\nbad -1 0.5 1e-3\nother 7 7 7\n"


@pytest.fixture
def write(tmp_path):
    def write_one(content, name="vectors.txt"):
        path = tmp_path / name
        content = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
        return path

    return write_one


def read(path, words=("good", "bad"), dimensions=3):
    rows = {word: row for row, word in enumerate(words, 1)}
    return {k: v.tolist() for k, v in read_vectors(path, rows, dimensions).items()}


def check_both(vectors):
    assert vectors == {1: [1, 2, 3], 2: [-1, 0.5, np.float32(1e-3)]}


def test_glove_is_read(write):
    check_both(read(write(GLOVE)))


def test_the_header_of_word2vec_is_skipped(write):
    check_both(read(write("3 3\n" + GLOVE)))


def test_a_number_that_has_a_vector_is_no_header(write):
    assert read(write("3 1 2 3\n"), ["3"]) == {1: [1, 2, 3]}


def test_compressed_files_are_read(write):
    check_both(read(write(GLOVE, "vectors.txt.gz")))


def test_vectors_are_float32_of_the_right_shape(write):
    vectors = read_vectors(write(GLOVE), {"good": 4}, 3)
    assert vectors[4].dtype == np.float32
    assert vectors[4].shape == (3,)


@pytest.mark.parametrize("ending", [" \n", "\r\n", "\n\n"])
def test_spaces_and_line_ends_of_other_programs_are_passed_over(write, ending):
    check_both(read(write(GLOVE.replace("\n", ending))))


def test_words_without_a_vector_are_left_out(write):
    assert list(read(write(GLOVE), ["missing", "bad", "absent"])) == [2]


def test_a_word_takes_the_vector_of_its_lowercase_form(write):
    assert read(write(GLOVE), ["Good", "BAD", "good"])[1] == [1, 2, 3]
    assert read(write("Good 4 4 4\n" + GLOVE), ["Good"])[1] == [4, 4, 4]
    assert read(write(GLOVE + "Good 4 4 4\n"), ["Good"])[1] == [4, 4, 4]


def test_the_first_of_several_vectors_of_a_word_counts(write):
    assert read(write("good 1 2 3\ngood 4 5 6\n"), ["good"])[1] == [1, 2, 3]


def test_words_with_any_character_are_found(write):
    words = ["naïve", "漢字", "a\u0085b", "c\u2028d"]
    content = "".join(f"{word} {k} 0 0\n" for k, word in enumerate(words))
    assert read(write(content), words) == {k + 1: [k, 0, 0] for k in range(4)}


def test_lines_of_other_words_are_not_parsed(write):
    assert read(write("... . . .\nodd\n" + GLOVE), ["good"]) == {1: [1, 2, 3]}


def test_another_size_is_answered_with_the_setting(write):
    rule = "line 1 has 3 dimensions, the network 300: set --embedding-size 3"
    with pytest.raises(DataError, match=rule):
        read(write(GLOVE), dimensions=300)


@pytest.mark.parametrize("numbers", ["1 two 3", "1  2 3", "", "1,2,3"])
def test_a_line_without_numbers_is_named(write, numbers):
    rule = "vectors.txt, line 2 is not a word and numbers separated by spaces"
    with pytest.raises(DataError, match=rule):
        read(write(f"other 1 2 3\ngood {numbers}\n"))


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e99", "1e38", "-1000001"])
def test_a_number_that_cannot_be_trained_on_is_named_with_its_line_and_word(write, number):
    rule = (
        rf"line 2: the vector of 'good' holds {number}, but numbers must lie within ±1e\+06: "
        "correct it, or take the line out"
    )
    with pytest.raises(DataError, match=rule):
        read(write(f"bad 1 2 3\ngood 1 {number} 3\n"))


def test_a_missing_file_is_named(tmp_path):
    rule = f"there is no file of word vectors at {re.escape(str(tmp_path))}.none.txt"
    with pytest.raises(DataError, match=rule):
        read(tmp_path / "none.txt")


@pytest.mark.parametrize(
    ("name", "damaged"),
    [
        ("a.txt.gz", gzip.compress(GLOVE.encode() * 99, mtime=0)[:-20]),
        ("b.txt.gz", gzip.compress(GLOVE.encode() * 99, mtime=0)[:-9] + bytes(9)),
        ("c.txt.gz", gzip.compress(GLOVE.encode(), mtime=0)[:10] + b"\xff" * 20),
        ("d.txt.gz", b"not compressed"),
        ("e.txt", b"good 1 2 3\nb\xffd 1 2 3\n"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, name, damaged):
    (tmp_path / name).write_bytes(damaged)
    with pytest.raises(DataError, match=f"{name} cannot be read as word vectors: "):
        read(tmp_path / name)


def test_a_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"cannot be read as word vectors: .*Is a directory"):
        read(tmp_path)


@pytest.mark.parametrize("content", ["", "other 1 2 3\n"])
def test_a_file_with_none_of_the_words_is_a_mistake(write, content):
    rule = "vectors.txt has a vector for none of the 2 words of the vocabulary"
    with pytest.raises(DataError, match=rule):
        read(write(content))
