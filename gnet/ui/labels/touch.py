"""Labels in the words of a finger, for devices without a mouse; the rest are those of a mouse."""

TOUCH_LABELS = {
    "click module": "Tap a module, or a lane for its branch.",
    "click sets": "A tap sets a branch to",
    "touch keys": "",
    "freeze": "Freeze",
    "frames": "Freeze keeps the picture; then everything else can be asked of it. Frames are never "
    "stored and never logged; a frozen one is kept for an hour, as an upload is.",
    "point": "Tap a cell, or choose one.",
    "gradients at": "Step {step}. Tap a module for its numbers and angles.",
    "gallery": "Shown are {count}; a tap opens one in Explore.",
    "plan spread": "{bins} bars each, the middle one about 0; under it the largest absolute "
    "weight. Tap one for its numbers.",
}
"""Name of a label → its words on such a device."""
