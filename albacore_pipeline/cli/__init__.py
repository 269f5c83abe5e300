"""The command line: `albacore …`. Errors are one clear line and exit code 1; wrong usage is exit code 2."""

from albacore_pipeline.cli.app import main

__all__ = ["main"]
