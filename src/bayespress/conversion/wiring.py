"""Find out how a model is put together, by looking on while it reads an example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from bayespress.errors import ConversionError
from bayespress.nn import Embedding, Linear, Recurrent
from bayespress.nn.gated import GatedLayer

_KINDS = (Embedding, Recurrent, Linear)


@dataclass(frozen=True)
class Pattern:
    """The layers of which rows, dimensions and neurons can be removed.

    Attributes
    ----------
    embedding, recurrent
        The layers; the one feeds the other.
    output
        The linear layer that reads the recurrent ones.
    blocks
        How many vectors of the size of the recurrent layers' output it reads, one after another.
    """

    embedding: Embedding
    recurrent: Recurrent
    output: Linear
    blocks: int

    @classmethod
    def seen(cls, model: nn.Module, arguments: tuple[Any, ...]) -> tuple[Pattern, Any]:
        """Run a model, and find its layers by the order that they are called in.

        Returns
        -------
        pattern, output
            The layers, and what the model gave.

        Raises
        ------
        ConversionError
            If it is made in another way.
        """
        named = {id(module): name or "the model itself" for name, module in model.named_modules()}
        for name, module in model.named_modules():
            if isinstance(module, GatedLayer) and not _is_in_stack(model, module):
                raise ConversionError(
                    f"{name} ({type(module).__name__}) is none of the layers that convert() makes"
                )
        called: list[nn.Module] = []
        hooks = [
            module.register_forward_hook(lambda one, *_: called.append(one))
            for module in model.modules()
            if isinstance(module, _KINDS)
        ]
        try:
            output = model(*arguments)
        finally:
            for hook in hooks:
                hook.remove()
        return cls._of_order(called, named), output

    @classmethod
    def _of_order(cls, called: list[nn.Module], named: dict[int, str]) -> Pattern:
        embedding = _only(called, Embedding, named)
        recurrent = _only(called, Recurrent, named)
        if embedding.embedding_dim != recurrent.input_size:
            raise ConversionError(
                f"{named[id(recurrent)]} reads {recurrent.input_size} inputs and "
                f"{named[id(embedding)]} has {embedding.embedding_dim} dimensions: shrink() needs "
                "an embedding that feeds the recurrent layers"
            )
        behind = called[called.index(recurrent) + 1 :]
        output = next((module for module in behind if isinstance(module, Linear)), None)
        if output is None:
            raise ConversionError(
                f"no converted nn.Linear is called after {named[id(recurrent)]}: shrink() needs "
                "one that reads the last state, or the mean or maximum of all"
            )
        blocks, rest = divmod(output.in_features, recurrent.output_size)
        if rest or called.count(output) > 1:
            raise ConversionError(
                f"{named[id(output)]} (nn.Linear) has {output.in_features} inputs and is called "
                f"{called.count(output)} times, {named[id(recurrent)]} gives "
                f"{recurrent.output_size} outputs: shrink() needs a layer that reads the last "
                "state, or the mean or maximum of all"
            )
        return cls(embedding, recurrent, output, blocks)


def _only(called: list[nn.Module], kind: type[Any], named: dict[int, str]) -> Any:
    """Give the only layer of a kind, called once."""
    found = [module for module in called if isinstance(module, kind)]
    if len(found) != 1:
        what = "nn.Embedding" if kind is Embedding else "nn.LSTM or nn.GRU"
        names = ", ".join(named[id(module)] for module in found) or "none"
        raise ConversionError(
            f"shrink() needs one converted {what} that is called once; called here: {names}"
        )
    return found[0]


def _is_in_stack(model: nn.Module, cell: nn.Module) -> bool:
    stacks = (module for module in model.modules() if isinstance(module, Recurrent))
    return any(cell is one for stack in stacks for one in stack.cells())
