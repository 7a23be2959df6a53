"""How quick the grader is, as ratios taken in one run: `make bench`. Not in the wheel, and no test."""
