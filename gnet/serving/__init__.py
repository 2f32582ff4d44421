"""A server's runs: queue, shelf, limits, processes, reviews, measurements, data offered."""
