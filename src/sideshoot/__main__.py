"""The command's entry point."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from sideshoot.cli.main import main as run  # noqa: PLC0415

    raise SystemExit(run())


if __name__ == "__main__":
    main()
