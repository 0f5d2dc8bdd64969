"""The bundle: one zip per camera and local day, the only wire between `detect` and `ingest`.

manifest.json      what the rest is and the SHA-256 of every other member; its `id` is the hash of all that
violations.jsonl   one suspected violation a line
exposure.jsonl     what was watched, one recording, hour and kind a line
tracks.parquet     for runs of the rules alone
media/<sha256>.jpg, .gif
withdrawn.json     only in a struck bundle: which of the pictures were taken out, and for which withdrawals

write       a bundle whose bytes depend on its content alone
layout      is this zip what it says it is? asked before anything in it is read
strike      pictures out of a bundle that stays the same bundle
read        a bundle as a lazy, checked source of rows and pictures; `verify` reads every byte
"""

from quitboard.bundle.form import FORMAT, VERSION
from quitboard.bundle.read import Bundle, read, verify
from quitboard.bundle.strike import strike
from quitboard.bundle.write import write

__all__ = ["FORMAT", "VERSION", "Bundle", "read", "strike", "verify", "write"]
