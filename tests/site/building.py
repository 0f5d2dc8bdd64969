"""What the tests of the built site share: building it, and telling two sites apart."""

from __future__ import annotations

import hashlib
from pathlib import Path

from quitboard.site.build import Built, build
from tests.site.conftest import AS_OF, SETTINGS
from tests.site.sample_board import Sample


def built(board: Sample, out: Path, **options: object) -> Built:
    return build(
        board.database,
        board.media,
        out,
        **{"settings": SETTINGS, "as_of": AS_OF, "workers": 1, **options},  # type: ignore[arg-type]
    )


def files(folder: Path) -> dict[str, str]:
    """Every file of a site by its path, as a hash."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
