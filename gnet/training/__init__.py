"""What trains a run: the loop, the learner, optimisation, steering, distributed groups."""
