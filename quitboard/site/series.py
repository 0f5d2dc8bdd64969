"""What charts are made of: rates over time, and when what watches changed. No words and no drawing. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from quitboard.site.data import WEEK_DAYS, Facts, SiteData
from quitboard.site.figures import Share, differ, share, standing_out

_MOST_DAYS = 92
"""A longer period is summed by weeks."""

_POOLED_WEEKS = 4
_SILENT_DAYS = 7
"""A camera that was not watched for so long at the end of the period has stopped; less may only be on its way."""


class What(StrEnum):
    """What may change in how a street is watched."""

    MODEL = "model"
    BEGINS = "begins"
    STOPS = "stops"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Change:
    """A day from which cameras watch otherwise than before: rates on its two sides are not the same measurement."""

    day: date
    what: What
    cameras: tuple[str, ...]
    model_sha256: str = ""  # the new one, where that is what changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One day or one week."""

    start: date
    share: Share
    pooled: Share  # with the days or weeks before it, `Timeline.over` of them together
    watched_hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A share over time. All timelines of a board have the same buckets, so that they can be laid side by side."""

    kind: str
    camera_id: str | None  # None: all places
    weekly: bool
    over: int  # buckets pooled in `Bucket.pooled`
    buckets: tuple[Bucket, ...]
    whole: Share
    watched_hours: float

    @property
    def judged(self) -> tuple[int, int]:
        """The first and the last bucket in which anything was judged: a camera may begin late or stop."""
        numbers = [number for number, bucket in enumerate(self.buckets) if bucket.share.base]
        return numbers[0], numbers[-1]

    @property
    def is_long_enough(self) -> bool:
        """Whether its first and its last stretch are two, so that one may be held against the other."""
        first, last = self.judged
        return last - first + 1 >= 2 * self.over and self.first.known and self.last.known

    @property
    def first(self) -> Share:
        return self.buckets[min(self.judged[0] + self.over, len(self.buckets)) - 1].pooled

    @property
    def last(self) -> Share:
        return self.buckets[self.judged[1]].pooled

    def has_changed(self, *, comparisons: int = 1) -> bool:
        """Say whether the last stretch differs from the first beyond chance."""
        return self.is_long_enough and differ(self.first, self.last, comparisons=comparisons)


def timeline(facts: Facts, kind: str, camera_id: str | None = None) -> Timeline | None:
    """Return a kind's share over the days on which anything was watched, at one place or at all; None without any."""
    grid = facts.days_of_rates
    if grid is None:
        return None
    weekly = grid.days > _MOST_DAYS
    size, over = (WEEK_DAYS, _POOLED_WEEKS) if weekly else (1, WEEK_DAYS)
    first = week_of(grid.first) if weekly else grid.first
    counts = [[0, 0] for _ in range((grid.last - first).days // size + 1)]
    hours = [0.0] * len(counts)
    for row in facts.rates_of(kind, camera_id):
        if row.day is not None:
            place = (row.day - first).days // size
            counts[place][0] += row.violations
            counts[place][1] += row.judged
            hours[place] += row.watched_hours
    if not any(base for _, base in counts):
        return None
    return Timeline(
        kind=kind,
        camera_id=camera_id,
        weekly=weekly,
        over=over,
        buckets=tuple(
            Bucket(
                start=first + timedelta(days=size * number),
                share=share(*counts[number]),
                pooled=_sum(counts[max(0, number - over + 1) : number + 1]),
                watched_hours=hours[number],
            )
            for number in range(len(counts))
        ),
        whole=_sum(counts),
        watched_hours=sum(hours),
    )


def _sum(counts: Iterable[Sequence[int]]) -> Share:
    several = list(counts)
    return share(sum(count for count, _ in several), sum(base for _, base in several))


def week_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def changes(data: SiteData) -> tuple[Change, ...]:
    """Return when cameras began or stopped and when another model took over, in order of time.

    A model counts from the first day of a camera that does not rest on the models of the camera's day before.
    """
    found: dict[tuple[date, What, str], set[str]] = defaultdict(set)
    models: dict[str, dict[date, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in data.model_days:
        models[row.camera_id][row.day].add(row.model_sha256)
    for camera, days in models.items():
        before: set[str] = set()
        for day, used in sorted(days.items()):
            for model in used - before if before else ():
                found[day, What.MODEL, model].add(camera)
            before = used
    watched: dict[str, list[date]] = defaultdict(list)
    for seen in data.watched_by_day:
        if seen.camera_id is not None and seen.day is not None and seen.watched_hours > 0:
            watched[seen.camera_id].append(seen.day)
    if watched:
        first, last = min(map(min, watched.values())), max(map(max, watched.values()))
        for camera, of_camera in watched.items():
            if min(of_camera) > first:
                found[min(of_camera), What.BEGINS, ""].add(camera)
            if (last - max(of_camera)).days >= _SILENT_DAYS:
                found[max(of_camera) + timedelta(days=1), What.STOPS, ""].add(camera)
    return tuple(
        Change(day=day, what=what, cameras=tuple(sorted(cameras)), model_sha256=model)
        for (day, what, model), cameras in sorted(found.items())
    )


def of_line(several: Iterable[Change], line: Timeline) -> list[Change]:
    """Return the changes that lie in a timeline's days, at its place where it has one."""
    return [
        change
        for change in several
        if line.buckets[0].start < change.day and (line.camera_id is None or line.camera_id in change.cameras)
    ]


def confounding(several: Iterable[Change], line: Timeline) -> list[Change]:
    """Return the changes that may be why a timeline's last stretch differs from its first.

    Of all places together that is any change, for places differ; of one place only that of its model.
    """
    start = line.buckets[line.judged[0]].start
    return [
        change
        for change in of_line(several, line)
        if change.day > start and (line.camera_id is None or change.what is What.MODEL)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class HourSpan:
    """Neighbouring hours of the day whose shares are each above the rest of the day beyond chance."""

    first: int
    last: int  # included
    share: Share
    rest: Share  # all other hours


def standing_hours(facts: Facts, kind: str, camera_id: str | None = None) -> HourSpan | None:
    """Return the hours of the day at which a kind stood out over all days: the surest and those next to it, or None."""
    rows = [row for row in facts.data.by_hour if camera_id is None or row.camera_id == camera_id]
    by_hour = facts.shares(kind, lambda row: row.hour or 0, rows)
    above = standing_out(by_hour, _sum((item.count, item.base) for item in by_hour.values()))
    if not above:
        return None
    first = last = above[0]
    while first - 1 in above:
        first -= 1
    while last + 1 in above:
        last += 1
    inside = [(item.count, item.base) for hour, item in by_hour.items() if first <= hour <= last]
    outside = [(item.count, item.base) for hour, item in by_hour.items() if not first <= hour <= last]
    return HourSpan(first=first, last=last, share=_sum(inside), rest=_sum(outside))
