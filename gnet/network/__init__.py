"""GoogLeNet itself: Table 1, modules, weights, costs, receptive fields, export."""
