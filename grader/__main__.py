"""`python -m grader` is the command `grader`."""

import sys

# Python puts the current folder first among the places of modules: it may be a student's, with a numpy.py in it.
if not sys.flags.safe_path:
    del sys.path[0]

from grader.cli import main

main()
