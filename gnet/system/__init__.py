"""Files whole or not at all, caches, locks, downloads, signals; knows no network."""
