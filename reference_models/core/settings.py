"""A family's settings: a preset, changed one by one on the command line."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args, get_type_hints

S = TypeVar("S")
LEAST = {"batch": 2, "judged": 2}  # where it is not 1, or 0 for a fraction


class SettingsError(Exception):
    """A setting that isn't there, or a value that doesn't fit."""


def changed(preset: S, changes: Iterable[str]) -> S:
    """The preset with changes such as `z=1024`, `flips=false` or `norm=batch`; values are TOML, or plain text.

    Raises SettingsError with what would have been possible.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Settings:
    ...     z: int = 100
    >>> changed(Settings(), ["z=1024"])
    Settings(z=1024)
    """
    hints = get_type_hints(type(preset))
    values: dict[str, Any] = {}
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals or name not in hints:
            raise SettingsError(f"expected NAME=VALUE with a name of {', '.join(hints)}; found {change!r}")
        values[name] = _value(name, text, hints[name])
    return dataclasses.replace(preset, **values)  # type: ignore[type-var]  # every preset is a dataclass


def _value(name: str, text: str, hint: Any) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    if hint is float and type(value) is int:
        value = float(value)
    if isinstance(value, list) and all(type(v) in (int, float) for v in value):
        value = tuple(float(v) for v in value)
    allowed = get_args(hint)
    fits = value in allowed if allowed and isinstance(allowed[0], str) else _is(value, hint)
    if not fits:
        expected = " or ".join(map(str, allowed)) if allowed else getattr(hint, "__name__", str(hint))
        raise SettingsError(f"{name}: expected {expected}, found {text!r}")
    least = LEAST.get(name, 1 if hint is int else 0)
    numbers = value if isinstance(value, tuple) else (value,) if type(value) in (int, float) else ()
    if not all(math.isfinite(v) and v >= least for v in numbers):
        raise SettingsError(f"{name}: expected {least} or more, found {text!r}")
    if name == "betas" and not all(v < 1 for v in value):
        raise SettingsError(f"{name}: expected numbers below 1, found {text!r}")
    return value


def _is(value: Any, hint: Any) -> bool:
    args = get_args(hint)
    if args:
        return isinstance(value, tuple) and len(value) == len(args)
    return type(value) is hint


def as_json(settings: Any) -> Mapping[str, Any]:
    """The settings as JSON holds them."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(settings).items()}
