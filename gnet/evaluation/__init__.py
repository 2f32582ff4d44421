"""Many pictures: accuracy, calibration, exits, fitted probes, right and wrong."""
