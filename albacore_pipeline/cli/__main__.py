"""`python -m albacore_pipeline.cli …`, the same as `albacore …`."""

from albacore_pipeline.cli.app import main

if __name__ == "__main__":
    main()
