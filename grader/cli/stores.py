"""`grader reference` and `grader cache`: what is computed once and used often."""

from __future__ import annotations

import json
from pathlib import Path

import click

from grader.cli.output import check_output, progress_bar
from grader.documents import write_whole


@click.group()
def reference() -> None:
    """Build and show statistics of reference pictures."""


@reference.command()
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Where it goes: .npz"
)
@click.option("--protocol", default="pytorch-fid", show_default=True, help="The protocol that the measure names.")
@click.option("--judge", "judges", multiple=True, metavar="NAME=PATH", help="Weights for a judge.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto", show_default=True)
@click.option(
    "--with-features", is_flag=True, help="Keep each picture's features: KID, precision and recall need them."
)
def build(
    name: str, folder: Path, output: Path, protocol: str, judges: tuple[str, ...], device: str, with_features: bool
) -> None:
    """Make a file of statistics from a FOLDER of pictures, so that others can score without the pictures.

    NAME is the reference's path in the assignment, such as face/test.
    """
    from grader.cli.grade import named_file
    from grader.errors import CannotMeasure, UsageError
    from grader.judges import check_judges
    from grader.measuring.context import Context, needs_packages
    from grader.references.data import BadReference, Data
    from grader.text import did_you_mean

    check_output(output, folder)
    given = check_judges(dict(named_file(judge) for judge in judges))
    try:
        with needs_packages(), progress_bar() as progress:
            from grader.judges.protocols import PROTOCOLS
            from grader.references.statistics import build_reference

            usable = [p for p, about in PROTOCOLS.items() if "features" in about.outputs]
            if protocol not in usable:
                hint = did_you_mean(protocol, usable)
                raise UsageError(f"--protocol {protocol}: expected one of {', '.join(usable)}.{hint}")
            context = Context(Data(None, ""), given, device, progress)
            show = context.show("reference pictures")
            file = build_reference(name, folder, protocol, context.extractor(), with_features=with_features, done=show)
    except (CannotMeasure, BadReference) as e:
        raise UsageError(f"The reference can't be built: {e}.") from None
    write_whole(output, file.to_bytes())
    click.echo(f"{output}: {file.gaussian.n} pictures, protocol {protocol}.")


@reference.command()
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> None:
    """What a reference file says of itself, as JSON."""
    from grader.references.statistics import read_reference

    found = read_reference(file)
    about = found.describe() | {"dimensions": len(found.gaussian.mean), "with_features": found.features is not None}
    click.echo(json.dumps(about, indent=2))


@click.group()
def cache() -> None:
    """The features that are kept between runs."""


@cache.command()
def info() -> None:
    """Where the cache is and how much it holds."""
    from grader.judges.cache import LARGEST, FeatureCache

    found = FeatureCache().info()
    click.echo(f"{found.path}: {found.rows} rows, {found.size / 2**20:.1f} of at most {LARGEST / 2**20:.0f} MiB")


@cache.command()
def clear() -> None:
    """Delete the cache; what is needed is computed again."""
    from grader.judges.cache import FeatureCache

    FeatureCache().clear()
    click.echo("The cache is empty.")
