"""Pictures that stand in two folders of a submission."""

from __future__ import annotations

from dataclasses import replace

from grader.assignment import ImagesSpec
from grader.checks.images import CheckedImages
from grader.checks.shared import shared_findings

SPEC = ImagesSpec("faces", "gan", 100, (8, 8), "RGB", "PNG", None, "", True)


def _folder(path: str, *digests: int, **more: str) -> CheckedImages:
    spec = replace(SPEC, id=path, path=path, **more)  # type: ignore[arg-type]
    return CheckedImages(spec, (), (), (), {bytes([d]): f"{path[0]}{d}.png" for d in digests})


def test_no_picture_in_common() -> None:
    assert shared_findings({("a", "x"): _folder("x", 1, 2), ("a", "y"): _folder("y", 3, 4)}) == []


def test_one_in_common_is_a_reason_to_look() -> None:
    folders = {("a", "x"): _folder("x", *range(50)), ("b", "y"): _folder("y", *range(49, 90))}
    (finding,) = shared_findings(folders)
    assert (finding.severity, finding.problem, finding.deliverable, finding.path) == ("warning", "b", "y", "y/y49.png")
    assert finding.message == "1 image in y/ is in x/ as well." and finding.examples == ("y49.png = x/x49.png",)


def test_many_in_common_cost_the_points_of_the_later_folder() -> None:
    folders = {("a", "x"): _folder("x", *range(50)), ("a", "y"): _folder("y", *range(40, 60))}
    (finding,) = shared_findings(folders)
    assert (finding.severity, finding.count, finding.deliverable) == ("error", 10, "y")


def test_an_output_may_be_its_input() -> None:
    folders = {("a", "x"): _folder("x", 1, 2), ("a", "y"): _folder("y", 1, 2, same_names="x")}
    assert shared_findings(folders) == []
    assert shared_findings({("b", "x"): folders["a", "x"], ("a", "y"): folders["a", "y"]})  # another problem's
