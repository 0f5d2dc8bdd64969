"""Words, numbers and dates of the page."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitboard.files import resource
from quitboard.site.i18n import LANGUAGES, Words, load_words, with_particle

KO, EN = (load_words(resource("templates") / "translations", language) for language in LANGUAGES)
BY_DATA = ("exceptions.", "penalty.")  # translations of what the catalogue says, in the language it does not say it in


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same_things() -> None:
    korean = {key for key in KO.texts if not key.startswith(BY_DATA)}
    english = {key for key in EN.texts if not key.startswith(BY_DATA)}
    assert korean == english


@pytest.mark.parametrize("key", sorted(key for key in KO.texts if not key.startswith(BY_DATA)))
def test_a_text_fills_in_the_same_values_in_both_languages(key: str) -> None:
    assert placeholders(KO.texts[key]) == placeholders(EN.texts[key])
    assert KO.texts[key].count("**") == EN.texts[key].count("**")


def test_no_text_accuses() -> None:
    accusing = ("offender", "violator", "criminal", "caught", "guilty", "위반자", "범법", "적발", "범인", "처벌 대상")
    for words in (KO, EN):
        assert not [text for text in words.texts.values() if any(word in text.lower() for word in accusing)]


@pytest.mark.parametrize(
    ("word", "pair", "expected"),
    [
        ("헬멧 미착용", "을/를", "헬멧 미착용을"),
        ("보도", "을/를", "보도를"),
        ("서울", "으로/로", "서울로"),
        ("부산", "으로/로", "부산으로"),
        ("카메라 3", "이/가", "카메라 3이"),
        ("카메라 2", "이/가", "카메라 2가"),
        ("gate", "을/를", "gate를"),
        ("", "을/를", "를"),
        ("시장(앞)", "은/는", "시장(앞)은"),
    ],
)
def test_a_particle_follows_the_last_sound(word: str, pair: str, expected: str) -> None:
    assert with_particle(word, pair) == expected


def test_an_english_number_takes_the_form_it_asks_for() -> None:
    assert EN("figure.cases", n=1) == "1 case"
    assert EN("figure.cases", n=1204) == "1,204 cases"


@given(st.text())
def test_a_value_is_never_read_as_a_text_to_fill_in(value: str) -> None:
    assert Words("en", {"x": "[{a}]"})("x", a=value) == f"[{value}]"


def test_an_hour_is_a_span_and_never_a_moment() -> None:
    assert KO.hour(18) == "18시대"
    assert EN.hour(23) == "23:00–00:00"


@pytest.mark.parametrize(
    ("first", "last", "korean", "english"),
    [
        (date(2026, 4, 20), date(2026, 4, 26), "2026년 4월 20일–26일", "20–26 Apr 2026"),
        (date(2026, 3, 30), date(2026, 4, 26), "2026년 3월 30일–4월 26일", "30 Mar–26 Apr 2026"),
        (date(2026, 4, 20), date(2026, 4, 20), "2026년 4월 20일(월)", "Mon 20 Apr 2026"),
        (
            date(2025, 12, 31),
            date(2026, 1, 1),
            "2025년 12월 31일(수) – 2026년 1월 1일(목)",
            "Wed 31 Dec 2025 – Thu 1 Jan 2026",
        ),
    ],
)
def test_two_days_are_one_short_span(first: date, last: date, korean: str, english: str) -> None:
    assert KO.span(first, last) == korean
    assert EN.span(first, last) == english


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0초"),
        (42, "42초"),
        (60, "1분"),
        (3599, "60분"),
        (3600, "1시간"),
        (5400, "1시간 30분"),
        (360_000, "100시간"),
    ],
)
def test_a_length_of_footage_is_said_in_fitting_units(seconds: float, expected: str) -> None:
    assert KO.duration(seconds) == expected
