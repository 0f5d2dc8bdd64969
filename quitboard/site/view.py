"""One language's view of the board: names, figures and cards as pages write them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from quitboard.database.rows import ModelRow, Place, ViolationRow
from quitboard.records import Rule
from quitboard.settings import Settings
from quitboard.site.addresses import site_address
from quitboard.site.data import Facts, is_of_vehicles
from quitboard.site.facets import Selection
from quitboard.site.figures import FEWEST, Share
from quitboard.site.i18n import Words
from quitboard.site.media import Media

_SURE, _RATHER_SURE = 0.95, 0.88
SURENESS = ("sure", "rather", "partly", "unknown")
"""A confidence in words, the surest first."""
_RARE = 0.005
"""Shares whose whole interval is below this are written with two decimals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A suspected violation as lists show it."""

    id: str
    kind: str
    kind_name: str
    place: str
    area: str
    day: date
    when: str
    sureness: str
    still: Any  # Still | None
    has_clip: bool


@dataclass(eq=False)
class View:
    """Everything a page needs to know to speak of the board in one language."""

    facts: Facts
    settings: Settings
    media: Media
    words: Words
    base_url: str = field(init=False)
    _measured: dict[tuple[str, str, str], list[tuple[str, str]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.base_url = site_address(self.settings.site.base_url)

    # --- names -----------------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        board = self.settings.board
        return board.title_ko if self.words.is_korean else board.title_en

    @property
    def as_of(self) -> date | None:
        return self.facts.period.last if self.facts.period else None

    @cached_property
    def _rules(self) -> dict[str, Rule]:
        return {rule.kind: rule for rule in reversed(self.facts.data.rules)}

    @cached_property
    def places(self) -> dict[str, Place]:
        return {place.id: place for place in self.facts.data.places}

    @cached_property
    def models(self) -> dict[str, ModelRow]:
        return {model.sha256: model for model in self.facts.data.models}

    def kind_name(self, kind: str) -> str:
        rule = self._rules.get(kind)
        return kind if rule is None else self.rule_name(rule)

    def rule_name(self, rule: Rule) -> str:
        return (rule.name_ko if self.words.is_korean else rule.name_en) or rule.kind

    def place_name(self, camera_id: str) -> str:
        place = self.places.get(camera_id)
        return (place.name if place else "") or camera_id

    def area_name(self, camera_id: str) -> str:
        place = self.places.get(camera_id)
        return place.area if place else ""

    def place_with_area(self, camera_id: str) -> str:
        area = self.area_name(camera_id)
        return f"{self.place_name(camera_id)} · {area}" if area else self.place_name(camera_id)

    def facet_name(self, facet: str, value: str) -> str:
        """Return the title of a facet's value: a kind, a place, an hour, a month or a day."""
        if facet == "kind":
            return self.kind_name(value)
        if facet == "place":
            return self.place_name(value)
        if facet == "hour":
            return self.words.hour(int(value))
        if facet == "month":
            return self.words.month(value)
        return self.words.day(date.fromisoformat(value))

    def selection_name(self, selection: Selection) -> str:
        """Return the title of a list: its values, the kind first."""
        names = [self.facet_name(facet, value) for facet, value in selection.chosen]
        return " · ".join(names) or self.words("list.all")

    # --- figures ----------------------------------------------------------------------------------------------------

    def percent(self, found: Share) -> str:
        """Return a share as a percentage, or that it is too few to say."""
        if not found.known:
            return self.words("figure.too_few")
        if found.value >= 0.995 and found.count < found.base:
            return "99.5%"
        return f"{found.value * 100:.{_decimals(found)}f}%"

    def interval(self, found: Share) -> str:
        """Return the 95 % interval of a share: "28.0–34.6%"; empty where there is none."""
        digits = _decimals(found)
        return f"{found.low * 100:.{digits}f}–{found.high * 100:.{digits}f}%" if found.known else ""

    def figure(self, found: Share) -> str:
        return f"{self.percent(found)} ({self.interval(found)})" if found.known else self.percent(found)

    def of_base(self, kind: str, found: Share) -> str:
        """Return the denominator in words: "판단한 412명 중 128명"."""
        if found.base < FEWEST:
            return self.words("figure.few_base", most=FEWEST - 1)
        unit = "vehicles" if is_of_vehicles(kind) else "riders"
        return self.words(f"figure.of_{unit}", count=found.count, base=found.base)

    def hours(self, watched_hours: float) -> str:
        """Return hours watched in short: "412시간", "412 h"; below ten with one decimal, below one in minutes."""
        if 0 < watched_hours < 1:
            return self.words("figure.minutes", n=max(1, round(watched_hours * 60)))
        written = f"{watched_hours:,.0f}" if watched_hours >= 10 else f"{watched_hours:.1f}"
        return self.words("figure.hours", n=written)

    def watched_axis(self, watched_hours: Sequence[float]) -> tuple[str, list[float]]:
        """Return what an axis of hours watched is called and its values: in minutes where none reaches an hour."""
        if max(watched_hours, default=0.0) >= 1:
            return self.words("chart.hours_axis"), list(watched_hours)
        return self.words("chart.minutes_axis"), [hours * 60 for hours in watched_hours]

    def n(self, found: Share) -> str:
        return f"n = {found.base:,}" if found.base >= FEWEST else f"n < {FEWEST}"

    def per_hundred(self, kind: str, found: Share) -> str:
        """Return the sentence "of every 100 …" for a kind; `**` marks what stands out."""
        n = max(1, round(found.value * 100)) if found.count else 0
        key = f"rate.{kind}"
        if key in self.words:
            return self.words(key, n=n)
        return self.words("rate.other", n=n, kind=self.kind_name(kind).replace("*", "＊"))

    def sureness(self, confidence: float | None) -> str:
        """Return a confidence in words: "뚜렷함"."""
        return self.words(f"sureness.{sureness_step(confidence)}")

    # --- cards and lists ---------------------------------------------------------------------------------------------

    @property
    def lists(self) -> Mapping[Selection, list[int]]:
        """Positions of published violations, newest first, for each selection that holds any."""
        return self.facts.lists

    def card(self, number: int) -> Card:
        row = self.facts.data.violations[number]
        return Card(
            id=row.id,
            kind=row.kind,
            kind_name=self.kind_name(row.kind),
            place=self.place_name(row.camera_id),
            area=self.area_name(row.camera_id),
            day=row.day,
            when=f"{self.words.short_day(row.day)} {self.words.hour(row.hour)}",
            sureness=self.sureness(row.confidence),
            still=self.media.stills.get(row.still_sha256),
            has_clip=row.clip_sha256 in self.media.clips,
        )

    def measured(self, row: ViolationRow) -> list[tuple[str, str]]:
        """Return what was measured of the model for the classes that a kind rests on: (name, figures)."""
        key = (row.model_sha256, row.kind, row.vehicle)
        if key not in self._measured:
            model = self.models.get(row.model_sha256)
            by_class = class_figures(model.figures) if model else {}
            names = ["helmet", "head"] if "helmet" in row.kind else ["person", row.vehicle]
            self._measured[key] = [
                (self.words.or_else(f"class.{name}", name), fraction(by_class[name]["precision"]))
                for name in names
                if "precision" in by_class.get(name, {})
            ]
        return self._measured[key]


def sureness_step(confidence: float | None) -> str:
    """Return which of `SURENESS` a confidence is."""
    if confidence is None:
        return "unknown"
    return "sure" if confidence >= _SURE else "rather" if confidence >= _RATHER_SURE else "partly"


def _decimals(found: Share) -> int:
    """Return how many decimals a percentage has: a rare thing's interval would else be "0.0–0.1%"."""
    return 2 if found.high < _RARE else 1


def class_figures(figures: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return a card's flat figures ("helmet.ap50") by class and measure."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for key, value in sorted(figures.items()):
        name, _, measure = key.rpartition(".")
        if name and isinstance(value, int | float) and not isinstance(value, bool):
            found[name][measure.lower()] = float(value)
    return dict(found)


def fraction(value: float) -> str:
    """Return a fraction 0-1 with three places."""
    return f"{value:.3f}"
