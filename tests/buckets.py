"""A stand-in for S3 on this machine, moto's, and what a test asks of it behind llpbench's back."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

KEY, SECRET = "AKIDOFATEST", "secret-of-a-test"


class Requests(logging.Handler):
    """What the server was asked, such as ``PUT /bucket/name``, in the order of its answers."""

    def __init__(self) -> None:
        super().__init__()
        self.answered: list[tuple[str, int]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if found := re.search(r"([A-Z]+ /\S*) HTTP\S*\" (\d+)", record.getMessage()):
            self.answered.append((found[1], int(found[2])))


@contextmanager
def watched() -> Iterator[list[tuple[str, int]]]:
    """Keep what servers of this process are asked, with the status of each answer."""
    log, requests = logging.getLogger("werkzeug"), Requests()
    log.setLevel(logging.INFO)
    log.addHandler(requests)
    try:
        yield requests.answered
    finally:
        log.removeHandler(requests)
        log.setLevel(logging.ERROR)


class Bucket:
    """A bucket of the stand-in."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        self._client.create_bucket(Bucket=name)

    def __str__(self) -> str:
        return f"s3://{self.name}"

    def names(self) -> list[str]:
        """Names of all objects."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def upload(self, folder: Path, prefix: str, acl: str = "private") -> str:
        """Copy a folder, links as what they mean; the address of the copy."""
        for file in folder.rglob("*"):
            if file.is_file():
                name = f"{prefix}/{file.relative_to(folder)}"
                self.put(name, file.read_bytes(), acl)
        return f"{self}/{prefix}"

    def put(self, name: str, content: bytes, acl: str = "private") -> None:
        self._client.put_object(Bucket=self.name, Key=name, Body=content, ACL=acl)

    def remove(self, name: str) -> None:
        self._client.delete_object(Bucket=self.name, Key=name)


@contextmanager
def serving() -> Iterator[str]:
    """Serve S3 on loopback; the URL."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


def use(url: str, patch: pytest.MonkeyPatch) -> None:
    """Have this process and its children find the server, as users do: by their environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    patch.setenv("AWS_ENDPOINT_URL", url)
    patch.setenv("AWS_ALLOW_HTTP", "true")
    patch.setenv("AWS_REGION", "us-east-1")
    patch.setenv("AWS_ACCESS_KEY_ID", KEY)
    patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
