"""Makes `import torchvision` work beside a torch without torchvision's compiled operators. Import this first.

torchvision registers meta kernels for the operators `nms` and `qnms` when it is imported. Where its compiled library
can't be loaded (a CPU build of torch beside the ordinary wheel of torchvision), the operators have no schema and the
import fails: "operator torchvision::nms does not exist". Declaring the schemas is enough: nothing here calls them.
Where the library does load, it declares them itself, and a second declaration would be an error.
"""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path

import torch

_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_kept: list[torch.library.Library] = []  # a library object must live as long as what it declares


def _prepare() -> None:
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return
    for library in Path(spec.origin).parent.glob("_C*"):
        with contextlib.suppress(OSError):
            torch.ops.load_library(str(library))
    for name, schema in _SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            fragment = torch.library.Library("torchvision", "FRAGMENT")
            fragment.define(schema)
            _kept.append(fragment)


_prepare()
