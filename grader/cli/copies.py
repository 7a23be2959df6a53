"""`grader copies`: which students' work is each other's?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from grader.cli.output import check_folder, make_console, trimmed

_LISTED = 40


@click.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where copies.json and copies/ go. Default: the first of RESULTS.",
)
@click.option(
    "--submissions",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder that was graded, to show pictures.",
)
@click.option(
    "--times",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="CSV",
    help="When each was handed in, as for `grader batch`: one student's attempts are not held against each other.",
)
def copies(results: tuple[Path, ...], out: Path | None, submissions: Path | None, times: Path | None) -> None:
    """Find work that students of a class have in common, in the RESULTS of `grader batch`.

    Compares images, wrong predictions and scripts of all submissions and writes a page of evidence for each pair. It
    accuses nobody: a person decides. Run `grader class` afterwards, and the pairs stand on the class page as well.
    """
    from rich.text import Text

    from grader.batch.tasks import find_tasks
    from grader.similarity import find_pairs, read_fingerprint
    from grader.similarity.pages import TITLES, write_pages
    from grader.similarity.pairs import find_fingerprints
    from grader.similarity.rates import summary
    from grader.text import plural, printable

    place = out or results[0]
    check_folder(place, "-o")
    where = (
        {task.student: task.path for task in find_tasks(submissions)[0] if not task.refusal} if submissions else None
    )
    known = find_fingerprints(results, times)
    prints = {student: read_fingerprint(path) for student, path in known.files.items()}
    found = find_pairs(prints, known.without, known.people)
    found = replace(found, notes=(*known.notes, *found.notes))
    write_pages(found, prints, place, where)
    console = make_console()
    with trimmed(console):
        several = sorted({pair.students for pair in found.pairs})
        what = f"{plural(len(several), 'pair')} to look at among {plural(found.students, 'submission')} compared"
        console.print(Text(what, "bold"), highlight=False)
        for pair in found.pairs[:_LISTED]:
            names = " and ".join(printable(s) for s in pair.students)
            line = f"  {names}: {TITLES[pair.kind]}" + (
                f" ({pair.problem}, {pair.deliverable})" if pair.problem else ""
            )
            console.print(Text(line), highlight=False)
        if len(found.pairs) > _LISTED:
            console.print(Text(f"  and {len(found.pairs) - _LISTED} more"), highlight=False)
        for note in found.notes:
            console.print(Text(f"note: {note}"), highlight=False)
        wrong = f"How often independent work was called alike, where that was measured: {summary()}."
        console.print(Text(wrong), highlight=False)
        console.print(Text(f"The evidence: {place / 'copies' / 'index.html'}"), highlight=False)
