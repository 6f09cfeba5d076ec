"""The front door: the command line and the demo."""

from saywhy_core.moved import moved

moved({"saywhy.commands": "saywhy.cli.commands"})

__version__ = "0.1.0"
