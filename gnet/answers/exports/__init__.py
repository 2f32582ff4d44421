"""What the page shows as files: each view as a figure and as its numbers."""
