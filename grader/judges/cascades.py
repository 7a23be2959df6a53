"""Face detectors of Viola and Jones as OpenCV runs them. OpenCV is imported where one is read, nowhere else.

Their protocol: brightness of the colours as handed in, equalised over the whole picture; windows from 24 x 24 pixels
on, each size a tenth larger than the one before; five neighbouring windows or more make a face.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.errors import CannotMeasure, UsageError
from grader.judges import JUDGES
from grader.judges.weights import Weights

SCALE, NEIGHBOURS, SMALLEST = 1.1, 5, (24, 24)
INSTALL = "pip install 'vision-grader[faces]'"
Box = tuple[int, int, int, int]  # left, top, right and bottom, in pixels; the last two beyond the face


@dataclass(frozen=True)
class Cascade:
    """A detector that is ready to run. `version`: OpenCV's."""

    weights: Weights
    version: str
    _opencv: Any
    _detector: Any

    def faces(self, picture: NDArray[np.uint8]) -> list[Box]:
        """The faces in a picture, uint8 ``(h, w, 3)``, RGB; from top to bottom, then from left to right."""
        cv2 = self._opencv
        gray = cv2.equalizeHist(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY))
        found = self._detector.detectMultiScale(gray, scaleFactor=SCALE, minNeighbors=NEIGHBOURS, minSize=SMALLEST)
        boxes = [(int(x), int(y), int(x + w), int(y + h)) for x, y, w, h in found]
        return sorted(boxes, key=lambda box: (box[1], box[0], box))  # OpenCV's threads end in any order


def read_cascade(weights: Weights) -> Cascade:
    """The detector in a file. Raises CannotMeasure without OpenCV 4, UsageError for a file that is no cascade."""
    cv2 = _opencv()
    detector = cv2.CascadeClassifier()
    try:
        # From the bytes whose sha256 is known: OpenCV would open the file a second time.
        text = weights.read().decode()
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        whole = bool(detector.read(storage.getFirstTopLevelNode())) and not detector.empty()
    except (cv2.error, SystemError, UnicodeDecodeError):  # SystemError: its binding's own for a text that is none
        whole = False
    if not whole:
        judge = JUDGES[weights.judge]
        raise UsageError(
            f"--judge {judge.name}: {weights.path} is no cascade that OpenCV can read. Expected {judge.title}, with "
            f"the sha256 {' or '.join(judge.known)}: {judge.remedy} brings it."
        )
    return Cascade(weights, str(cv2.__version__), cv2, detector)


def _opencv() -> Any:
    try:
        cv2 = importlib.import_module("cv2")
    except ImportError as e:  # absent, or without a system library that it wants
        told = "needs OpenCV" if isinstance(e, ModuleNotFoundError) else f"OpenCV can't be loaded ({e})"
        raise CannotMeasure(f"{told}: {INSTALL}") from None
    if not hasattr(cv2, "CascadeClassifier"):
        raise CannotMeasure(f"needs OpenCV 4, and {cv2.__version__} has no cascades any more: {INSTALL}")
    return cv2
