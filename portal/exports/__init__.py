"""Files that people download: what is in them, and how they are written."""
