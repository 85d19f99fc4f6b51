"""A repository's commit as gates judge it, and what it is called where findings are kept; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from lambdas.common.written import visible

# What stands for the repository of those that are pipelines of the factory's own; no repository may be called so.
PIPELINES = "_pipelines"
_LETTERS = 200
# What stands in a branch's name as it is; the colon, which is none of them, is no letter of one either.
_PLAIN = "/!#$&'()+,;=@"


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A branch of a gated repository, at the commit that was pushed."""

    repository: str
    name: str
    commit: str

    @classmethod
    def of_pull_request(cls, repository: str, *, number: int, commit: str) -> Branch:
        """The newest commit of a pull request's source, under a name that no branch can have.

        So it is judged as a push is, and what is found in it is apart from what is found in branches.
        """
        return cls(repository=repository, name=f"pull-request..{number}", commit=commit)

    @classmethod
    def of_pipeline(cls, pipeline: str, *, commit: str) -> Branch:
        """What a pipeline of another room has from a branch of the factory's source, which is no release."""
        return cls(repository=PIPELINES, name=pipeline, commit=commit)

    @property
    def target(self) -> str:
        """What its findings are about: names of branches are longer, and of more letters, than targets may be."""
        name = quote(self.name, safe=_PLAIN)
        if len(name) > _LETTERS:
            name = hashlib.sha256(self.name.encode()).hexdigest()
        return f"{self.repository}/{name}"

    @property
    def folder(self) -> str:
        """The folder of the commit's verdicts."""
        return f"{self.repository}/{self.commit}"

    @property
    def told(self) -> Mapping[str, str]:
        """What an event says of it."""
        return {"repository": self.repository, "branch": visible(self.name)}
