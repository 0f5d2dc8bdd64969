"""What a rule says about one ride or parked vehicle, and how the evidence of single frames adds up to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from quitboard.records import Track
from quitboard.settings import RuleSettings

_STRONGEST = 3.0
_LOOKS_GROWTH = 0.25
_SURE = 40.0


class Outcome(StrEnum):
    BREACH = "breach"
    NONE = "none"
    UNCLEAR = "unclear"  # an answer: the rider is counted, but not judged


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Finding:
    """One rule's answer on one ride, or on one parked vehicle."""

    kind: str
    outcome: Outcome
    vehicle: Track
    riders: tuple[Track, ...]  # driver first; empty for a parked vehicle
    from_us: int
    to_us: int
    best_us: int  # the instant at which the breach is seen best
    confidence: float  # 0-1 that it is a breach
    votes_for: int
    votes_against: int
    zone: str = ""

    @property
    def is_breach(self) -> bool:
        return self.outcome is Outcome.BREACH


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One frame's evidence: `log_odds` above 0 speaks for a breach. `clarity` orders frames for the picture."""

    at_us: int
    log_odds: float
    clarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What votes come to."""

    outcome: Outcome
    confidence: float
    votes_for: int
    votes_against: int
    best_us: int


def calibrated_looks(count: int) -> float:
    """Return how many independent looks n frames of one head are worth, where each frame's vote is a calibrated one.

    The exponent is the likeliest on rides made of heads that the network was not trained on: what is wrong in one
    frame (a helmet that looks like hair) is wrong in most, so that four frames are worth one and a half.
    """
    return float(count**_LOOKS_GROWTH)


def tally(
    votes: Sequence[Vote],
    settings: RuleSettings,
    *,
    from_us: int,
    is_whole: Callable[[int], bool] = lambda _at_us: True,
    looks: Callable[[int], float] = lambda count: 1 + math.log2(count),
) -> Tally:
    """Add votes up: the mean log-odds of a frame, times an effective number of frames, `looks` of their count.

    Frames a fifth of a second apart fail together (the same hood, the same shadow): n of them are not n looks. Fewer
    than `min_votes` on the winning side decide nothing. The picture will be of the clearest frame that speaks for a
    breach, of those that `is_whole` where there are any.
    """
    strong = [max(-_STRONGEST, min(_STRONGEST, vote.log_odds)) for vote in votes]
    votes_for = sum(value > 0 for value in strong)
    votes_against = sum(value < 0 for value in strong)
    total = sum(strong) / len(strong) * looks(len(strong)) if strong else 0.0
    confidence = round(1 / (1 + math.exp(-max(-_SURE, min(_SURE, total)))), 4)
    outcome = Outcome.UNCLEAR
    if confidence >= settings.min_confidence and votes_for >= settings.min_votes:
        outcome = Outcome.BREACH
    elif confidence <= 1 - settings.min_confidence and votes_against >= settings.min_votes:
        outcome = Outcome.NONE
    speaking = [vote for vote in votes if vote.log_odds > 0] or list(votes)
    best = max(speaking, key=lambda vote: (is_whole(vote.at_us), vote.clarity, -vote.at_us), default=None)
    return Tally(
        outcome=outcome,
        confidence=confidence,
        votes_for=votes_for,
        votes_against=votes_against,
        best_us=best.at_us if best else from_us,
    )
