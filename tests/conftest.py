"""What tests of several rooms share: a real S3-compatible server."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.seaweed import KEYS, serving


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a SeaweedFS; its key and secret are in the environment while tests run."""
    with serving(tmp_path_factory.mktemp("seaweed")) as endpoint, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in KEYS.items():
            patch.setenv(name, value)
        yield endpoint
