"""The catalogue as a page: what is in force on a day, and when that changed. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from quitboard.records import Rule
from quitboard.site.facets import Selection
from quitboard.site.view import View


def law_path(view: View, day: date) -> str:
    """Return the page of the rules that were in force on a day."""
    since = [change for change in view.facts.law_days if change <= day]
    return f"law/{since[-1].isoformat()}/" if since else "law/"


def law(view: View, since: date | None = None) -> dict[str, Any]:
    """Return the rules in force on the newest day of the data, or those from the day `since` on.

    The present page also lists what is not in force now, and what changed when.
    """
    rules = view.facts.data.rules
    day = since or view.as_of or date.max
    in_force = [rule for rule in rules if _in_force(rule, day)]
    groups = [
        ("watched", [rule for rule in in_force if rule.enabled and rule.camera_visible]),
        ("visible", [rule for rule in in_force if not rule.enabled and rule.camera_visible]),
        ("unseen", [rule for rule in in_force if not rule.camera_visible]),
    ]
    if since is None:
        groups.append(("other", [rule for rule in rules if not _in_force(rule, day)]))
    listed = {rule.kind for rule in rules if Selection(kind=rule.kind) in view.lists}
    days = view.facts.law_days
    until = next((change - timedelta(days=1) for change in days if since and change > since), None)
    return {
        "groups": [(name, rows) for name, rows in groups if rows],
        "linked": {kind: Selection(kind=kind).path() for kind in listed},
        "since": since,
        "until": until,
        "history": [_change(view, change) for change in reversed(days)],
    }


def _change(view: View, day: date) -> dict[str, Any]:
    """Return what began and what ended with a day; the same kind in both is a rule that was changed."""
    rules = view.facts.data.rules
    began = [rule for rule in rules if rule.valid_from == day]
    ended = [rule for rule in rules if rule.valid_to == day - timedelta(days=1)]
    kinds = {rule.kind for rule in began} & {rule.kind for rule in ended}
    return {
        "day": day,
        "path": f"law/{day.isoformat()}/",
        "began": [view.rule_name(rule) for rule in began if rule.kind not in kinds],
        "changed": [view.rule_name(rule) for rule in began if rule.kind in kinds],
        "ended": [view.rule_name(rule) for rule in ended if rule.kind not in kinds],
    }


def _in_force(rule: Rule, day: date) -> bool:
    return (rule.valid_from or date.min) <= day <= (rule.valid_to or date.max)
