"""The ground floor: what every package needs and none of it knows saliency. It imports nothing from the floors above."""

from saywhy_core.moved import moved as _moved

_moved({f"saywhy_core.{name}": f"saywhy_core.disk.{name}" for name in ("files", "journal", "locks", "sqlite")})
