"""The attributes of a face that the course's tables name, in their order. No torch."""

from __future__ import annotations

ATTRIBUTES = (
    *("Bangs", "Big_Lips", "Black_Hair", "Blond_Hair", "Brown_Hair", "Heavy_Makeup", "High_Cheekbones"),
    *("Male", "Mouth_Slightly_Open", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Lipstick"),
)
