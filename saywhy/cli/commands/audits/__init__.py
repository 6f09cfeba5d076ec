"""The commands of `saywhy audit`, one file each; `PARTS` in `saywhy/cli/commands/audit.py` lists them."""
