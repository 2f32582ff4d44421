"""The Train tab: its form, its rows, its data, its review."""
