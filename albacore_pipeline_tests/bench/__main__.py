"""Run every benchmark, and end with 1 if a bound is broken. Each runs alone too, as `….bench.billing`."""

import sys

from albacore_pipeline_tests.bench import billing, collection, escalation, machine_power, registry

kept = [part.main() for part in (billing, registry, collection, escalation, machine_power)]
sys.exit(not all(kept))
