"""What submissions are held against: labels and pictures of the course's data folder."""
