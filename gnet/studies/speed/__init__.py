"""Speed beside torchvision, side by side: recording, training, one forward, reasons, the page."""
