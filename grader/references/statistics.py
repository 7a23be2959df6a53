"""A reference as a file: statistics of features, with which judge and protocol they were made, and of what."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from grader._version import __version__
from grader.errors import UsageError
from grader.metrics.fid import Gaussian

if TYPE_CHECKING:
    from grader.judges.features import Extractor

_FORMAT = "grader/reference/1"
_LARGEST = 2**31
# What numpy and the zip's reader raise for damaged files and for shapes that no memory holds.
_BROKEN = (
    *(ValueError, LookupError, TypeError, AttributeError, EOFError, RuntimeError, ArithmeticError, MemoryError),
    *(SyntaxError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
_NEEDED = {"format", "name", "protocol", "judge", "judge_sha256", "n", "pixel_digest", "grader"}


@dataclass(frozen=True)
class ReferenceFile:
    """Aggregates of the features of n pictures, and the features themselves only if they were asked for.

    `name` is the reference's path in assignments (`face/test`). `pixel_digest`: sha256 over the pictures' sha256, in
    the order of the names. `features`: float32 ``(n, d)`` or None.
    """

    name: str
    protocol: str
    judge: str
    judge_sha256: str
    pixel_digest: str
    gaussian: Gaussian
    features: NDArray[np.float32] | None
    grader: str

    def describe(self) -> dict[str, Any]:
        """What the file says of itself, without the numbers."""
        return {
            "format": _FORMAT,
            "name": self.name,
            "protocol": self.protocol,
            "judge": self.judge,
            "judge_sha256": self.judge_sha256,
            "n": self.gaussian.n,
            "pixel_digest": self.pixel_digest,
            "grader": self.grader,
        }

    def to_bytes(self) -> bytes:
        """The file's content, an .npz: mean float64, factor float32 of at most ``(d, d)``, features if there are any.

        The factor is rotated (QR) even where there are fewer pictures than dimensions, so that no picture's features
        can be read off it.
        """
        factor = np.asarray(np.linalg.qr(self.gaussian.factor, mode="r"), np.float32)
        arrays: dict[str, Any] = {"mean": self.gaussian.mean, "factor": factor}
        if self.features is not None:
            arrays["features"] = self.features
        out = io.BytesIO()
        np.savez_compressed(out, about=np.array(json.dumps(self.describe())), **arrays)
        return out.getvalue()


def build_reference(
    name: str,
    folder: Path,
    protocol: str,
    extractor: Extractor,
    *,
    with_features: bool,
    done: Callable[[int, int], None],
) -> ReferenceFile:
    """Takes the features of a folder's pictures by a protocol. Raises BadReference, CannotMeasure or UsageError."""
    from grader.judges.protocols import PROTOCOLS
    from grader.metrics.fid import gaussian
    from grader.references.pictures import list_pictures, read_pictures

    extractor.weights(PROTOCOLS[protocol].judge)  # first, since they may be missing
    pictures = read_pictures(list_pictures(folder))
    found = extractor.run(protocol, pictures, done)
    features = found.outputs["features"]
    digests = "".join(hashlib.sha256(picture.tobytes()).hexdigest() for picture in pictures)
    return ReferenceFile(
        name=name,
        protocol=protocol,
        judge=PROTOCOLS[protocol].judge,
        judge_sha256=found.weights.sha256,
        pixel_digest=hashlib.sha256(digests.encode()).hexdigest(),
        gaussian=gaussian(features.astype(np.float64)),
        features=features if with_features else None,
        grader=__version__,
    )


def read_reference(path: Path) -> ReferenceFile:
    """Reads a reference file; UsageError for anything that isn't one."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        with open(path, "rb") as f, np.load(f, allow_pickle=False) as found:
            about = json.loads(str(found["about"]))
            mean, factor = found["mean"], found["factor"].astype(np.float64)
            features = found["features"] if "features" in found.files else None
        if about.get("format") != _FORMAT or set(about) != _NEEDED:
            raise ValueError(f"expected the format {_FORMAT}")
        if mean.ndim != 1 or factor.ndim != 2 or factor.shape[1] != len(mean):
            raise ValueError("arrays of other shapes")
        if not all(np.isfinite(array).all() for array in (mean, factor, *([] if features is None else [features]))):
            raise ValueError("values that are not finite")
        gaussian = Gaussian(mean, factor, int(about["n"]))
        if gaussian.n < 2 or (features is not None and features.shape != (gaussian.n, len(mean))):
            raise ValueError(f"statistics of {gaussian.n} pictures")
    except OSError as e:
        raise UsageError(f"The reference {path} can't be read: {e.strerror or e}.") from None
    except _BROKEN as e:
        told = "it is no .npz" if "pickle" in str(e) else e  # numpy advises to load it unsafely
        raise UsageError(
            f"{path} is no reference file ({told}). `grader reference build` makes one; expected an .npz of it."
        ) from None
    head = {k: str(about[k]) for k in ("name", "protocol", "judge", "judge_sha256", "pixel_digest", "grader")}
    return ReferenceFile(gaussian=gaussian, features=features, **head)
