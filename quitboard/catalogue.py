"""The editable table of rules: a CSV that a city's own clerk can open, read into `Rule`s with every mistake placed.

A kind may have several rows as the law changes; their periods of force must not overlap. Rows that no camera can judge
(licence, alcohol, age) stay in the table as law and are never enabled.
"""

from __future__ import annotations

import csv
import dataclasses
import difflib
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from quitboard.errors import SettingsError
from quitboard.files import resource
from quitboard.records import VEHICLE_ROLES, Role, Rule

CATALOGUE_NAME = "violations_kr.csv"
COLUMNS = tuple(item.name for item in dataclasses.fields(Rule))
DETECTABLE_KINDS = (
    "no_helmet",
    "passenger_no_helmet",
    "two_up",
    "sidewalk",
    "crosswalk_riding",
    "wrong_way",
    "parking",
    "motorcycle_no_helmet",
    "bicycle_no_helmet",
)
"""Kinds that `detect` can judge; only these may be enabled."""
LATER_KINDS = ("signal", "speeding")
"""Kinds that a camera could judge, but not with this version."""


def load_catalogue(path: Path | None = None) -> tuple[Rule, ...]:
    """Read a catalogue, by default the one that ships, in the order of its rows.

    Raises:
        SettingsError: with file, line, column and the nearest right word, for the first mistake met.
    """
    path = path or resource("data") / "catalogue" / CATALOGUE_NAME
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError("not UTF-8", where=path.name, todo='Save it as "CSV UTF-8"') from None
    except OSError as error:
        raise SettingsError(f"cannot be read ({error.strerror})", where=path.name) from None
    return parse_catalogue(text, path.name)


def parse_catalogue(text: str, name: str = CATALOGUE_NAME) -> tuple[Rule, ...]:
    """Read a catalogue's text; `name` stands in the messages. Raises `SettingsError` as `load_catalogue` does."""
    rows = _rows(text, name)
    if not rows:
        raise SettingsError("empty: the first line holds the columns", where=name, todo=f"Write {','.join(COLUMNS)}")
    _check_header(rows[0], name)
    placed = [(_Row(name, line, dict(zip(rows[0][1], cells, strict=False))), cells) for line, cells in rows[1:]]
    rules: list[tuple[_Row, Rule]] = []
    for row, cells in placed:
        if len(cells) != len(COLUMNS):
            raise row.error(
                f"{len(cells)} cells for {len(COLUMNS)} columns", todo='A text with a comma in it stands in "quotes"'
            )
        rule = _rule(row)
        for earlier, other in rules:
            if other.kind == rule.kind and _overlap(other, rule):
                raise row.error(
                    f"{rule.kind} is in force twice: here and in line {earlier.line}",
                    "kind",
                    todo="End the older row with valid_to the day before this one's valid_from",
                )
        rules.append((row, rule))
    return tuple(rule for _, rule in rules)


def in_force(rules: Iterable[Rule], day: date) -> tuple[Rule, ...]:
    """Return the rules in force on a camera's local day; `valid_to` is the last such day."""
    return tuple(
        rule
        for rule in rules
        if (rule.valid_from is None or rule.valid_from <= day) and (rule.valid_to is None or day <= rule.valid_to)
    )


def catalogue_sha256(rules: Iterable[Rule]) -> str:
    """Return a hash over what the rules say: the same for the same rows, however the file is quoted or ended."""
    rows = [dataclasses.asdict(rule) for rule in rules]
    return hashlib.sha256(json.dumps(rows, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


@dataclasses.dataclass(frozen=True, slots=True)
class _Row:
    """One line of the file and where it stands."""

    name: str
    line: int
    cells: Mapping[str, str]

    def error(self, what: str, column: str = "", *, todo: str = "") -> SettingsError:
        where = f"{self.name}, line {self.line}" + (f", column {column}" if column else "")
        return SettingsError(what, where=where, todo=todo)

    def text(self, column: str) -> str:
        return self.cells[column].strip()

    def needed(self, column: str) -> str:
        if not self.text(column):
            raise self.error("empty", column, todo="Fill it in")
        return self.text(column)

    def choice(self, column: str, choices: Sequence[str]) -> str:
        return self.one_of(self.text(column), column, choices)

    def one_of(self, word: str, column: str, choices: Sequence[str]) -> str:
        if word not in choices:
            raise self.error(f"{word!r} is none of {', '.join(choices)}{_nearest(word, choices)}", column)
        return word

    def day(self, column: str) -> date | None:
        if not (text := self.text(column)):
            return None
        try:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                raise ValueError
            return date.fromisoformat(text)
        except ValueError:
            raise self.error(f"{text!r} is no date", column, todo="Write it as 2021-05-13, or leave it empty") from None

    def won(self, column: str) -> int | None:
        text = self.text(column)
        if text and not re.fullmatch(r"[0-9]{1,12}", text):
            raise self.error(f"{text!r} is no amount", column, todo="Write digits only, for example 20000")
        return int(text) if text else None


def _rows(text: str, name: str) -> list[tuple[int, list[str]]]:
    """Return every row that is not empty, with the 1-based line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise SettingsError(
            f"not CSV ({error})", where=f"{name}, line {line}", todo="Look for a quote that is not closed"
        ) from None
    return rows


def _check_header(header: tuple[int, list[str]], name: str) -> None:
    line, names = header
    names[:] = [column.strip() for column in names]
    row = _Row(name, line, {})
    if len(names) == 1 and ";" in names[0]:
        raise row.error("the columns are separated by semicolons", todo="Save it with commas")
    for column in names:
        if column not in COLUMNS:
            raise row.error(f"unknown column {column!r}{_nearest(column, COLUMNS)}")
        if names.count(column) > 1:
            raise row.error("there twice", column)
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise row.error(f"without the column {missing[0]}", todo=f"The columns are {', '.join(COLUMNS)}")


def _rule(row: _Row) -> Rule:
    kind = row.needed("kind")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", kind):
        raise row.error(f"{kind!r} is not made of small letters, digits and _ (at most 40)", "kind")
    vehicles = tuple(Role(row.one_of(word, "vehicles", VEHICLE_ROLES)) for word in row.needed("vehicles").split())
    if len(set(vehicles)) < len(vehicles):
        raise row.error("names a vehicle twice", "vehicles")
    rule = Rule(
        kind=kind,
        name_ko=row.needed("name_ko"),
        name_en=row.needed("name_en"),
        vehicles=vehicles,
        enabled=row.choice("enabled", ("yes", "no")) == "yes",
        law_article=row.text("law_article"),
        fine_krw=row.won("fine_krw"),
        penalty_kind=row.text("penalty_kind"),
        valid_from=row.day("valid_from"),
        valid_to=row.day("valid_to"),
        camera_visible=row.choice("camera_visible", ("yes", "no")) == "yes",
        exceptions=row.text("exceptions"),
        source=row.text("source"),
    )
    if rule.valid_from and rule.valid_to and rule.valid_to < rule.valid_from:
        raise row.error("ends before it begins", "valid_to")
    if rule.enabled:
        _check_enabled(row, rule)
    return rule


def _check_enabled(row: _Row, rule: Rule) -> None:
    if rule.kind in LATER_KINDS:
        raise row.error(
            f"{rule.kind} cannot be detected yet: a later version will", "enabled", todo="Set it to no until then"
        )
    if not rule.camera_visible:
        raise row.error("a rule that no camera can see cannot be enabled", "enabled", todo="Set it to no")
    if rule.kind not in DETECTABLE_KINDS:
        raise row.error(
            f"{rule.kind!r} cannot be detected{_nearest(rule.kind, DETECTABLE_KINDS)}",
            "kind",
            todo=f"Set enabled to no, or use one of {', '.join(DETECTABLE_KINDS)}",
        )


def _overlap(one: Rule, other: Rule) -> bool:
    begins = max(one.valid_from or date.min, other.valid_from or date.min)
    ends = min(one.valid_to or date.max, other.valid_to or date.max)
    return begins <= ends


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word.lower(), [str(name) for name in known], n=1, cutoff=0.5)
    return f". Did you mean {near[0]!r}?" if near else ""
