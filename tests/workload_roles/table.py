"""What each role of the catalogue must be able to do in its workload account, and must not: the table of both suites.

`tests/synth/test_workload_roles.py` evaluates every line on the synthesized policies, in three partitions.
`tests/local/test_workload_roles.py` executes those with a `call` on the local cloud; `why` says why a line has none.
"""

from __future__ import annotations

from tests.workload_roles.line import ROOMS, Line
from tests.workload_roles.pairs import pair
from tests.workload_roles.purposes import PURPOSES

LINES: list[Line] = [*PURPOSES, *(line for room in ROOMS for line in pair(room))]
