"""Guided lessons: texts read from files, figures filled in, answers checked against them."""
