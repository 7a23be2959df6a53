"""Runs a homework's own scripts in a sandbox: see `homework.run_homework`. Linux with bubblewrap only."""
