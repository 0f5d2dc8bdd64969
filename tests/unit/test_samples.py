"""What a teacher adds to a picture that labels only some of what is in it."""

from __future__ import annotations

import numpy as np
import pytest

from quitboard.models.samples import Sample, filled
from quitboard.records import ROLES, Detections, Role

SCOOTER = (20.0, 30.0, 60.0, 90.0)


def seen(role: Role, box: tuple[float, float, float, float]) -> Detections:
    return Detections(
        xyxy=np.array([box], np.float32),
        confidence=np.array([0.9], np.float32),
        class_id=np.array([ROLES.index(role)], np.int64),
    )


@pytest.mark.parametrize(
    ("role", "box", "added"),
    [
        pytest.param(Role.BICYCLE, (22.0, 34.0, 58.0, 90.0), False, id="a scooter called a bicycle"),
        pytest.param(
            Role.MOTORCYCLE, (10.0, 10.0, 70.0, 95.0), False, id="a scooter and its rider called a motorcycle"
        ),
        pytest.param(Role.BICYCLE, (100.0, 30.0, 150.0, 90.0), True, id="a bicycle elsewhere"),
        pytest.param(Role.PERSON, (25.0, 10.0, 55.0, 88.0), True, id="its rider"),
    ],
)
def test_a_teacher_may_not_call_a_labelled_scooter_something_else(
    role: Role, box: tuple[float, float, float, float], added: bool
) -> None:
    given = Sample(
        name="one",
        picture=np.zeros((120, 160, 3), np.uint8),
        roles=(Role.SCOOTER,),
        xyxy=np.array([SCOOTER]),
        labelled=frozenset({Role.SCOOTER}),
    )
    whole = filled(given, seen(role, box), list(Role), sure=0.4, doubtful=0.2)
    assert (role in whole.roles) is added
