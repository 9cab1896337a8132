"""One file per subject; each view makes one domain call."""
