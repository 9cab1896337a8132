"""Pages on which an artist, or somebody for her, decides what AI may do."""
