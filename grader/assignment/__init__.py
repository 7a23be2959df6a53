"""Assignments: one homework as data."""

from grader.assignment.model import (
    Assignment,
    Baseline,
    Choice,
    DocumentSpec,
    MeasureSpec,
    Policy,
    Problem,
    Reported,
    RepositoryFile,
    ScriptSpec,
    ShellRules,
)
from grader.assignment.names import NameField, NameFormat
from grader.assignment.reading import DEFAULT, assignment_ids, load_assignment
from grader.assignment.specs import Deliverable, FigureSpec, ImagesSpec, LogSpec, TableSpec

__all__ = [
    "DEFAULT",
    "Assignment",
    "Baseline",
    "Choice",
    "Deliverable",
    "DocumentSpec",
    "FigureSpec",
    "ImagesSpec",
    "LogSpec",
    "MeasureSpec",
    "NameField",
    "NameFormat",
    "Policy",
    "Problem",
    "Reported",
    "RepositoryFile",
    "ScriptSpec",
    "ShellRules",
    "TableSpec",
    "assignment_ids",
    "load_assignment",
]
