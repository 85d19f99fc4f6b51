"""What a committed partition says of itself: the jobs write it, and the audit reads it; pure."""

from __future__ import annotations

READ, GOOD, QUARANTINED = "granary_read", "granary_good", "granary_quarantined"
CODE, RUN, OBJECT = "granary_code", "granary_run", "granary_object"
REST = "granary_quarantine"  # where the quarantined rows are
