"""What a problem's deliverables must be: image folders, tables, figures, logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grader.assignment.names import NameFormat
from grader.text import plural

ANY_SIZE = (0, 0)
FIGURES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class ImagesSpec:
    """A folder of `count` pictures of one size, mode and format.

    `copies_of`: folders of the data whose images must not be handed in as generated ones.
    `names` prescribes each file name; None accepts any name with the extension of `format`. `label` names the
    field that is the class. `size` is (width, height) in pixels; `mode` is Pillow's; samples have 8 bits.
    `one_for_each`: a folder of the data, for each of whose pictures there is one image of the same name; `count` is
    then how many the course published. `alike`: images are meant to resemble each other, as pairs of one face do.
    `repeats`: a field of the names; the same picture may stand under several values of it. `at_least`: where any
    names will do, as many images are enough; 0: all `count`. A size of (0, 0): any, but one for all images of the
    folder. `same_names`: the id of an image folder above, whose images have the same names, and the same size where
    any will do. `exact`: the images of `one_for_each` are to be met, so that being near to them is no sign of a copy.
    """

    id: str
    path: str
    count: int
    size: tuple[int, int]
    mode: Literal["RGB", "L"]
    format: Literal["PNG"]
    names: NameFormat | None
    label: str
    required: bool
    copies_of: tuple[str, ...] = ()
    one_for_each: str = ""
    alike: bool = False
    repeats: str = ""
    at_least: int = 0
    same_names: str = ""
    exact: bool = False

    @property
    def any_size(self) -> bool:
        """True where all images have one size, whatever it is."""
        return self.size == ANY_SIZE

    @property
    def place(self) -> str:
        """Where the images are, for messages: the folder with a slash, or the figure that they are cut out of."""
        return self.path if self.path.lower().endswith(FIGURES) else f"{self.path}/"

    @property
    def least(self) -> int:
        """The fewest images that will do."""
        if self.names and not self.one_for_each:
            return len(self.names.smallest)
        return self.at_least or self.count

    @property
    def amount(self) -> str:
        """How many images are asked for, in words: `20 to 1000 images`."""
        if self.one_for_each:
            return f"one image for each picture of {self.one_for_each}/"
        if self.same_names:
            return f"one image for each of {self.same_names}"
        return plural(self.count, "image") if self.least == self.count else f"{self.least} to {self.count} images"

    @property
    def label_field(self) -> int | None:
        """Index of the label among the name's fields; None where the names carry no label."""
        if self.names is None or not self.label:
            return None
        return [f.name for f in self.names.fields].index(self.label)

    def repeated_as(self, name: str) -> int:
        """The value of the field `repeats` in a name: equal pictures under different values are none too many."""
        values = self.names.parse(name) if self.names and self.repeats else None
        return values[[f.name for f in self.names.fields].index(self.repeats)] if self.names and values else 0


@dataclass(frozen=True)
class TableSpec:
    """A csv with one row for each test image: its name and an integer label in `labels`, both ends included.

    `answers` is the path, under the data folder, of the csv with the true labels; `answers_count` how many the
    course published. `images`: instead, the id of an image folder of the same problem, each of whose images has a row;
    the true label is the number `field` of its name, and `answers` is empty.
    """

    id: str
    path: str
    columns: tuple[str, str]
    labels: tuple[int, int]
    answers: str
    answers_count: int
    required: bool
    images: str = ""
    field: str = ""


@dataclass(frozen=True)
class FigureSpec:
    """A picture for people to look at: a plot, or a grid of images. Its format follows from its name.

    `grid`: columns and rows of images of `tile` (width, height) pixels each, which are taken apart where they form a
    regular grid; None for any other picture, whose `tile` is (0, 0). `alike`: the images are meant to resemble each
    other. `copies_of`: folders of the data whose images must not be shown as generated ones.
    """

    id: str
    path: str
    grid: tuple[int, int] | None
    tile: tuple[int, int]
    required: bool
    alike: bool = False
    copies_of: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many images the grid holds; 0 for any other picture."""
        return self.grid[0] * self.grid[1] if self.grid else 0

    @property
    def format(self) -> Literal["JPEG", "PNG"]:
        """What the file must be inside."""
        return "PNG" if self.path.lower().endswith(".png") else "JPEG"


@dataclass(frozen=True)
class LogSpec:
    """A csv with what was printed while training: a header that holds `columns`, at least `least` rows.

    The first of the columns counts steps, in whole numbers that only grow; the others hold numbers. More columns are
    welcome.
    """

    id: str
    path: str
    columns: tuple[str, ...]
    least: int
    required: bool


Deliverable = ImagesSpec | TableSpec | FigureSpec | LogSpec
