"""What experiments cost who has none: resources of a tenant, and the function in a ring without an entry.

The function is the product's own, in a process of its own as at a cold start: its import, its clients and the job, with
the unit tests' stand-ins for AWS. What AWS takes to answer, and to start the process, is not in it.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from time import process_time
from typing import Any

from tests.bench.figures import Figure, Section, at_most, exactly
from tests.bench.measure import Sample, fresh

_SECONDS = 1
_CLIENTS = ("codepipeline", "lambda", "dynamodb", "s3", "events", "sts")


def measure(rounds: int) -> Section:
    """Count the resources of a tenant with the room and without it, and have the function pass an action."""
    taken = [fresh(__name__) for _ in range(rounds)]
    seconds = Sample(values=tuple(one["seconds"] for one in taken))
    figures: tuple[Figure, ...] = (
        exactly("Resources more, a tenant", _resources_more(), wanted=0, how="templates with the room and without it"),
        exactly(
            "Reads besides the answer, in a ring without an entry",
            taken[0]["reads"],
            wanted=1,
            how=f"the question to saas; calls in all: {taken[0]['calls']:g}",
        ),
        at_most(
            "Processor time of the function there, from cold",
            seconds.median,
            limit=_SECONDS,
            shown=seconds.show(),
            unit=" s",
            how=f"{rounds} processes: import, clients, job",
        ),
    )
    return Section(title="Experiments, where there is none", figures=figures, notes=(__doc__.partition("\n\n")[2],))


def _resources_more() -> int:
    # The function is measured in a process that has none of it loaded.
    from config.loader import CONFIG_DIR, load
    from tests.synth.test_resilience import tenant_template

    configuration = load(CONFIG_DIR / "examples" / "all")
    off = {name: section for name, section in configuration.rooms.items() if name != "resilience"}
    without = configuration.model_copy(update={"rooms": off})
    with tempfile.TemporaryDirectory(prefix="granary-bench-") as folder:
        counts = [
            len(tenant_template(Path(folder) / str(number), one)["Resources"])
            for number, one in enumerate((configuration, without))
        ]
    return counts[0] - counts[1]


def _job() -> dict[str, float]:
    """Pass an action of a ring without an entry; what that took."""
    began = process_time()
    import lambdas.resilience.fis_trigger.handler  # noqa: F401 - what a cold start imports
    from lambdas.common.clients import client

    for name in _CLIENTS:
        client(name, "us-east-1")
    loaded = process_time() - began
    from tests.unit.lambdas.resilience.world import World

    calls: list[str] = []
    world: Any = World(ring="general", trouble=calls.append)
    with world:
        event = world.pipeline.begin("e1")
        began = process_time()
        world.invoke(event)
        worked = process_time() - began
    assert world.pipeline.said("e1") == ("passed", "ring general has no experiment: nothing is injected into acme")
    made = [name for name in calls if not name.endswith(" after")]
    return {"seconds": loaded + worked, "calls": len(made), "reads": len([one for one in made if "answer" not in one])}


if __name__ == "__main__":
    print(json.dumps(_job()))
