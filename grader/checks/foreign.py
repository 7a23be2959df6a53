"""What only the course or the grader writes, found in a submission: nothing of it is used, and that is said."""

from __future__ import annotations

from grader.checks import rules
from grader.results import Finding
from grader.submission import Submission
from grader.text import listing, plural

_RESULTS = {f"{name}{many}.json" for name in ("score", "result", "grade", "verdict") for many in ("", "s")}
_CONFIGURATION = {"grader.toml", "grader.json", ".grader.toml", "baselines.toml"}


def foreign_findings(submission: Submission, assignment: str, data_folder: str = "") -> list[Finding]:
    """A warning that names results, configuration, and the data where they are not those that are used.

    data_folder: the name of such a folder at the top that is not used; empty if the user named it as the data.
    """
    known = _RESULTS | _CONFIGURATION | {f"{assignment}.toml"}
    found = [e.name for e in submission.peek(".").values() if e.kind != "folder" and e.name.lower() in known]
    if data_folder and (entry := submission.entry(data_folder)) is not None:
        found.append(entry.name + ("/" if entry.kind == "folder" else ""))
    if not found:
        return []
    finding = rules.FOREIGN_FILE.finding(
        path=found[0] if len(found) == 1 else ".",
        message=f"{plural(len(found), 'name')} in the submission stand for what only the course or the grader writes.",
        expected="nothing but what the assignment asks for",
        actual=listing(found),
        help="Nothing of it is used: values, baselines and labels are those of the grader and of the course.",
        count=len(found),
        examples=found,
    )
    return [finding]
