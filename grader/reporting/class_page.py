from collections.abc import Mapping
from typing import Any


def render_class(found: Mapping[str, Any], changes: Mapping[str, Any] | None) -> str:
    return str(len(found))


def render_leaderboard(found: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return str(len(names))
