"""How scripts are called: what an assignment may say, and that it can't show them the labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment import ScriptSpec, load_assignment
from grader.assignment.scripts import data_of
from grader.errors import AssignmentError

HEAD = """
schema = "grader/assignment/1"
id = "hw"
title = "Homework"
[[problem]]
id = "dann"
title = "DANN"
[[problem.deliverable]]
id = "usps"
kind = "table"
path = "dann/usps.csv"
answers = "digits/usps/test.csv"
[[repository.script]]
problem = "dann"
path = "p3.sh"
"""


def _script(tmp_path: Path, text: str) -> ScriptSpec:
    (tmp_path / "hw.toml").write_text(HEAD + text)
    (script,) = load_assignment(tmp_path / "hw.toml").repository
    assert isinstance(script, ScriptSpec)
    return script


def test_the_default_homework_is_called_as_published() -> None:
    whole = load_assignment()
    by_path = {s.path: s for s in whole.repository if isinstance(s, ScriptSpec)}
    assert by_path["hw2_p1.sh"].runs == (("{out}/gan",),) and by_path["hw2_p1.sh"].minutes == 10
    third = by_path["hw2_p3.sh"].runs
    # The folder of target images, the target's name, the csv to write.
    assert [run[1] for run in third] == ["usps", "mnistm", "svhn"]
    assert third[0] == ("{data}/digits/usps/test", "usps", "{out}/dann/mnistm-usps.csv")
    assert data_of(by_path["hw2_p3.sh"], third[0]) == ("digits/usps/test",)
    assert data_of(by_path["hw2_p1.sh"], by_path["hw2_p1.sh"].runs[0]) == ()
    assert whole.policy.reproducibility_penalty == 0.5
    assert load_assignment("mlds-spring2018-hw3").policy.reproducibility_penalty == 0


def test_every_key(tmp_path: Path) -> None:
    script = _script(
        tmp_path,
        'runs = [["{data}", "{out}", "7"], []]\nreads = ["digits/usps/test"]\ncollects = ["a/b.png"]\n'
        "minutes = 2.5\nfetch = true\n",
    )
    assert script.runs == (("{data}", "{out}", "7"), ()) and script.minutes == 2.5 and script.fetch
    assert data_of(script, script.runs[0]) == ("digits/usps/test",) and script.collects == ("a/b.png",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('runs = [["{data}/digits/usps/test.csv"]]', "would show the script the true labels"),
        ('runs = [["{data}/digits"]]', "would show the script the true labels, digits/usps/test.csv"),
        ('reads = ["digits/usps"]', "would show the script the true labels"),
        ('runs = [["{data}"]]', "add that key"),
        ('runs = [["{data}/../secret"]]', "expected '{out}/PATH'"),
        ('runs = [["{out}/../x"]]', "expected '{out}/PATH'"),
        ('runs = [["{home}/x"]]', "expected '{out}/PATH'"),
        ('runs = [["x{out}"]]', "expected '{out}/PATH'"),
        ('runs = ["{out}"]', "expected a list of texts"),
        ('runs = "{out}"', "expected a list of lists of texts"),
        ("runs = [[1]]", "expected a list of texts"),
        ('reads = ["/etc"]', "expected a relative path"),
        ('collects = ["../x"]', "expected a relative path"),
        ("minutes = 0", "expected minutes above 0"),
        ("minutes = 1e9", "expected minutes above 0"),
        ('fetch = "yes"', "expected true or false"),
        ('argument = ["x"]', "is not a key of this table"),
        ("[policy]\nreproducibility_penalty = 50", "50 % is 0.50"),
        ("[policy]\npenalty = 0.5", "is not a key of this table"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AssignmentError) as error:
        _script(tmp_path, text)
    assert said in str(error.value)
