"""How the documentation is built: `make docs`."""

from grader._version import __version__

project = "grader"
version = release = __version__
extensions = ["myst_parser", "sphinx_click"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["schemas"]
html_theme = "furo"
html_title = "grader"
smartquotes = False  # they would make one dash of the two before an option
html_copy_source = html_show_sourcelink = False
# Links to files of the repository that are no page are checked by a test, on the files themselves.
suppress_warnings = ["myst.xref_missing"]
