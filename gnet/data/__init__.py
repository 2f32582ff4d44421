"""From files to batches: pictures, archives, data sets, sampling and augmentation, preview."""
