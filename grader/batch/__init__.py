"""Many submissions: the journal, the engines that work it off, and the join."""
