"""What a build reads from the database, in one go, and the sums that pages are made of. Pure after `read`."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from quitboard.database.board import Board, Publishing
from quitboard.database.rows import Coverage, ModelDay, ModelRow, Place, Rate, Tombstone, ViolationRow, Watched
from quitboard.records import Role, Rule
from quitboard.settings import SiteSettings
from quitboard.site.facets import Option, Selection, choices_by_facet, lists
from quitboard.site.figures import Share, share
from quitboard.site.related import Related

Key = TypeVar("Key", bound=Hashable)

WEEK_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteData:
    """Everything that pages rest on, pictures and settings aside."""

    violations: tuple[ViolationRow, ...]  # newest first
    by_day: tuple[Rate, ...]  # camera, day, kind
    by_hour: tuple[Rate, ...]  # camera, weekday (1 = Monday), hour, kind
    watched_by_day: tuple[Watched, ...]  # camera, day
    watched_by_hour: tuple[Watched, ...]  # camera, hour of the day
    places: tuple[Place, ...]
    rules: tuple[Rule, ...]
    models: tuple[ModelRow, ...]
    model_days: tuple[ModelDay, ...]
    tombstones: tuple[Tombstone, ...]
    recordings: tuple[Coverage, ...]
    views: tuple[tuple[str, int], ...] = ()  # how often a violation's page was seen, by id; empty where nobody counted


def publishing(site: SiteSettings, as_of: datetime) -> Publishing:
    """Return what may be shown at an instant: the one answer for the page, `stats` and `export`."""
    return Publishing(
        as_of=as_of,
        embargo=timedelta(hours=site.embargo_hours),
        evidence_for=timedelta(days=site.evidence_days),
        only_confirmed=site.only_confirmed,
    )


def read(board: Board) -> SiteData:
    """Ask the database all that the page needs."""
    return SiteData(
        violations=tuple(_sharing(board.violations())),
        by_day=tuple(board.rates(("camera_id", "day"))),
        by_hour=tuple(board.rates(("camera_id", "weekday", "hour"))),
        watched_by_day=tuple(board.watched(("camera_id", "day"))),
        watched_by_hour=tuple(board.watched(("camera_id", "hour"))),
        places=tuple(board.places()),
        rules=tuple(board.catalogue()),
        models=tuple(board.models()),
        model_days=tuple(board.model_days()),
        tombstones=tuple(board.tombstones()),
        recordings=tuple(board.coverage()),
    )


def _sharing(rows: Iterable[ViolationRow]) -> Iterator[ViolationRow]:
    """Yield the rows with equal texts being one object: names and hashes repeat, and there may be 100,000 rows."""
    texts: dict[str, str] = {}
    for row in rows:
        values = {name: getattr(row, name) for name in ViolationRow.__slots__}
        shared: dict[str, Any] = {
            name: texts.setdefault(value, value) for name, value in values.items() if isinstance(value, str)
        }
        yield dataclasses.replace(row, **shared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Local days, both included."""

    first: date
    last: date

    def __contains__(self, day: date | None) -> bool:
        return day is not None and self.first <= day <= self.last

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> Window:
        """Return the window of the same length that ends where this begins."""
        return Window(first=self.first - timedelta(days=self.days), last=self.first - timedelta(days=1))


@dataclass(eq=False)
class Facts:
    """The sums over `SiteData` that several pages share, each made once."""

    data: SiteData
    period: Window | None = field(init=False)
    kinds: tuple[str, ...] = field(init=False)
    headline: str | None = field(init=False)

    def __post_init__(self) -> None:
        days = [row.day for row in self.data.watched_by_day if row.day]
        days += [row.day for row in self.data.violations]
        days += [row.day for row in self.data.recordings]
        self.period = Window(first=min(days), last=max(days)) if days else None
        order = {rule.kind: number for number, rule in reversed(list(enumerate(self.data.rules)))}
        seen = {row.kind for row in self.data.by_day} | {row.kind for row in self.data.violations}
        self.kinds = tuple(sorted(seen, key=lambda kind: (order.get(kind, len(order)), kind)))
        self.headline = self._headline()

    def _headline(self) -> str | None:
        """Return the kind that the home page speaks of: one with a denominator, a helmet rule before others."""

        def rank(kind: str) -> tuple[bool, bool, int]:
            found = self.share_of(kind)
            return (found.count > 0, "no_helmet" in kind and not kind.startswith("passenger"), found.base)

        able = [kind for kind in self.kinds if self.share_of(kind).known and kind != "parking"]
        return max(able, key=rank, default=None)

    # --- shares --------------------------------------------------------------------------------------------------

    def share_of(self, kind: str, *, window: Window | None = None, camera_id: str | None = None) -> Share:
        """Return suspected violations of riders judged, over all days or a window, everywhere or at one place."""
        return pooled(
            row
            for row in self.data.by_day
            if row.kind == kind
            and (camera_id is None or row.camera_id == camera_id)
            and (window is None or row.day in window)
        )

    @cached_property
    def share_at(self) -> dict[tuple[str, str | None], Share]:
        """Shares over all days by (kind, camera)."""
        groups: dict[tuple[str, str | None], list[Rate]] = defaultdict(list)
        for row in self.data.by_day:
            groups[row.kind, row.camera_id].append(row)
        return {key: pooled(rows) for key, rows in groups.items()}

    def shares(self, kind: str, by: Callable[[Rate], Key], rows: Iterable[Rate] | None = None) -> dict[Key, Share]:
        """Return shares of one kind by what `by` takes from a row."""
        groups: dict[Key, list[Rate]] = defaultdict(list)
        for row in self.data.by_day if rows is None else rows:
            if row.kind == kind:
                groups[by(row)].append(row)
        return {key: pooled(group) for key, group in groups.items()}

    @cached_property
    def _rates(self) -> dict[tuple[str, str | None], list[Rate]]:
        groups: dict[tuple[str, str | None], list[Rate]] = defaultdict(list)
        for row in self.data.by_day:
            groups[row.kind, row.camera_id].append(row)
            groups[row.kind, None].append(row)
        return groups

    def rates_of(self, kind: str, camera_id: str | None = None) -> list[Rate]:
        """Return the rows of one kind by day, of one place or of all."""
        return self._rates.get((kind, camera_id), [])

    def watched_hours_of(self, kind: str, camera_id: str | None = None) -> float:
        """Return the hours of footage in which a kind was looked for, at one place or at all."""
        return sum(row.watched_hours for row in self.rates_of(kind, camera_id))

    @cached_property
    def days_of_rates(self) -> Window | None:
        """The days from the first to the last on which anything was judged or counted."""
        days = [row.day for row in self.data.by_day if row.day]
        return Window(first=min(days), last=max(days)) if days else None

    # --- what may be chosen ----------------------------------------------------------------------------------------

    @cached_property
    def lists(self) -> Mapping[Selection, list[int]]:
        """Positions of published violations, newest first, for each selection that holds any."""
        return lists(self.data.violations)

    @cached_property
    def options(self) -> Mapping[tuple[Selection, str], list[Option]]:
        return choices_by_facet(self.lists)

    @cached_property
    def _selected(self) -> dict[tuple[str, Selection], Share]:
        groups: dict[tuple[str, Selection], list[Rate]] = defaultdict(list)
        for row in self.data.by_day:
            place, month = row.camera_id or "", str(row.day)[:7]
            whole = Selection(place=place, month=month)
            for part in (whole, Selection(place=place), Selection(month=month), Selection(day=str(row.day))):
                groups[row.kind, part].append(row)
        for row in self.data.by_hour:
            groups[row.kind, Selection(hour=f"{row.hour:02d}")].append(row)
        return {key: pooled(rows) for key, rows in groups.items()}

    def share_in(self, kind: str, selection: Selection) -> Share | None:
        """Return the share of a kind at a selection's place and in its time; the selection's own kind is not asked."""
        if not selection.with_("kind", "").chosen:
            return self.share_of(kind)
        return self._selected.get((kind, selection.with_("kind", "")))

    @cached_property
    def _watched_in(self) -> dict[tuple[str, str], float]:
        hours: dict[tuple[str, str], float] = defaultdict(float)
        for row in self.data.watched_by_day:
            place, month = row.camera_id or "", str(row.day)[:7]
            for key in {(a, b) for a in ("", place) for b in ("", month)}:
                hours[key] += row.watched_hours
        return dict(hours)

    def hours_in(self, selection: Selection) -> float:
        """Return the hours of footage watched at a selection's place and in its month."""
        return self._watched_in.get((selection.place, selection.month), 0.0)

    def hours_by(self, kind: str, by: Callable[[Rate], Key], rows: Iterable[Rate] | None = None) -> dict[Key, float]:
        """Return the hours of footage in which a kind was looked for, by what `by` takes from a row."""
        found: dict[Key, float] = defaultdict(float)
        for row in self.data.by_day if rows is None else rows:
            if row.kind == kind:
                found[by(row)] += row.watched_hours
        return dict(found)

    # --- related -------------------------------------------------------------------------------------------------

    @cached_property
    def _related(self) -> Related:
        return Related(self.data.violations)

    def related(self, number: int) -> list[int]:
        """Return those at the same place, of the same hour and kind, never by the look of a person."""
        return self._related.to(number)

    # --- what was watched ------------------------------------------------------------------------------------------

    def watched(self, *, window: Window | None = None, camera_id: str | None = None) -> Watched:
        """Return what was watched, over all days or a window, everywhere or at one place."""
        rows = [
            row
            for row in self.data.watched_by_day
            if (camera_id is None or row.camera_id == camera_id) and (window is None or row.day in window)
        ]
        return Watched(
            watched_hours=sum(row.watched_hours for row in rows),
            looked_hours=sum(row.looked_hours for row in rows),
            persons=sum(row.persons for row in rows),
            vehicles=sum(row.vehicles for row in rows),
            riders=sum(row.riders for row in rows),
        )

    @cached_property
    def watched_days(self) -> dict[str, int]:
        """How many days each camera has footage of."""
        days: dict[str, set[date]] = defaultdict(set)
        for row in self.data.watched_by_day:
            if row.camera_id is not None and row.day is not None and row.watched_hours > 0:
                days[row.camera_id].add(row.day)
        return defaultdict(int, {camera: len(found) for camera, found in days.items()})

    def coverage_by_hour(self) -> dict[str, dict[int, float]]:
        """Return, by camera, the share (0-1) of each hour of the day that was watched on the days of that camera."""
        days = self.watched_days
        found: dict[str, dict[int, float]] = defaultdict(dict)
        for row in self.data.watched_by_hour:
            if row.camera_id is not None and row.hour is not None and days[row.camera_id]:
                found[row.camera_id][row.hour] = row.watched_hours / days[row.camera_id]
        return found

    def latest_week(self) -> Window | None:
        """Return the last seven days of the period, or the whole period where it is shorter."""
        if self.period is None:
            return None
        return Window(
            first=max(self.period.first, self.period.last - timedelta(days=WEEK_DAYS - 1)), last=self.period.last
        )

    def rule_on(self, kind: str, day: date) -> Rule | None:
        """Return the catalogue's row in force on a day."""
        for rule in self.data.rules:
            if rule.kind == kind and (rule.valid_from or day) <= day <= (rule.valid_to or day):
                return rule
        return None

    @cached_property
    def law_days(self) -> list[date]:
        """The days from which other rules were in force than on the day before, in order."""
        found = {rule.valid_from for rule in self.data.rules if rule.valid_from}
        found |= {rule.valid_to + timedelta(days=1) for rule in self.data.rules if rule.valid_to}
        return sorted(found)

    def vehicle_of(self, kind: str) -> str:
        """Return the vehicle that a kind is about first, for its figure and its words."""
        for rule in self.data.rules:
            if rule.kind == kind:
                return rule.vehicles[0].value
        return Role.SCOOTER.value


def pooled(rows: Iterable[Rate]) -> Share:
    """Return the share over several rows: counts add up, intervals are made anew."""
    count = base = 0
    for row in rows:
        count += row.violations
        base += row.judged
    return share(count, base)


def is_of_vehicles(kind: str) -> bool:
    """Say whether a kind's denominator is vehicles, not riders."""
    return kind in ("parking", "two_up")
