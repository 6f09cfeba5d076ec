"""Where the command begins, `saywhy` as well as `python -m saywhy`, ready for signals before anything large is imported."""

from __future__ import annotations

from saywhy_core.stopping import leave_at_once


def main() -> None:
    """Run the command of this process; see `saywhy.cli.app.main`."""
    leave_at_once("nothing was done")
    from saywhy.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
