"""Rules: pure functions from a scene to findings, one small function for each kind of the catalogue.

No rule looks at a picture, a file or a clock. Evidence adds up over a ride's frames as log-odds, so that one wrong
frame never makes a violation and one occlusion never hides one; "unclear" is an answer, and it is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from quitboard.catalogue import in_force
from quitboard.detect.rules.finding import Finding, Outcome
from quitboard.detect.rules.riders import no_helmet, passenger_no_helmet, two_up
from quitboard.detect.rules.zones import crosswalk_riding, parking, sidewalk, wrong_way
from quitboard.detect.scene import Scene
from quitboard.records import Camera, Rule
from quitboard.settings import RuleSettings

__all__ = ["RULES", "Finding", "Outcome", "run_rules"]

RULES: Mapping[str, Callable[[Scene, Camera, Rule, RuleSettings], list[Finding]]] = {
    "no_helmet": no_helmet,
    "passenger_no_helmet": passenger_no_helmet,
    "two_up": two_up,
    "sidewalk": sidewalk,
    "crosswalk_riding": crosswalk_riding,
    "wrong_way": wrong_way,
    "parking": parking,
    "motorcycle_no_helmet": no_helmet,
    "bicycle_no_helmet": no_helmet,
}
"""What judges each kind. Which vehicles it watches is said by the catalogue's row."""


def run_rules(
    scene: Scene, camera: Camera, catalogue: Iterable[Rule], day: date, settings: RuleSettings
) -> list[Finding]:
    """Return what every enabled rule in force on `day` says, in the catalogue's order, then by time.

    Findings are of every outcome: `Finding.is_breach` marks the violations, the others are the denominator.
    """
    found = []
    for rule in in_force(catalogue, day):
        if rule.enabled and rule.camera_visible and rule.kind in RULES:
            findings = RULES[rule.kind](scene, camera, rule, settings)
            found.extend(sorted(findings, key=lambda finding: (finding.from_us, finding.vehicle.id)))
    return found
