"""How often each violation's page was seen: a file made from access logs. Without it nothing is said of popularity."""

from __future__ import annotations

import json
from pathlib import Path

from quitboard.errors import SettingsError

VIEWS_NAME = "views.json"
"""Beside the pictures in the media folder: {"<id of a violation>": <times seen>, ...}."""


def read_views(path: Path) -> tuple[tuple[str, int], ...]:
    """Return (id, times seen) by id; nothing where there is no such file.

    Raises:
        SettingsError: it is not a JSON object of counts.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not all(type(seen) is int and seen >= 0 for seen in found.values()):
        raise SettingsError(
            'not view counts of the form {"<id>": <times seen>}', where=path.name, todo="Make it again, or delete it"
        )
    return tuple(sorted(found.items()))
