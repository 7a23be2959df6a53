"""The colours of hair and eyes that tags of anime faces name, in the published order. No torch."""

from __future__ import annotations

HAIR = (
    *("orange", "white", "aqua", "gray", "green", "red"),
    *("purple", "pink", "blue", "black", "brown", "blonde"),
)
EYES = ("gray", "black", "orange", "pink", "yellow", "aqua", "purple", "green", "brown", "red", "blue")
