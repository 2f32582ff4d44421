"""Why this class: methods that explain one logit of one picture, and what could disprove them."""
