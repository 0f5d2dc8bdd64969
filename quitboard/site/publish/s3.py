"""An S3-compatible bucket as a target: Amazon's, or any that knows conditional writes. The only door to boto3."""

from __future__ import annotations

import contextlib
import hashlib
import re
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from email.utils import parsedate_to_datetime
from functools import cached_property
from itertools import islice
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from quitboard.errors import Locked, TargetRefused, UsageError
from quitboard.settings import Settings
from quitboard.site.publish.ledger import Found, Ledger
from quitboard.site.publish.plan import Stage, stage_of
from quitboard.site.publish.target import Contents, Published

WORKERS = 8
_MOST_IN_ONE_DELETE = 1000  # S3's own limit

CONTENT_TYPES = {
    ".atom": "application/atom+xml; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json; charset=utf-8",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "application/xml; charset=utf-8",
}
MEDIA_CACHE = "public, max-age=86400"
PAGE_CACHE = "public, max-age=300"
OWN_CACHE = "no-store"


def headers_of(path: str) -> dict[str, str]:
    """Return what a file of the site is sent with. What is withdrawn is in no reader's cache after a day."""
    kept_a_day = stage_of(path) is Stage.MEDIA and PurePosixPath(path).parts[0] in ("media", "pagefind")
    content_type = CONTENT_TYPES.get(PurePosixPath(path).suffix, "application/octet-stream")
    if PurePosixPath(path).name == "feed.json":
        content_type = "application/feed+json; charset=utf-8"
    return {"ContentType": content_type, "CacheControl": MEDIA_CACHE if kept_a_day else PAGE_CACHE}


def parse_place(text: str) -> tuple[str, str, str]:
    """Return bucket, prefix ("" or ending in "/") and endpoint ("" where the text names none) of an `s3://` text.

    Raises:
        UsageError: bucket or prefix are not fit to be one.
    """
    parts = urlsplit(text)
    bucket, _, prefix = text.removeprefix("s3://").partition("?")[0].partition("/")
    prefix = prefix.strip("/")
    query = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket) or ".." in bucket:
        raise UsageError(
            f"{bucket!r} is no name of a bucket", where=text,
            todo="Lower-case letters, digits, dots and hyphens, 3 to 63: s3://my-bucket/board",
        )  # fmt: skip
    pieces = prefix.split("/") if prefix else []
    if any(piece in ("", ".", "..") or not re.fullmatch(r"[\w.~()!'*-]+", piece) for piece in pieces):
        raise UsageError(
            "a prefix is made of letters, digits and - _ . ~ between single slashes", where=repr(text),
            todo="For example: s3://my-bucket/board",
        )  # fmt: skip
    if len(prefix.encode()) > 512 or set(query) - {"endpoint_url"} or parts.fragment:
        raise UsageError("this is no place in a bucket", where=repr(text), todo="For example: s3://my-bucket/board")
    return bucket, f"{prefix}/" if prefix else "", query.get("endpoint_url", [""])[0]


class S3Target:
    """A prefix of a bucket. Files are sent by several threads; all else happens one after the other."""

    most_bytes: int | None = None

    def __init__(self, place: str, settings: Settings, *, owner: str) -> None:
        self._settings = settings.publish
        self._base_path = urlsplit(settings.site.base_url).path
        self._bucket, self._prefix, endpoint = parse_place(place)
        self._endpoint = endpoint or self._settings.endpoint_url
        self._ledger = Ledger(_BucketStore(self), name=self.name, owner=owner)
        self._kept_versions = ""

    @property
    def name(self) -> str:
        query = f"?{urlencode({'endpoint_url': self._endpoint})}" if self._endpoint else ""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/") + query

    @property
    def caveats(self) -> tuple[str, ...]:
        return (self._kept_versions,) if self._kept_versions else ()

    @cached_property
    def client(self) -> Any:
        """The client of boto3, made on first use: it takes a third of a second."""
        return self._client("s3", self._endpoint)

    def _client(self, service: str, endpoint: str) -> Any:
        try:
            import boto3
            from botocore.config import Config
        except ImportError:
            raise TargetRefused(
                "boto3 is not installed: it speaks with S3", where=self.name, todo="Run: pip install 'quitboard[s3]'"
            ) from None
        with _refusals(self.name):
            session = boto3.Session(
                profile_name=self._settings.profile or None, region_name=self._settings.region or None
            )
            return session.client(
                service,
                endpoint_url=endpoint or None,
                region_name=session.region_name or "us-east-1",
                config=Config(
                    retries={"mode": "standard", "max_attempts": 5},
                    connect_timeout=10,
                    read_timeout=60,
                    max_pool_connections=2 * WORKERS,
                    # Sums that only Amazon knows break other servers; every one knows Content-MD5 and TLS.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
            )

    def read(self) -> Published:
        return self._ledger.read()

    def matching(self, paths: Collection[str], contents: Contents) -> set[str]:
        """An ETag that is the MD5 of our content says that it is there; any other says nothing: it is sent again."""
        wanted = set(paths)
        return {
            key
            for key, tag in self.listed()
            if key in wanted and tag == hashlib.md5(contents(key), usedforsecurity=False).hexdigest()
        }

    def begin(self, sums: Mapping[str, str]) -> None:
        self._ledger.begin(sums)

    def put(self, paths: Sequence[str], contents: Contents, done: Callable[[str], None]) -> None:
        def send(path: str) -> str:
            self._ledger.beat()
            with _refusals(self.name):
                self.client.put_object(
                    Bucket=self._bucket, Key=self._prefix + path, Body=contents(path), **headers_of(path)
                )
            return path

        waiting = iter(paths)
        with ThreadPoolExecutor(WORKERS) as pool:
            while batch := list(islice(waiting, 32 * WORKERS)):  # so that a refusal does not wait for all the others
                futures = [pool.submit(send, path) for path in batch]
                wait(futures, return_when=FIRST_EXCEPTION)
                for future in futures:
                    if future.done() and future.exception():
                        for other in futures:
                            other.cancel()
                        future.result()
                for future in futures:
                    done(future.result())

    def written(self) -> None:
        self._ledger.written()

    def delete(self, paths: Iterable[str]) -> None:
        self._delete({"Key": self._prefix + path} for path in paths)

    def _delete(self, objects: Iterable[dict[str, str]]) -> None:
        waiting = iter(objects)
        while batch := list(islice(waiting, _MOST_IN_ONE_DELETE)):
            with _refusals(self.name):
                answer = self.client.delete_objects(Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True})
            if errors := answer.get("Errors"):
                first = f"{errors[0].get('Key')} ({errors[0].get('Code')})"
                raise TargetRefused(
                    f"{len(errors)} files were not deleted, for example {first}",
                    where=self.name,
                    todo="The key needs s3:DeleteObject; then run the same command again",
                )

    def refresh(self) -> None:
        """Make CloudFront forget everything below the board's address: one path to pay for, whatever changed."""
        if not (distribution := self._settings.cloudfront_distribution):
            return
        below = quote(self._base_path or f"/{self._prefix}").rstrip("/") + "/*"
        with _refusals(f"CloudFront {distribution}"):
            self._client("cloudfront", "").create_invalidation(
                DistributionId=distribution,
                InvalidationBatch={"Paths": {"Quantity": 1, "Items": [below]}, "CallerReference": uuid.uuid4().hex},
            )

    def finish(self) -> None:
        self._ledger.finish()

    def close(self) -> None:
        """Nothing is held between two requests."""

    def take_away(self, paths: Sequence[str]) -> None:
        for path in paths:  # one after the other: the order is a promise
            self._delete([{"Key": self._prefix + path}])
        for path in paths:
            self._delete(self._versions(self._prefix + path))

    def _versions(self, key: str) -> Iterator[dict[str, str]]:
        """Yield every older version of a key that a bucket with versioning still keeps, delete markers included."""
        from botocore.exceptions import ClientError

        try:
            for page in self.client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key):
                for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    if version["Key"] == key:
                        yield {"Key": key, "VersionId": version["VersionId"]}
        except ClientError as error:
            self._kept_versions = (
                f"{self.name} does not say whether it keeps older versions ({error.response['Error'].get('Code')}): "
                "where versioning is on, delete those of the paths by hand"
            )

    def holds(self, path: str) -> bool:
        from botocore.exceptions import ClientError

        with _refusals(self.name):
            try:
                self.client.head_object(Bucket=self._bucket, Key=self._prefix + path)
            except ClientError as error:
                if error.response["ResponseMetadata"].get("HTTPStatusCode") == 404:
                    return False
                raise
            return True

    def listed(self) -> Iterator[tuple[str, str]]:
        """Yield path and ETag of all that lies below the prefix."""
        with _refusals(self.name):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix):
                for item in page.get("Contents", ()):
                    yield item["Key"].removeprefix(self._prefix), item["ETag"].strip('"')

    # --- for the ledger

    def get(self, path: str) -> Found | None:
        from botocore.exceptions import ClientError

        with _refusals(self.name):
            try:
                answer = self.client.get_object(Bucket=self._bucket, Key=self._prefix + path)
                content = answer["Body"].read()
            except ClientError as error:
                if error.response["Error"].get("Code") in ("NoSuchKey", "404"):
                    return None
                raise
        return Found(content=content, version=answer["ETag"], age_s=_age_s(answer))

    def put_own(self, path: str, content: bytes, **conditions: str) -> str:
        with _refusals(self.name):
            answer = self.client.put_object(
                Bucket=self._bucket, Key=self._prefix + path, Body=content,
                ContentType=CONTENT_TYPES.get(PurePosixPath(path).suffix, "application/octet-stream"),
                CacheControl=OWN_CACHE, **conditions,
            )  # fmt: skip
        return str(answer["ETag"])


class _BucketStore:
    """The ledger's own files in a bucket."""

    def __init__(self, target: S3Target) -> None:
        self._target = target

    def get(self, key: str) -> Found | None:
        return self._target.get(key)

    def replace(self, key: str, content: bytes, version: str) -> str:
        try:
            tag = self._target.put_own(key, content, **({"IfMatch": version} if version else {"IfNoneMatch": "*"}))
        except Locked:
            found = self.get(key)
            if found is None or found.content != content:
                raise
            return found.version  # it was us: the answer was lost on the way, and the request sent again
        if not version:
            self._refuse_unconditional(key, content)
        return tag

    def _refuse_unconditional(self, key: str, content: bytes) -> None:
        """Raise `TargetRefused` where a server overwrites what it was told not to: two could publish at once."""
        try:
            self._target.put_own(key, content, IfNoneMatch="*")
        except Locked:
            return
        raise TargetRefused(
            "this server does not know conditional writes (If-None-Match), so that two could publish at once",
            where=self._target.name,
            todo="Take a newer release of it, or another one; Amazon S3, R2, MinIO and SeaweedFS know them",
        )

    def put_own(self, key: str, content: bytes) -> None:
        self._target.put_own(key, content)

    def delete_own(self, keys: Iterable[str]) -> None:
        self._target.delete(keys)

    def paths(self) -> Iterator[str]:
        return (path for path, _ in self._target.listed())


def _age_s(answer: dict[str, Any]) -> float:
    """Return how old an object is by the server's own clock."""
    now = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return (parsedate_to_datetime(now) - answer["LastModified"]).total_seconds() if now else 0.0


_TODO = {
    "NoSuchBucket": "Make the bucket first: QuitBoard does not",
    "AccessDenied": "The key needs more rights: docs/publish.md has the policy",
    "InvalidAccessKeyId": "Look at AWS_ACCESS_KEY_ID, or at [publish] profile",
    "SignatureDoesNotMatch": "Look at AWS_SECRET_ACCESS_KEY, or at [publish] profile",
    "NotImplemented": "The server must know conditional writes; Amazon S3, R2, MinIO and SeaweedFS do",
}


@contextlib.contextmanager
def _refusals(name: str) -> Iterator[None]:
    """Turn what boto3 raises into errors that say where and what to do. A precondition that failed is `Locked`."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status in (409, 412):
            raise Locked(
                "somebody else is publishing there", where=name, todo="Try again when that has finished"
            ) from None
        code = "AccessDenied" if code == "403" else code
        raise TargetRefused(
            f"{error.operation_name} was refused: {code} {error.response.get('Error', {}).get('Message', '')}".strip(),
            where=name,
            todo=_TODO.get(code, "Run the same command again: it continues"),
        ) from None
    except NoCredentialsError:
        raise TargetRefused(
            "there is no key for it", where=name,
            todo="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or [publish] profile",
        ) from None  # fmt: skip
    except (BotoCoreError, ValueError) as error:  # no connection, time run out, no such profile, no such endpoint
        raise TargetRefused(
            f"it cannot be reached ({error})", where=name,
            todo="Look at [publish] endpoint_url and profile, and at the network; then run the same command again",
        ) from None  # fmt: skip
