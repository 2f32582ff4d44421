"""One forward of the network, and what may go into it."""
