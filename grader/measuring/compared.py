"""What is made of the images of a submission once, and used by the search for copies and by the fingerprint."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from grader.checks.images import CheckedImages
from grader.measuring.context import Context
from grader.metrics import copies


class ComparedImages:
    """Images of the submission, uint8 ``(n, h, w, 3)``, with what is computed of them at the first use."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = pixels

    @cached_property
    def thumbnails(self) -> NDArray[np.float32]:
        """``(n, 3, 32, 32)``."""
        return copies.thumbnails(self.pixels)

    @cached_property
    def details(self) -> NDArray[np.float32]:
        """``(n, 3, 32, 32)``."""
        return copies.details(self.thumbnails)


def compared_images(problem: str, images: CheckedImages, context: Context) -> ComparedImages:
    """Those of a deliverable, the same for all who ask in one run."""
    key = problem, images.spec.id
    if key not in context.compared:
        context.compared[key] = ComparedImages(images.array)
    return context.compared[key]
