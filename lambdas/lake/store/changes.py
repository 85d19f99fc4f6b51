"""The steps of a plan as they are done in Lake Formation. Each may be done again: what is done already is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of
from lambdas.common.written import cut
from lambdas.lake.model.governance.grants import Entry, Filter, Grant, entries
from lambdas.lake.model.governance.plan import NewValues, Plan, Tagging
from lambdas.lake.store.patience import PASSING, Patience

_BATCH, _VALUES, _WORKERS = 20, 50, 8
_SHOWN = 500  # letters of what failed
_GONE = "EntityNotFoundException"
# Of a revoke: the table, the principal or the grant is not there. Reading back tells whether that is so.
_REVOKED = (_GONE, "InvalidInputException")


class OutOfTimeError(Exception):
    """There is no time left: another run goes on from here."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Changes the catalog of an account; `failed` says what could not be done, and why.

    `in_time` says whether there is time for another call.
    """

    lakeformation: Any
    catalog: str
    in_time: Callable[[], bool] = lambda: True
    patience: Patience = field(default_factory=Patience)
    failed: list[str] = field(default_factory=list)

    def apply(self, plan: Plan) -> None:
        """Do all steps in their order, so that nobody loses access in between who keeps it.

        Until it is revoked, a grant by tags reaches what is tagged meanwhile: no more than the file of before says.

        Raises:
            OutOfTimeError: not all were done.
        """
        for values in plan.values:
            self._values(values)
        self._each(plan.filters, self._put_filter)
        self._each(plan.tags, self._tag)
        self._batches(self.lakeformation.batch_grant_permissions, (step.grant for step in plan.grants))
        revokes = (step.grant for step in plan.revokes)
        self._batches(self.lakeformation.batch_revoke_permissions, revokes, done=_REVOKED, revoke=True)
        self._each(plan.untags, self._untag)
        self._each(plan.dropped, self._drop_filter)

    def _values(self, new: NewValues) -> None:
        known, left = new.known, list(new.values)
        while left:
            some, left = left[:_VALUES], left[_VALUES:]
            if known:
                self._do(f"values of {new.key}", self.lakeformation.update_lf_tag, TagKey=new.key, TagValuesToAdd=some)
            else:
                self._do(f"tag {new.key}", self.lakeformation.create_lf_tag, TagKey=new.key, TagValues=some)
            known = True

    def _put_filter(self, one: Filter) -> None:
        told = {"DatabaseName": one.database, "TableName": one.table, "Name": one.name}
        cells = {**told, "TableCatalogId": self.catalog, "ColumnNames": list(one.columns)}
        rows = {"RowFilter": {"FilterExpression": one.rows}}
        self._call(
            f"filter {one.name} on {one.database}.{one.table}",
            lambda: self.lakeformation.create_data_cells_filter(TableData={**cells, **rows}),
            done=("AlreadyExistsException",),
        )

    def _drop_filter(self, one: Filter) -> None:
        told = {"DatabaseName": one.database, "TableName": one.table, "Name": one.name}
        self._call(
            f"filter {one.name} on {one.database}.{one.table}",
            lambda: self.lakeformation.delete_data_cells_filter(TableCatalogId=self.catalog, **told),
            done=(_GONE,),
        )

    def _tag(self, one: Tagging) -> None:
        pair = {"TagKey": one.key, "TagValues": [one.value]}
        self._do(f"tag {one}", self.lakeformation.add_lf_tags_to_resource, Resource=self._place(one), LFTags=[pair])

    def _untag(self, one: Tagging) -> None:
        pair = {"TagKey": one.key, "TagValues": [one.was]}
        self._do(
            f"tag {one}",
            self.lakeformation.remove_lf_tags_from_resource,
            done=(_GONE,),
            Resource=self._place(one),
            LFTags=[pair],
        )

    def _place(self, one: Tagging) -> dict[str, Any]:
        if not one.table:
            return {"Database": {"CatalogId": self.catalog, "Name": one.database}}
        table: dict[str, Any] = {"CatalogId": self.catalog, "DatabaseName": one.database, "Name": one.table}
        if one.columns:
            return {"TableWithColumns": {**table, "ColumnNames": list(one.columns)}}
        return {"Table": table}

    def _do(self, what: str, call: Callable[..., Any], *, done: Sequence[str] = (), **request: Any) -> None:
        answer = self._call(what, lambda: call(CatalogId=self.catalog, **request), done=done) or {}
        for failure in answer.get("Failures") or ():
            self._failed(what, _words(failure["Error"]))

    def _call(self, what: str, ask: Callable[[], Any], *, done: Sequence[str]) -> Mapping[str, Any] | None:
        if not self.in_time():
            raise OutOfTimeError
        try:
            answer: Mapping[str, Any] = self.patience.call(ask)
        except ClientError as error:
            if code_of(error) not in done:
                self._failed(what, str(error))
            return None
        return answer

    def _failed(self, what: str, why: str) -> None:
        """Many of them fit into a state of the machine, of 256 KB at most: what is done may name a thousand columns."""
        self.failed.append(f"{cut(what, _SHOWN)}: {why}")

    def _each(self, things: Sequence[Any], do: Callable[[Any], None]) -> None:
        with ThreadPoolExecutor(_WORKERS) as pool:
            for _ in pool.map(do, things):
                pass

    def _batches(
        self, call: Callable[..., Any], grants: Iterable[Grant], *, done: Sequence[str] = (), revoke: bool = False
    ) -> None:
        left = iter(entries(grants, catalog=self.catalog, revoke=revoke))
        batches = list(iter(lambda: list(islice(left, _BATCH)), []))
        self._each(batches, lambda batch: self._batch(call, batch, done))

    def _batch(
        self, call: Callable[..., Any], batch: Sequence[tuple[Entry, tuple[Grant, ...]]], done: Sequence[str]
    ) -> None:
        """Do a batch; of what was refused, what may pass is asked again, and nothing else."""
        named = {str(number): entry for number, entry in enumerate(batch)}
        pauses = iter(self.patience.pauses)
        while named:
            asked = [{"Id": name, **entry} for name, (entry, _) in named.items()]
            what = f"{len(asked)} entries from {named[asked[0]['Id']][1][0]}"
            request = partial(call, CatalogId=self.catalog, Entries=asked)
            answer = self._call(what, request, done=()) or {}
            errors = {it["RequestEntry"]["Id"]: it["Error"] for it in answer.get("Failures") or ()}
            pause = next(pauses, None)
            again = {name for name, error in errors.items() if error.get("ErrorCode") in PASSING and pause}
            for name in errors.keys() - again:
                if errors[name].get("ErrorCode") not in done:
                    told = "; ".join(f"{it.principal}: {it}" for it in named[name][1])
                    self._failed(told, _words(errors[name]))
            named = {name: named[name] for name in again}
            if named and pause:
                self.patience.wait(pause)


def _words(error: Mapping[str, Any]) -> str:
    return f"{error.get('ErrorCode')}: {error.get('ErrorMessage')}"
