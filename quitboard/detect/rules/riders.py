"""Rules on who rides: helmets, and how many are on one vehicle."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from quitboard.detect.company import DOUBT, log_odds
from quitboard.detect.rules.finding import Finding, Outcome, Tally, Vote, calibrated_looks, tally
from quitboard.detect.scene import Scene
from quitboard.records import Camera, HeadSighting, Ride, Rule
from quitboard.settings import RuleSettings

_FAIR_SHARE = 0.2
_SURE_DIFFERENCE = 0.5
"""Confidence in a bare head less confidence in a helmet that makes a full vote."""
_FEWEST_KNOWN = 0.5
"""What is more probably unclear than this lets be known, a head or a rider, has no vote."""
_HEAD_SHARE = 0.13
"""A head's height in a person's."""


def no_helmet(scene: Scene, _camera: Camera, rule: Rule, settings: RuleSettings) -> list[Finding]:
    """Riding with a bare head: the driver's head, seen clearly in several frames, bare by the vote."""
    return [_finding(rule, ride, _head_tally(scene, ride, 0, settings)) for ride in _rides(scene, rule)]


def passenger_no_helmet(scene: Scene, _camera: Camera, rule: Rule, settings: RuleSettings) -> list[Finding]:
    """The same for whoever rides along; of several, the one most surely bare. Rides of one alone are not judged."""
    found = []
    for ride in _rides(scene, rule):
        if _company(scene, ride, settings).outcome is not Outcome.BREACH:
            continue
        results = [_head_tally(scene, ride, seat, settings) for seat in range(1, max(2, len(ride.riders)))]
        found.append(_finding(rule, ride, max(results, key=_sureness)))
    return found


def two_up(scene: Scene, _camera: Camera, rule: Rule, settings: RuleSettings) -> list[Finding]:
    """Two or more on one vehicle: as a judge of company says, else in most of the frames that show its riders well."""
    return [_finding(rule, ride, _company(scene, ride, settings)) for ride in _rides(scene, rule)]


def _company(scene: Scene, ride: Ride, settings: RuleSettings) -> Tally:
    judged = _judged_votes(scene, ride)
    if len(judged) < settings.min_votes:
        return _tallied(scene, ride, _counted_votes(scene, ride, settings), settings)
    return tally(judged, settings, from_us=ride.from_us, is_whole=scene.is_whole(ride), looks=calibrated_looks)


def _judged_votes(scene: Scene, ride: Ride) -> list[Vote]:
    """Vote as the judge of company says in each frame; the larger the rider, the clearer."""
    said = scene.company_on(ride)
    size_px = {
        int(at_us): float(box[3] - box[1])
        for rider in ride.riders
        for at_us, box in zip(rider.at_us, rider.xyxy, strict=True)
    }
    votes = []
    for at_us, (alone, more) in said.items():
        if alone + more >= _FEWEST_KNOWN:
            speaks = log_odds(alone, more)
            votes.append(Vote(at_us=at_us, log_odds=speaks, clarity=abs(speaks) * size_px[at_us]))
    return votes


def _tallied(scene: Scene, ride: Ride, votes: Sequence[Vote], settings: RuleSettings) -> Tally:
    return tally(votes, settings, from_us=ride.from_us, is_whole=scene.is_whole(ride))


def _head_tally(scene: Scene, ride: Ride, seat: int, settings: RuleSettings) -> Tally:
    heads = _heads_of_seat(scene, ride, seat)
    votes = _head_votes(heads, settings)
    if seat == 0 and len(ride.riders) == 1 and _judged_votes(scene, ride):
        company = _company(scene, ride, settings)
        if company.outcome is Outcome.UNCLEAR and company.confidence > 0.5:
            # Of one person box that may hold two, the head that is seen is the passenger's in half of the cases.
            votes = [replace(vote, log_odds=vote.log_odds * (1 - company.confidence / 2)) for vote in votes]
    if not any(head.is_judged for head in heads):
        return _tallied(scene, ride, votes, settings)
    return tally(votes, settings, from_us=ride.from_us, is_whole=scene.is_whole(ride), looks=calibrated_looks)


def _rides(scene: Scene, rule: Rule) -> Iterable[Ride]:
    return (ride for ride in scene.rides if ride.vehicle.role in rule.vehicles)


def _heads_of_seat(scene: Scene, ride: Ride, seat: int) -> list[HeadSighting]:
    """Return the head sightings of the n-th rider; with one person box, its second head is the passenger's."""
    heads = scene.heads_on(ride)
    if seat < len(ride.riders):
        mine = ride.riders[seat].id
        return [head for head in heads if head.person_track == mine and head.order == 0]
    return [head for head in heads if head.order == seat]


def _head_votes(heads: Sequence[HeadSighting], settings: RuleSettings) -> list[Vote]:
    votes = []
    for head in heads:
        size_px = min(head.xyxy[2] - head.xyxy[0], head.xyxy[3] - head.xyxy[1])
        if size_px < 0.8 * settings.min_head_px:
            continue
        if head.is_judged:
            known = head.helmet_confidence + head.bare_confidence
            if known < _FEWEST_KNOWN:
                continue
            speaks = known * math.log((head.bare_confidence + DOUBT) / (head.helmet_confidence + DOUBT))
        else:
            difference = (head.bare_confidence - head.helmet_confidence) / _SURE_DIFFERENCE
            size = min(1.0, max(0.3, size_px / (2 * settings.min_head_px)))
            speaks = 2.0 * max(-1.0, min(1.0, difference)) * size
        votes.append(Vote(at_us=head.at_us, log_odds=speaks, clarity=abs(speaks) * size_px))
    return votes


def _counted_votes(scene: Scene, ride: Ride, settings: RuleSettings) -> list[Vote]:
    """Vote on whether more than one rides: two heads apart say so most surely, two persons nearly, one says no.

    One rider hides the other's head for much of a ride. Where both heads were seen in a fair share of the frames, one
    in which only the passenger's is seen says nothing of company: it is the driver's that is hidden.
    """
    heads: dict[int, list[HeadSighting]] = {}
    for head in scene.heads_on(ride):
        heads.setdefault(head.at_us, []).append(head)
    persons: dict[int, int] = {}
    size_px: dict[int, float] = {}
    for rider in ride.riders:
        for at_us, box in zip(rider.at_us, rider.xyxy, strict=True):
            persons[int(at_us)] = persons.get(int(at_us), 0) + 1
            size_px[int(at_us)] = max(size_px.get(int(at_us), 0.0), float(box[3] - box[1]))
    both = sum(len({head.order for head in seen}) > 1 for seen in heads.values())
    is_hidden_known = both >= _FAIR_SHARE * len(heads)
    looked = scene.frame_at_us[(scene.frame_at_us >= ride.from_us) & (scene.frame_at_us <= ride.to_us)]
    votes = []
    for at_us in map(int, np.intersect1d(looked, sorted(persons))):
        seen = heads.get(at_us, [])
        if len(seen) >= 2:
            surest = sorted((head.head_confidence for head in seen), reverse=True)
            speaks = 2.0 * min(1.0, surest[1] / _SURE_DIFFERENCE)
            clarity = 2.0 + surest[1]
        elif persons[at_us] >= 2:
            speaks, clarity = 1.0, 1.0
        elif is_hidden_known and seen and all(head.order for head in seen):
            continue
        else:
            # A second rider is easily hidden behind the first, far away most of all; no head seen says even less.
            near = min(1.0, max(0.25, _HEAD_SHARE * size_px[at_us] / (1.5 * settings.min_head_px)))
            speaks, clarity = (-1.0 if seen else -0.6) * near, 0.5
        votes.append(Vote(at_us=at_us, log_odds=speaks, clarity=clarity * size_px[at_us]))
    return votes


def _sureness(result: Tally) -> tuple[bool, float]:
    return result.outcome is Outcome.BREACH, result.confidence


def _finding(rule: Rule, ride: Ride, result: Tally) -> Finding:
    return Finding(
        kind=rule.kind,
        outcome=result.outcome,
        vehicle=ride.vehicle,
        riders=ride.riders,
        from_us=ride.from_us,
        to_us=ride.to_us,
        best_us=result.best_us,
        confidence=result.confidence,
        votes_for=result.votes_for,
        votes_against=result.votes_against,
    )
