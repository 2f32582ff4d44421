"""Pictures that are still changing, a stroke or a camera's frame, and the light answer to each."""
