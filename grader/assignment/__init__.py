"""Assignments: one homework as data."""

from grader.assignment.model import (
    Assignment,
    Baseline,
    Deliverable,
    DocumentSpec,
    FigureSpec,
    ImagesSpec,
    MeasureSpec,
    Problem,
    Reported,
    RepositoryFile,
    ScriptSpec,
    ShellRules,
    TableSpec,
)
from grader.assignment.names import NameField, NameFormat
from grader.assignment.reading import DEFAULT, assignment_ids, load_assignment

__all__ = [
    "DEFAULT",
    "Assignment",
    "Baseline",
    "Deliverable",
    "DocumentSpec",
    "FigureSpec",
    "ImagesSpec",
    "MeasureSpec",
    "NameField",
    "NameFormat",
    "Problem",
    "Reported",
    "RepositoryFile",
    "ScriptSpec",
    "ShellRules",
    "TableSpec",
    "assignment_ids",
    "load_assignment",
]
