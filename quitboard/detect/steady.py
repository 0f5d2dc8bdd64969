"""Does a camera still look where its zones were drawn? Grey thumbnails compared; pure functions.

Edges are compared and not brightness, because light changes all day and edges mostly stay. Where two pictures lie on
each other is found by phase correlation (Kuglin & Hines, 1975; OpenCV's `phaseCorrelate`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Grey: TypeAlias = NDArray[np.uint8]  # (height, width)

SHIFT_SHARE = 0.03
"""A view shifted by more than this share of its width is another view."""
_WIDTH_PX = 192
_LIVELY = 0.8
_RESPONSE = 0.15
"""Fixed cameras gave 0.36 and more between busy frames minutes apart; turned, covered or blurred ones 0.1 and less."""
_LASTING_US = 10_000_000
_LASTING = 3


def same_view(reference: Grey, now: Grey) -> bool:
    """Return whether a thumbnail shows what the reference shows: neither moved, nor covered, nor out of focus.

    People and cars come and go, night falls: what is asked is that the edges which last lie where they lay. A picture
    too empty to say (fog, darkness without lamps) in the *reference* is never held against a camera.

    Args:
        reference: grey, of the time when the zones were right.
        now: grey, of any size of the same shape.
    """
    before, after = _edges(reference), _edges(now)
    if float(before.std()) < _LIVELY:
        return True
    window = cv2.createHanningWindow((before.shape[1], before.shape[0]), cv2.CV_32F)
    (x, y), response = cv2.phaseCorrelate(before, after, window)
    return bool(response >= _RESPONSE and np.hypot(x, y) <= SHIFT_SHARE * _WIDTH_PX)


def untrusted_from(thumbnails: Iterable[tuple[int, Grey]], *, reference: Grey | None = None) -> int | None:
    """Return the instant (µs) from which a camera's zones are not to be trusted, or None.

    One odd picture says little: a truck passes, a keyframe is damaged. Three in a row over at least ten seconds do.

    Args:
        thumbnails: instants and grey pictures, in the order of time.
        reference: what the view should be; by default the first thumbnail.
    """
    odd: list[int] = []
    for at_us, picture in thumbnails:
        if reference is None:
            reference = picture
        elif same_view(reference, picture):
            odd.clear()
        else:
            odd.append(at_us)
            if len(odd) >= _LASTING and at_us - odd[0] >= _LASTING_US:
                return odd[0]
    return None


def _edges(picture: Grey) -> NDArray[np.float32]:
    height = max(round(picture.shape[0] * _WIDTH_PX / picture.shape[1]), 16)
    small = cv2.resize(picture, (_WIDTH_PX, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    x, y = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
    # The root keeps one bright sign from outweighing the street.
    return np.asarray(cv2.GaussianBlur(np.sqrt(cv2.magnitude(x, y)), (0, 0), 1.0), np.float32)
