"""An object of S3 as a file that is read where it is asked for, so that nobody has to have all of it."""

from __future__ import annotations

import io
from typing import Any


class ObjectFile(io.RawIOBase):
    """Reads with the client `s3`; each read is a request, so give it a buffer. No more than `most` bytes are read.

    `left` is how many of them there are still.
    """

    def __init__(self, s3: Any, *, bucket: str, key: str, most: int) -> None:
        self.left = most
        self._s3, self._where, self._at = s3, {"Bucket": bucket, "Key": key}, 0
        self._size = int(s3.head_object(**self._where)["ContentLength"])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read as much as there is room for; raises ValueError when that is too much."""
        last = min(self._at + len(buffer), self._size) - 1
        if last < self._at:
            return 0
        self.left -= last - self._at + 1
        if self.left < 0:
            raise ValueError("it is too large to be looked at")
        body = self._s3.get_object(**self._where, Range=f"bytes={self._at}-{last}")["Body"].read()
        buffer[: len(body)] = body
        self._at += len(body)
        return len(body)
