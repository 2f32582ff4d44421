"""One picture: the recording of a forward, belief, branches, attribution, probes."""
