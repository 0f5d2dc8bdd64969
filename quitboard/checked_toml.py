"""TOML into dataclasses, checked: a mistake names file, line, what was expected and the nearest right name.

The fields of a dataclass are the names that its table may have, their types and `low`/`high` metadata what a value may
be. tomllib keeps no positions, so `TomlSource` finds the line of a key again in the text.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from quitboard.errors import SettingsError

_T = TypeVar("_T")

Where = tuple[str | int, ...]
"""The path of a table from the top: names, and numbers of the entries of arrays."""


@dataclass(frozen=True, slots=True)
class TomlSource:
    """A TOML file and its text."""

    name: str
    text: str
    table: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> TomlSource:
        try:
            text = path.read_text("utf-8-sig")
            return cls(path.name, text, tomllib.loads(text))
        except UnicodeDecodeError:
            raise SettingsError("not UTF-8", where=path.name, todo="Save it as UTF-8") from None
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"\(at line (\d+)", str(error))
            where = f"{path.name}, line {found[1]}" if found else path.name
            raise SettingsError(re.sub(r" \(at .*\)$", "", str(error)), where=where, todo="Mend this line") from None
        except OSError as error:
            raise SettingsError(f"cannot be read ({error.strerror})", where=path.name) from None

    def error(self, what: str, where: Where, key: str = "") -> SettingsError:
        line = self._line_of(where, key)
        return SettingsError(what, where=f"{self.name}, line {line}" if line else self.name)

    def check_names(self, table: Mapping[str, Any], known: Mapping[str, object], where: Where) -> None:
        for name in table:
            if name not in known:
                raise self.error(f"unknown name {name!r}{nearest(name, known)}", where, name)

    def _line_of(self, where: Where, key: str) -> int | None:
        """Return the 1-based line of `key` in the table at `where`, or of the table's header."""
        seen: dict[tuple[str | int, ...], int] = {}
        here: Where = ()
        header_line: int | None = None
        for number, line in enumerate(self.text.splitlines(), start=1):
            if header := re.match(r"\s*(\[\[?)\s*([^\]#]+?)\s*\]", line):
                here = self._resolve(header[2].replace(" ", "").split("."), header[1] == "[[", seen)
                if here == where or (not where and here[:1] == (key,)):
                    header_line = header_line or number
            elif here == where and key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[.=]", line):
                return number
        return header_line

    @staticmethod
    def _resolve(names: Sequence[str], is_array: bool, seen: dict[Where, int]) -> Where:
        """Turn a header's names into the path of the table that it opens, counting [[arrays]] as they come."""
        path: Where = ()
        for depth, name in enumerate(names):
            path = (*path, name.strip("\"'"))
            last = depth == len(names) - 1
            if last and is_array:
                seen[path] = seen.get(path, -1) + 1
            if path in seen:
                path = (*path, seen[path])
        return path


def section_of(source: TomlSource, cls: type[_T], table: object, where: Where) -> _T:
    """Return a table as a dataclass: its fields are the names that the table may have.

    Raises:
        SettingsError: with file and line, for anything unknown, missing, of the wrong type or out of range.
    """
    if not isinstance(table, dict):
        raise source.error(f"[{where[0]}] is a table", where)
    fields = {item.name: item for item in dataclasses.fields(cls)}  # type: ignore[arg-type]
    source.check_names(table, fields, where)
    for name, item in fields.items():
        if name not in table and item.default is dataclasses.MISSING:
            raise source.error(f"{name} is missing", where)
    return cls(**{name: value_of(source, fields[name], cls, value, where) for name, value in table.items()})


def value_of(source: TomlSource, item: dataclasses.Field[Any], owner: type, value: object, where: Where) -> Any:
    """Return one value as its field wants it. Raises `SettingsError` where it does not fit."""
    wanted = typing.get_type_hints(owner)[item.name]
    fitted = _fit(wanted, value)
    if fitted is None:
        choices = typing.get_args(wanted) if typing.get_origin(wanted) is Literal else ()
        raise source.error(
            f"{item.name} is {_described(wanted)}, not {value!r}{nearest(str(value), choices)}", where, item.name
        )
    if "low" in item.metadata and not item.metadata["low"] <= fitted <= item.metadata["high"]:
        low, high = item.metadata["low"], item.metadata["high"]
        raise source.error(f"{item.name} lies between {low:g} and {high:g}, not at {value!r}", where, item.name)
    return fitted


def _fit(wanted: Any, value: object) -> Any:
    """Return `value` as the wanted type, or None where it does not fit. TOML has no null, so None is never a value."""
    if typing.get_origin(wanted) is Literal:
        return value if value in typing.get_args(wanted) else None
    if isinstance(wanted, types.UnionType):
        return next((found for part in typing.get_args(wanted) if (found := _fit(part, value)) is not None), None)
    if typing.get_origin(wanted) is tuple:
        parts = typing.get_args(wanted)
        if not isinstance(value, list):
            return None
        kinds = [parts[0]] * len(value) if parts[-1] is Ellipsis else list(parts)
        fitted = [_fit(kind, part) for kind, part in zip(kinds, value, strict=False)]
        return tuple(fitted) if len(kinds) == len(value) and None not in fitted else None
    if isinstance(value, bool):
        return value if wanted is bool else None
    if wanted is float and isinstance(value, int | float):
        return float(value)
    return value if wanted in (int, str) and isinstance(value, wanted) else None


def _described(wanted: Any) -> str:
    if typing.get_origin(wanted) is Literal:
        return "one of " + ", ".join(typing.get_args(wanted))
    if isinstance(wanted, types.UnionType):
        return " or ".join(_described(part) for part in typing.get_args(wanted) if part is not type(None))
    if typing.get_origin(wanted) is tuple:
        return "a list such as " + ("[1920, 1080]" if int in typing.get_args(wanted) else '["no_helmet", "two_up"]')
    names = {bool: "true or false", int: "a whole number", float: "a number", str: 'a text in "quotes"'}
    return names.get(wanted, str(wanted))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a question that names the known word most like this one, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f". Did you mean {near[0]!r}?" if near else ""
