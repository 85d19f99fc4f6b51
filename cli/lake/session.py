"""What the commands of the lake work with: its configuration, and clients of an environment's account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.common.errors import NotFoundError, UsageError
from cli.common.session import Session
from lambdas.lake.model.names import LakeNames

if TYPE_CHECKING:
    from config.models.lake import Environment, Section
    from config.models.lake_permissions import LakePermissions


class LakeSession(Session):
    """A factory with a lake."""

    @property
    def lake(self) -> Section:
        """The configuration of the lake.

        Raises:
            NotFoundError: the room is off.
        """
        from config.models.lake import Section

        section = self.configuration.rooms.get("lake")
        if not isinstance(section, Section):
            raise NotFoundError("the room lake is off: copy config/examples/all/lake.yaml to config/lake.yaml")
        return section

    @property
    def permissions(self) -> LakePermissions:
        """The file of permissions.

        Raises:
            NotFoundError: there is none.
        """
        found = self.lake.permissions
        if found is None:
            raise NotFoundError(
                "nothing is said of permissions: copy config/examples/all/lake-permissions.yaml to "
                "config/lake-permissions.yaml"
            )
        return found

    def environment(self, name: str) -> Environment:
        """An environment by its name.

        Raises:
            NotFoundError: there is none.
        """
        known = {one.name: one for one in self.lake.environments}
        if name not in known:
            raise NotFoundError(f"there is no environment {name} in config/lake.yaml: there are {', '.join(known)}")
        return known[name]

    def catalog_of(self, name: str) -> Environment:
        """An environment by its name, or any where all share one catalog: an account's in a Region.

        Raises:
            UsageError: there are several catalogs, and no name.
        """
        every = self.lake.environments
        if not name and len({(one.account, one.region) for one in every}) > 1:
            raise UsageError(f"there are several catalogs: give --environment ({', '.join(it.name for it in every)})")
        return self.environment(name or every[0].name)

    def lake_names(self, environment: Environment) -> LakeNames:
        """Physical names of an environment."""
        return LakeNames(prefix=self.configuration.toolchain.prefix, environment=environment.name)

    def lake_client(self, environment: Environment, service: str) -> Any:
        """A client in the account and Region of an environment.

        Raises:
            RefusedError: the credentials are those of another account.
        """
        what = f"the lake {environment.name} (config/lake.yaml)"
        return self.client_in(environment.account, service, environment.region, what=what)
