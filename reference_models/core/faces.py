"""Photos of faces with their attributes, in either course's layout: `face/train` of hw2_data, or `train` of hw4_data.

The validation part is what `validation.txt` beside the folder names, or the last tenth of `train`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from grader.errors import CannotMeasure
from grader.judges.attributes import ATTRIBUTES
from grader.references.data import BadReference, Data
from grader.references.pictures import list_pictures, read_pictures
from reference_models.core.data import INNER_FOLDERS, to_tensor


@dataclass(frozen=True)
class Faces:
    """Pictures uint8 ``(n, 3, h, w)``, their attributes int64 ``(n, 13)``, 0 or 1, and their files' names."""

    images: Tensor
    attributes: Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def of(self, attribute: str) -> Tensor:
        """One attribute's column, ``(n,)``. Raises BadReference for a name that isn't among the thirteen."""
        if attribute not in ATTRIBUTES:
            raise BadReference(f"expected an attribute of {', '.join(ATTRIBUTES)}; found {attribute!r}")
        return self.attributes[:, ATTRIBUTES.index(attribute)]


def need_faces(data: Path, name: str) -> Path:
    """The path of `train`, `test.csv`, … in whichever layout the data has. Raises CannotMeasure."""
    found = _find(data, name)
    if found is None:
        raise CannotMeasure(f"needs face/{name} or {name} of the course's data, and neither is under {data}")
    return found


def _find(data: Path, name: str) -> Path | None:
    both, faces_alone = INNER_FOLDERS
    return Data(data, both).find(f"face/{name}") or Data(data, faces_alone).find(name)


def face_paths(data: Path, held_out: bool = False) -> list[Path]:
    """The pictures to train on, or those of the validation part. Raises CannotMeasure or BadReference."""
    folder = need_faces(data, "train")
    paths = list_pictures(folder)
    listed = _find(data, "validation.txt")
    names = (
        set(listed.read_text(errors="replace").split())
        if listed
        else {p.name for p in paths[-max(2, len(paths) // 10) :]}
    )
    chosen = [path for path in paths if (path.name in names) == held_out]
    if len(chosen) < 2:
        raise BadReference(f"{listed or folder}: expected faces for training and for validation")
    return chosen


def load_faces(data: Path, held_out: bool = False) -> Tensor:
    """The pictures of `face_paths`, uint8 ``(n, 3, h, w)``."""
    return to_tensor(read_pictures(face_paths(data, held_out)))


def split_faces(data: Path | None) -> tuple[Tensor, Tensor]:
    """Faces of 64x64 to train on and those held out, or made-up ones where there is no data. Raises BadReference."""
    if data is None:
        return made_up_faces(8).images, made_up_faces(8).images
    faces, held_out = load_faces(data), load_faces(data, held_out=True)
    if faces.shape[1:] != (3, 64, 64):
        raise BadReference(f"expected faces of 64x64, found {faces.shape[3]}x{faces.shape[2]}")
    return faces, held_out


def load_attributes(data: Path, held_out: bool = False) -> Faces:
    """The faces of `face_paths` that have a row in `train.csv`. Raises CannotMeasure or BadReference."""
    return _with_rows(face_paths(data, held_out), need_faces(data, "train.csv"))


def load_test_faces(data: Path) -> Faces:
    """The faces of `test` that have a row in `test.csv`. Raises CannotMeasure or BadReference."""
    return _with_rows(list_pictures(need_faces(data, "test")), need_faces(data, "test.csv"))


def made_up_faces(n: int) -> Faces:
    """Noise instead of faces, for a dry run."""
    attributes = torch.arange(n)[:, None].expand(n, len(ATTRIBUTES)) % 2
    return Faces(torch.randint(0, 256, (n, 3, 64, 64), dtype=torch.uint8), attributes, tuple(map(str, range(n))))


def _with_rows(paths: list[Path], table: Path) -> Faces:
    rows = read_attributes(table)
    known = [path for path in paths if path.name in rows]
    if len(known) < 2:
        raise BadReference(f"{table}: expected a row for each picture, found {len(known)} of them")
    names = tuple(path.name for path in known)
    return Faces(to_tensor(read_pictures(known)), torch.tensor([rows[name] for name in names]), names)


def read_attributes(table: Path) -> dict[str, tuple[int, ...]]:
    """The thirteen attributes of each picture, 0 or 1; CelebA says -1 for 0. Raises BadReference."""
    try:
        with open(table, newline="", encoding="utf-8-sig") as f:
            rows = list(csv.DictReader(f))
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise BadReference(f"{table}: can't be read: {e}") from None
    missing = [name for name in ("image_name", *ATTRIBUTES) if not rows or name not in rows[0]]
    if missing:
        raise BadReference(f"{table}: expected the columns image_name and the attributes, found no {missing[0]}")
    try:
        return {row["image_name"]: tuple(int(float(row[a]) > 0) for a in ATTRIBUTES) for row in rows}
    except (TypeError, ValueError):
        raise BadReference(f"{table}: expected a number for each attribute in each row") from None
