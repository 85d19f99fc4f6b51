"""Zip files: unpack sources, select and pack artifacts. Pure file work, no AWS."""

from __future__ import annotations

import fnmatch
import io
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from local_cloud.codebuild.buildspec import ArtifactSpec
from local_cloud.codebuild.failure import BuildFailure

_PLAIN = 0o644


def unpack(content: bytes, target: Path) -> None:
    """Unpack a zip file with its permissions; raises BuildFailure for a bad file or one that leaves `target`."""
    target.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for item in archive.infolist():
                # Links are written as files, so a name tells where a file goes.
                if (name := PurePosixPath(item.filename)).is_absolute() or ".." in name.parts:
                    raise BuildFailure("CLIENT_ERROR", f"The source holds a path outside of it: {item.filename}")
                _write(archive, item, target / name)
    except zipfile.BadZipFile as error:
        raise BuildFailure("CLIENT_ERROR", f"The source is not a zip file: {error}") from error


def _write(archive: zipfile.ZipFile, item: zipfile.ZipInfo, path: Path) -> None:
    # A source has a thousand files, and each build unpacks it: what need not be asked of the file system is not.
    if item.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    content = archive.read(item)
    try:
        path.write_bytes(content)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if (mode := stat.S_IMODE(item.external_attr >> 16)) not in (0, _PLAIN):
        path.chmod(mode | stat.S_IRUSR | stat.S_IWUSR)


def select(spec: ArtifactSpec, source_dir: Path) -> dict[str, Path]:
    """The artifact's files by their name in it; raises BuildFailure when there are none.

    Patterns are relative to the base directory, which is itself relative to the source directory.
    """
    base = _base_directory(spec, source_dir)
    names = sorted(
        name for name in _relative_files(base) if _matches(name, spec.files) and not _matches(name, spec.exclude_paths)
    )
    absolute = [Path(pattern) for pattern in spec.files if Path(pattern).is_absolute() and Path(pattern).is_file()]
    files = {name: base / name for name in names} | {path.name: path for path in absolute}
    if not files:
        raise BuildFailure("CLIENT_ERROR", f"no matching artifact paths found: {', '.join(spec.files)} in {base}")
    if spec.discard_paths:
        return {Path(name).name: path for name, path in files.items()}
    return files


def pack(files: dict[str, Path]) -> bytes:
    """A zip file of them, with permissions."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for name, path in files.items():
            archive.write(path, name)
    return buffer.getvalue()


def _base_directory(spec: ArtifactSpec, source_dir: Path) -> Path:
    matches = sorted(source_dir.glob(spec.base_directory)) if "*" in spec.base_directory else []
    base = matches[0] if matches else source_dir / spec.base_directory
    if not base.is_dir():
        raise BuildFailure("CLIENT_ERROR", f"no matching base directory path found for {spec.base_directory}")
    return base


def _relative_files(base: Path) -> Iterator[str]:
    for directory, _, names in os.walk(base, followlinks=True):
        for name in names:
            path = Path(directory, name)
            if path.is_file():
                yield path.relative_to(base).as_posix()


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(_match_parts(name.split("/"), pattern.removeprefix("./").split("/")) for pattern in patterns)


def _match_parts(parts: list[str], pattern: list[str]) -> bool:
    """Glob over path parts: `*` stays in a directory, `**` spans any number of them."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        rest = pattern[1:] or ["*"]
        return any(_match_parts(parts[index:], rest) for index in range(len(parts)))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _match_parts(parts[1:], pattern[1:])
