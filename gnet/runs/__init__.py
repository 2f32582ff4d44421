"""A training run as a record: its config, events, folder, requests, outcome."""
