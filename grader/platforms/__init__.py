"""What course platforms take beside reports: autograders to upload, grade books to import."""
