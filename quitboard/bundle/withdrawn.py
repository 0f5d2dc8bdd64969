"""`withdrawn.json`: what a struck bundle says of the pictures that were taken out of it.

The manifest stays as it was, byte for byte, and with it the bundle's id and the sums of what is gone: a struck bundle
is the same content, and says what it lacks. Who asked, and why, stands nowhere in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from quitboard.bundle import form
from quitboard.errors import BundleError
from quitboard.records import Withdrawal

NOTE = "withdrawn"
"""What a violation's `evidence_note` says where its picture was taken out."""
_FORMAT = "quitboard-withdrawn"
_VERSION = 1
_MOST = 1 << 16
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What was taken out of a zip: the SHA-256 of members by name, and the withdrawals that it was for."""

    members: Mapping[str, str] = field(default_factory=dict)
    withdrawals: tuple[Withdrawal, ...] = ()

    def with_more(self, members: Mapping[str, str], withdrawals: Sequence[Withdrawal]) -> Withdrawn:
        """Return what is withdrawn after some more was."""
        by_id = {one.id: one for one in (*self.withdrawals, *withdrawals)}
        return Withdrawn(members={**self.members, **members}, withdrawals=tuple(by_id[key] for key in sorted(by_id)))


def to_bytes(withdrawn: Withdrawn) -> bytes:
    """Return it as JSON, in the one way that is read back."""
    plain = {
        "format": _FORMAT,
        "version": _VERSION,
        "members": dict(withdrawn.members),
        "withdrawals": [
            {
                "id": one.id,
                "camera_id": one.camera_id,
                "started_at": _text(one.started_at),
                "ended_at": _text(one.ended_at),
                "withdrawn_at": _text(one.withdrawn_at),
            }
            for one in withdrawn.withdrawals
        ],
    }
    return (json.dumps(plain, ensure_ascii=False, sort_keys=True) + "\n").encode()


def from_bytes(content: bytes) -> Withdrawn:
    """Decode it.

    Raises:
        BundleError: not written as QuitBoard writes it.
    """
    try:
        plain = json.loads(content.decode())
        if (plain["format"], plain["version"]) != (_FORMAT, _VERSION):
            raise ValueError("of another format or version")
        if not plain["members"] or max(len(plain["members"]), len(plain["withdrawals"])) > _MOST:
            raise ValueError("nothing is withdrawn, or more than a bundle holds")
        if not all(re.fullmatch(form.SHA256, sha256) for sha256 in plain["members"].values()):
            raise ValueError("not a sum")
        found = Withdrawn(members=plain["members"], withdrawals=tuple(_withdrawal(one) for one in plain["withdrawals"]))
        written_so = to_bytes(found.with_more({}, ())) == content
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(f"it cannot be understood ({str(error)[:100]})", where=form.WITHDRAWN) from None
    if not written_so:
        raise BundleError("it is not written as QuitBoard writes it", where=form.WITHDRAWN)
    return found


def _withdrawal(plain: Any) -> Withdrawal:
    instants = {name: _instant(plain[name]) for name in ("started_at", "ended_at", "withdrawn_at")}
    if instants["ended_at"] < instants["started_at"]:
        raise ValueError("a withdrawal ends before it starts")
    if not _ID.fullmatch(plain["id"]) or not isinstance(plain["camera_id"], str):
        raise ValueError("no id of a violation")
    return Withdrawal(id=plain["id"], camera_id=plain["camera_id"], **instants)


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None or not 1970 <= found.year < 2200:
        raise ValueError("no such instant")
    return found
