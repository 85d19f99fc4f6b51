"""What is done to the permissions of the lake under test, and what is seen of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from local_cloud.factory.granary import HOME, NAMES, WORKLOAD, wait_until
from local_cloud.factory.inbox import Inbox
from local_cloud.factory.lake import ENVIRONMENT, GOVERNANCE, Lake, wait_for

# Events follow the end of a run at once.
_HEARING_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Governing:
    """The lake, and what its factory tells people."""

    lake: Lake
    told: Inbox

    def granary(self, *words: str, wanted: int = 0, **options: Any) -> str:
        """What a command says that ends with the wanted code."""
        done = self.lake.granary.cli("lake", *words, **options)
        assert done.returncode == wanted, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return str(done.stdout + done.stderr)

    def planned(self) -> str:
        """Where the run ends that `granary lake plan` starts."""
        self.granary("plan", ENVIRONMENT)
        return self.lake.governed()

    def last(self, *, wanted: int = 0) -> str:
        """The page of the last plan."""
        return self.granary("plan", ENVIRONMENT, "--last", wanted=wanted)

    def digest(self) -> str:
        """The digest of the last plan."""
        done = self.lake.granary.cli("lake", "plan", ENVIRONMENT, "--last", "--json")
        return str(json.loads(done.stdout)["digest"])

    def applied(self) -> str:
        """Where the run ends that `granary lake apply` starts, of the last plan."""
        self.granary("apply", self.digest()[:12])
        return self.lake.governed()

    def hears(self, *words: str) -> str:
        """The message to people that has these words, once it has come."""

        def found() -> str | None:
            texts = [str(message["Message"]) for message in self.told.messages()]
            return next((text for text in texts if all(word in text for word in words)), None)

        return str(wait_until(found, seconds=_HEARING_SECONDS, what=f"people to be told {words}"))

    def say_changed(self) -> None:
        """Put the event of an outside orchestrator on the factory's bus."""
        detail = json.dumps({"environment": ENVIRONMENT})
        entry = {"EventBusName": NAMES.event_bus, "Source": "airflow", "DetailType": "Lake Changed", "Detail": detail}
        assert self.lake.granary.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def changed(self) -> str:
        """Where the run ends that such an event starts."""
        before = len(self.lake.runs_of_governance())
        self.say_changed()
        wait_for(lambda: len(self.lake.runs_of_governance()) > before or None, "the event to start a run")
        return self.lake.governed()

    def invoke(self, job: str, **more: str) -> dict[str, Any]:
        """What a function of governance answers, or tells of its failure."""
        answer = self.lake.granary.client("lambda").invoke(
            FunctionName=GOVERNANCE.room_function("lake", job),
            Payload=json.dumps({"account": WORKLOAD, "region": HOME, **more}).encode(),
        )
        return dict(json.loads(answer["Payload"].read()))
