"""Words, numbers and dates in Korean and English.

Texts live in `templates/translations/*.toml`; a text may hold `{name}` and two specs of its own:
- `{name:을/를}` writes the value and the Korean particle that its last letter asks for;
- `{n:case|cases}` writes a number and the English word in the form that it asks for.
"""

from __future__ import annotations

import datetime
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LANGUAGES = ("ko", "en")

_HANGUL_FIRST, _HANGUL_LAST, _FINALS = 0xAC00, 0xD7A3, 28
_FINAL_RIEUL = 8
_DIGITS_WITH_FINAL = frozenset("013678")  # 영 일 삼 육 칠 팔
_LETTERS_WITH_FINAL = frozenset("lmnr")  # 엘 엠 엔 알
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def with_particle(word: str, pair: str) -> str:
    """Return `word` with the particle of `pair` ("을/를", "으로/로") that its last sound asks for.

    A word that ends in neither Hangul, a digit nor a Latin letter takes the second particle.
    """
    closed, open_ = pair.split("/")
    last = next((letter for letter in reversed(word.lower()) if letter.isalnum()), "")
    if last and _HANGUL_FIRST <= ord(last) <= _HANGUL_LAST:
        final = (ord(last) - _HANGUL_FIRST) % _FINALS
    else:
        final = 1 if last in _DIGITS_WITH_FINAL or last in _LETTERS_WITH_FINAL else 0
        final = _FINAL_RIEUL if last in ("1", "7", "8", "l", "r") else final
    if closed == "으로" and final == _FINAL_RIEUL:
        return word + open_
    return word + (closed if final else open_)


def _shown(value: object, spec: str) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    if "|" in spec:
        one, many = spec.split("|")
        return f"{text} {one if value == 1 else many}"
    return with_particle(text, spec) if "/" in spec else text


Part = tuple[str, str, str]
"""A literal, then the name and spec of what follows it; an empty name ends the text."""


def _parts(text: str) -> tuple[Part, ...]:
    return tuple((literal, name or "", spec or "") for literal, name, spec, _ in string.Formatter().parse(text))


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language. Calling it gives a text, filled in; an unknown key is a `KeyError`."""

    language: str
    texts: Mapping[str, str]
    _parsed: dict[str, tuple[Part, ...]] = field(default_factory=dict, compare=False)  # parsing costs more than filling

    def __call__(self, key: str, /, **values: object) -> str:
        if not values:
            return self.texts[key]
        parts = self._parsed.get(key)
        if parts is None:
            parts = self._parsed[key] = _parts(self.texts[key])
        return "".join(literal + _shown(values[name], spec) if name else literal for literal, name, spec in parts)

    def __contains__(self, key: str) -> bool:
        return key in self.texts

    def or_else(self, key: str, otherwise: str) -> str:
        """Return the text of `key`, or `otherwise` where there is none: for kinds that a user added."""
        return self.texts.get(key, otherwise)

    @property
    def is_korean(self) -> bool:
        return self.language == "ko"

    def day(self, day: datetime.date, *, year: bool = True) -> str:
        """Return "2026년 4월 26일(일)" or "Sun 26 Apr 2026"."""
        weekday = self.weekday(day.weekday())
        if self.is_korean:
            return (f"{day.year}년 " if year else "") + f"{day.month}월 {day.day}일({weekday})"
        return f"{weekday} {day.day} {_MONTHS[day.month - 1]}" + (f" {day.year}" if year else "")

    def date(self, day: datetime.date) -> str:
        """Return a date without its weekday: "2026년 4월 26일" or "26 Apr 2026"."""
        if self.is_korean:
            return f"{day.year}년 {day.month}월 {day.day}일"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def short_day(self, day: datetime.date) -> str:
        """Return "4월 26일" or "26 Apr"."""
        return f"{day.month}월 {day.day}일" if self.is_korean else f"{day.day} {_MONTHS[day.month - 1]}"

    def month(self, month: str) -> str:
        """Return "2026년 4월" or "Apr 2026" for "2026-04"."""
        year, number = month.split("-")
        return f"{year}년 {int(number)}월" if self.is_korean else f"{_MONTHS[int(number) - 1]} {year}"

    def span(self, first: datetime.date, last: datetime.date) -> str:
        """Return two days as one short text, the year only where it is needed."""
        if first == last:
            return self.day(first)
        if first.year != last.year:
            return f"{self.day(first)} – {self.day(last)}"
        if self.is_korean:
            end = f"{last.day}일" if first.month == last.month else self.short_day(last)
            return f"{first.year}년 {self.short_day(first)}–{end}"
        start = str(first.day) if first.month == last.month else self.short_day(first)
        return f"{start}–{self.short_day(last)} {last.year}"

    def hour(self, hour: int) -> str:
        """Return an hour of the day as a span, never a moment: "18시대" or "18:00–19:00"."""
        return f"{hour}시대" if self.is_korean else f"{hour:02d}:00–{(hour + 1) % 24:02d}:00"

    def hours(self, first: int, last: int) -> str:
        """Return hours of the day, the last included, as one span: "18–20시대" or "18:00–21:00"."""
        if first == last:
            return self.hour(first)
        return f"{first}–{last}시대" if self.is_korean else f"{first:02d}:00–{(last + 1) % 24:02d}:00"

    def weekday(self, weekday: int) -> str:
        """Return the short name of a weekday, Monday being 0."""
        return self.texts["weekdays"].split()[weekday]

    def duration(self, seconds: float) -> str:
        """Return a length of footage in words, in hours from one hour on, else in minutes, else in seconds."""
        if seconds >= 36_000:
            return self("duration.hours", n=round(seconds / 3600))
        if seconds >= 3600:
            whole, minutes = divmod(round(seconds / 60), 60)
            if not minutes:
                return self("duration.hours", n=whole)
            return self("duration.hours_minutes", n=whole, minutes=minutes)
        if seconds >= 60:
            return self("duration.minutes", n=round(seconds / 60))
        return self("duration.seconds", n=round(seconds))


def load_words(folder: Path, language: str) -> Words:
    """Read `<folder>/<language>.toml`; nested tables become dotted keys."""
    with (folder / f"{language}.toml").open("rb") as file:
        return Words(language, dict(_flat(tomllib.load(file))))


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found.extend(_flat(value, f"{prefix}{key}."))
        else:
            found.append((prefix + key, str(value)))
    return found
