"""Picture formats: which one a file is, which are read, and how colours become RGB."""
