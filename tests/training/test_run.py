"""A run's folder, whose checkpoint a stranger may have written."""

import json

import pytest
import safetensors.torch
import torch

from bayespress.errors import RunError
from bayespress.training import RunFolder
from bayespress.training.run import load_tensors, save_tensors, understood


def test_tensors_are_read_as_they_were_written(tmp_path):
    save_tensors(tmp_path / "a", {"x": torch.ones(2, 3)}, {"epoch": 1})
    tensors, metadata = load_tensors(tmp_path / "a")
    assert metadata == {"epoch": 1}
    assert torch.equal(tensors["x"], torch.ones(2, 3))


@pytest.mark.parametrize("text", ["", "[]", "3", '"x"', "{", "[" * 100_000, '{"a": 1' + "0" * 99])
def test_metadata_that_no_program_wrote_is_refused_in_one_line(tmp_path, text):
    file = tmp_path / "a.safetensors"
    safetensors.torch.save_file({"x": torch.ones(1)}, file, metadata={"bayespress": text})
    with pytest.raises(RunError, match=r"^.*a\.safetensors is damaged \(.*\); start the run anew$"):
        load_tensors(file)


def test_what_safetensors_says_in_several_lines_is_one(tmp_path):
    header = json.dumps({"a\nb": {"dtype": "F\n32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    file = tmp_path / "a.safetensors"
    for content in (header, header.replace(b"{", b"{\n"), b"\n\n{", b'{"\n'):
        file.write_bytes(len(content).to_bytes(8, "little") + content + bytes(4))
        with pytest.raises(RunError) as error:
            load_tensors(file)
        assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "read", [lambda: {}["x"], lambda: 3 + "x", lambda: int("x"), lambda: None.x]
)
def test_what_a_checkpoint_lacks_is_named(tmp_path, read):
    with (
        pytest.raises(RunError, match=r"best is damaged \(.*\); start the run anew"),
        understood(tmp_path / "best"),
    ):
        read()


def test_a_damaged_result_is_refused(tmp_path):
    assert RunFolder(tmp_path).result() is None
    (tmp_path / "result.json").write_text("[]")
    with pytest.raises(RunError, match=r"damaged \(it is no JSON object\); remove it, and write"):
        RunFolder(tmp_path).result()
