"""Run every benchmark; `python -m albacore_pipeline_tests.bench 20000` rates a fleet of another size."""

from albacore_pipeline_tests.bench import billing, registry

billing.main()
registry.main()
