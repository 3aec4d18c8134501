"""One command without something, and what is wrong with what it left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starving.cases import Case, Given, without
from starving.program import Done, Report, call, environment, mistakes_of_line, scratch, told, tree
from starving.zygote import Zygote

_PARTS = ".bayespress/", "sweep.db", ".lock"
"""What names of files that are gone on with hold."""
_NUMBER = re.compile(rb"\d+\.\d+(?:e-\d+)?")
_ROUNDING = 2e-6
"""Of probabilities that are told with six digits."""


@dataclass
class Attempt:
    """A command in a folder of its own.

    Attributes
    ----------
    case, given
        What is run.
    root
        The folder.
    wanted
        What the command leaves that has all it needs.
    env
        Its environment.
    before
        What was there.
    rounds
        Whether numbers of answers may differ by rounding: another program makes them where a
        compiled one finds no place.
    """

    case: Case
    given: Given
    root: Path
    wanted: Mapping[str, bytes]
    env: dict[str, str]
    before: dict[str, bytes] = field(default_factory=dict)
    done: Done = field(default_factory=lambda: Done(0, "", ""))
    rounds: bool = False

    @classmethod
    @contextmanager
    def of(cls, case: Case, given: Given, wanted: Mapping[str, bytes]) -> Iterator[Attempt]:
        """Prepare a folder, which is gone afterwards."""
        with given.root(case) as root:
            attempt = cls(case, given, root, wanted, environment(root, given.cache))
            attempt.before = attempt.tree()
            yield attempt

    def tree(self) -> dict[str, bytes]:
        """Read what is there."""
        return without(tree(self.root), self.case)

    def run(self, zygote: Zygote | None = None, **how: Any) -> Done:
        """Run the command without something."""
        words = self.case.words(self.given)
        if zygote is None:
            self.done = call(words, self.root, self.env, **how)
        else:
            self.done = zygote.call(words, self.root, self.env, **how)
        return self.done

    def judge(self, report: Report, without_what: str, zygote: Zygote | None = None) -> None:
        """Note what is wrong, then see that with all it needs it gives the same as ever."""
        wrong = self.mistakes()
        if self.done.code:
            wrong += self.again(zygote)
        report.note(f"{self.case.name}, {without_what}", self.done, wrong)

    def mistakes(self) -> list[str]:
        """Tell what is wrong with the line, and with what is there now."""
        after = self.tree()
        if self.done.code == 0:
            other = self._difference(after)
            return [f"exit code 0, but {other}"] if other else []
        wrong = mistakes_of_line(self.done, self.case.notes)
        wrong += [f"left in the way: {name}" for name in scratch(self.root)]
        return [*wrong, *self._lost(after), *self._left(after)]

    def _lost(self, after: Mapping[str, bytes]) -> Iterator[str]:
        for name, content in self.before.items():
            if name not in after:
                if name not in self.case.may_go:
                    yield f"{name} is gone"
            elif after[name] not in (content, self.wanted.get(name)) and not self.case.goes_on:
                yield f"{name} is torn"

    def _left(self, after: Mapping[str, bytes]) -> Iterator[str]:
        for name, content in after.items():
            if name in self.before:
                continue
            is_known = name in self.wanted or any(part in name for part in _PARTS)
            if self.case.goes_on and is_known and not name.endswith(".part"):
                continue
            if content != self.wanted.get(name):
                yield f"{name} was left"

    def again(self, zygote: Zygote | None) -> list[str]:
        """Run what the error says to run, with all that it needs; tell what is wrong then."""
        words = told(self.done, self.case.words(self.given))
        run = call if zygote is None else zygote.call
        again = run(words, self.root, self.env)
        if again.code:
            return [f"with all that it needs: exit code {again.code}: {again.err.strip()[-300:]}"]
        other = self._difference(self.tree())
        return [f"again: {other}"] if other else []

    def _difference(self, after: Mapping[str, bytes]) -> str | None:
        names = sorted({*after, *self.wanted})
        others = [name for name in names if not self._is_wanted(name, after.get(name))]
        return f"other files than ever: {', '.join(others[:5])}" if others else None

    def _is_wanted(self, name: str, content: bytes | None) -> bool:
        wanted = self.wanted.get(name)
        if content == wanted:
            return True
        if not self.rounds or content is None or wanted is None:
            return False
        pairs = zip(_NUMBER.findall(content), _NUMBER.findall(wanted), strict=False)
        is_near = all(abs(float(one) - float(other)) <= _ROUNDING for one, other in pairs)
        return is_near and _NUMBER.sub(b"", content) == _NUMBER.sub(b"", wanted)
