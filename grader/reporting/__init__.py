"""Reports as text for people and programs: a report comes in, text goes out."""
