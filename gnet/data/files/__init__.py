"""Files of a folder or zip: how they are listed and named, and which class each belongs to."""
