"""The `saywhy` command: options in, calls of the floors below, tables out."""

from saywhy.cli.app import main

__all__ = ["main"]
